#pragma once

#include "ltm/memory_row.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_dialect.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace maas::ltm {

// Which search a server is asked for.
enum class VectorStore {
  best,        // what there is: found out by trying
  atlas,       // $vectorSearch; where there is none, exact
  documentdb,  // cosmosSearch; where there is none, exact
  exact,       // none: memories are ranked in this process
};

struct SearchIndexOptions {
  VectorStore store = VectorStore::best;
  documentdb::IndexKind kind = documentdb::IndexKind::hnsw;  // of DocumentDB's vector index
  std::string language = {};  // of an ordinary text index; empty: none
  std::chrono::milliseconds patience{
      300'000};  // with an index that is built, before it is a problem
};

// What can be asked of the server at the moment.
struct SearchIndexState {
  enum class Words { nothing, text_index, search_index };

  VectorStore store = VectorStore::exact;  // never best
  // Whether its vector index answers. While it doesn't, vectors are compared in this process.
  bool is_ready = false;
  Words words = Words::nothing;
  std::string description = {};             // for who runs the server
  std::optional<std::string> problem = {};  // what he has to put right
};

// The search indexes of the memories' collection: made if they aren't there, compared with what is
// needed if they are, never dropped. A thread of its own sees to them until they are ready, and
// again while something is wrong with them. Thread-safe.
class MongoSearchIndex {
 public:
  // Borrows the client. Tries once before it returns. A space without a model needs no index.
  MongoSearchIndex(MongoClient& client, std::string collection, VectorSpace space,
                   SearchIndexOptions options);
  ~MongoSearchIndex();

  std::shared_ptr<const SearchIndexState> state() const;

 private:
  struct Keeper;
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace maas::ltm
