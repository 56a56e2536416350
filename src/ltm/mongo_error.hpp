#pragma once

#include "core/error.hpp"

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
    bool undone = false;    // the transaction has changed nothing; making it again may succeed
    bool unknown = false;   // of a commit: whether it happened; committing again tells
    bool network = false;   // the connection was lost, or the server was silent for too long
    bool unusable = false;  // no server can be used: none is there, or it refuses this client
  };

  MongoError(Errc code, const std::string& message, std::string detail, Meaning meaning)
      : Error(code, message, std::move(detail)), meaning_(meaning) {}

  const Meaning& meaning() const { return meaning_; }

 private:
  Meaning meaning_;
};

// Another was faster in what no code of the server tells.
MongoError lost_race(const std::string& detail);

// `reply` may be null.
MongoError mongo_error(const _bson_error_t& error, const _bson_t* reply);

}  // namespace maas::ltm
