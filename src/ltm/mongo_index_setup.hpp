#pragma once

#include "ltm/memory_row.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_search_index.hpp"

#include <optional>
#include <string>

namespace maas::ltm {

// Why a server has no search of some kind.
struct NoSearch {
  std::string reason = {};
  bool of_any_kind = false;  // it is one that could have it, without what it takes
};

// One attempt to have a server's search indexes as they are needed: looks, makes what isn't there,
// looks again. Throws MongoError.
struct IndexSetup {
  MongoSession& session;
  const std::string& collection;
  const VectorSpace& space;
  const SearchIndexOptions& options;

  // Nullopt: the server has no such search.
  std::optional<SearchIndexState> atlas(NoSearch& why) const;
  std::optional<SearchIndexState> documentdb(NoSearch& why) const;

  // Makes an ordinary text index if the server has them.
  SearchIndexState::Words text_index() const;
};

}  // namespace maas::ltm
