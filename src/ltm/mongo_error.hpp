#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <utility>

struct _bson_t;
struct _bson_error_t;

namespace maas::ltm {

// A failure that MongoDB or its driver told, in MaaS' terms. No password is in it.
class MongoError : public Error {
 public:
  // What it means for a transaction, and for the calls after it.
  struct Meaning {
    bool undone = false;     // the transaction has changed nothing; making it again may succeed
    bool unknown = false;    // of a commit: whether it happened; committing again tells
    bool network = false;    // the connection was lost, or the server was silent for too long
    bool unusable = false;   // no server can be used: none is there, or it refuses this client
    bool forbidden = false;  // the user may not do this
    bool no_transactions = false;  // the server has none
    bool duplicate = false;        // a document with this key is there
  };

  MongoError(Errc code, const std::string& message, std::string detail, Meaning meaning,
             std::uint32_t server_code = 0)
      : Error(code, message, std::move(detail)), meaning_(meaning), server_code_(server_code) {}

  const Meaning& meaning() const { return meaning_; }
  // As the server named it; 0: the server did not say this.
  std::uint32_t server_code() const { return server_code_; }
  // The same failure, told better by who knows what was tried.
  MongoError in_words(const std::string& message) const {
    return {code(), message, detail(), meaning_, server_code_};
  }

 private:
  Meaning meaning_;
  std::uint32_t server_code_;
};

// Another was faster in what no code of the server tells.
MongoError lost_race(const std::string& detail);

// `reply` may be null.
MongoError mongo_error(const _bson_error_t& error, const _bson_t* reply);

}  // namespace maas::ltm
