#include "ltm/mongo_error.hpp"

#include <algorithm>
#include <mongoc/mongoc.h>
#include <string_view>

namespace maas::ltm {
namespace {

// Codes of the server (MongoDB's error_codes.yml).
enum Code : std::uint32_t {
  kUnauthorized = 13,
  kAuthenticationFailed = 18,
  kIllegalOperation = 20,
  kMaxTimeMsExpired = 50,
  kCommandNotFound = 59,
  kIndexOptionsConflict = 85,
  kIndexKeySpecsConflict = 86,
  kInvalidIndexSpecification = 67,
  kWriteConflict = 112,
  kCommandNotSupported = 115,
  kNoSuchTransaction = 251,
  kNotInTransaction = 263,
  kBsonObjectTooLarge = 10334,
  kDuplicateKey = 11000,
  kOutOfDiskSpace = 14031,
};

constexpr const char* kOthersChange = "Others change the same memories; try again";

// The server is going, or not the one that takes writes.
constexpr std::uint32_t kPassing[] = {6,    7,     89,    91,    189,   262,
                                      9001, 10107, 11600, 11602, 13435, 13436};

bool is_too_large(const bson_error_t& error) {
  return error.code == kBsonObjectTooLarge ||
         (error.domain == MONGOC_ERROR_BSON &&
          std::string_view(error.message).find("too large") != std::string_view::npos) ||
         (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_TOO_BIG);
}

bool is_refusal(const bson_error_t& error) {
  return error.code == kAuthenticationFailed ||
         (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
         error.domain == MONGOC_ERROR_SASL || error.domain == MONGOC_ERROR_SCRAM;
}

// Servers that are no replica set tell it in this code, drivers in that.
bool lacks_transactions(const bson_error_t& error) {
  return error.code == kIllegalOperation || error.code == kNotInTransaction ||
         (error.domain == MONGOC_ERROR_CLIENT &&
          error.code == MONGOC_ERROR_CLIENT_SESSION_FAILURE) ||
         error.domain == MONGOC_ERROR_TRANSACTION;
}

bool is_network(const bson_error_t& error) {
  return error.domain == MONGOC_ERROR_STREAM ||
         (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_NOT_READY);
}

bool is_unreadable(const bson_error_t& error) { return error.domain == MONGOC_ERROR_PROTOCOL; }

}  // namespace

MongoError lost_race(const std::string& detail) {
  return {Errc::unavailable, kOthersChange, detail, {.undone = true}};
}

MongoError mongo_error(const _bson_error_t& error, const _bson_t* reply) {
  MongoError::Meaning meaning;
  if (reply) {
    meaning.undone = mongoc_error_has_label(reply, "TransientTransactionError");
    meaning.unknown = mongoc_error_has_label(reply, "UnknownTransactionCommitResult");
  }
  const auto made = [&](Errc code, const char* message) {
    return MongoError(code, message,
                      "MongoDB error " + std::to_string(error.code) + ": " + error.message, meaning,
                      error.domain == MONGOC_ERROR_SERVER ? error.code : 0);
  };
  if (is_refusal(error)) {
    meaning.unusable = true;
    return made(Errc::unavailable, "MongoDB refused the user or the password of MONGODB_URI");
  }
  if (error.domain == MONGOC_ERROR_SERVER_SELECTION) {
    meaning.unusable = true;
    return made(Errc::unavailable, "MongoDB can't be reached; try again");
  }
  if (is_network(error)) {
    meaning.network = true;
    return made(Errc::unavailable,
                "The connection to MongoDB was lost, or it was silent; try again");
  }
  if (is_unreadable(error)) {
    meaning.unknown = true;
    return made(Errc::unavailable, "MongoDB's reply can't be read; try again");
  }
  if (lacks_transactions(error)) {
    meaning.unusable = meaning.no_transactions = true;
    return made(Errc::unavailable, "The MongoDB server has no transactions any more; try again");
  }
  if (is_too_large(error)) {
    return made(Errc::too_large, "The memory is too large for MongoDB");
  }
  switch (error.code) {
    case kUnauthorized:
      meaning.unusable = meaning.forbidden = true;
      return made(Errc::unavailable,
                  "The user of MONGODB_URI lacks rights: give it readWrite on the database that "
                  "MONGODB_DB_NAME names");
    case kMaxTimeMsExpired:
      return made(Errc::deadline_exceeded, "MongoDB did not answer within MONGODB_TIMEOUT_MS");
    case kWriteConflict:
    case kNoSuchTransaction:
      meaning.undone = !meaning.unknown;
      return made(Errc::unavailable, kOthersChange);
    case kDuplicateKey:
      // Of an owner that two transactions count for the first time.
      meaning.undone = meaning.duplicate = true;
      return made(Errc::conflict, "Others store the same memories; try again");
    case kInvalidIndexSpecification:
    case kIndexOptionsConflict:
    case kIndexKeySpecsConflict:
      return made(Errc::unavailable,
                  "An index of MongoDB's collection is not as MaaS needs it; drop it, or choose "
                  "another MONGODB_COLLECTION_NAME");
    case kOutOfDiskSpace:
      return made(Errc::unavailable, "The disk of the MongoDB server is full: make room there");
    case kCommandNotFound:
    case kCommandNotSupported:
      return made(Errc::unavailable, "The MongoDB server lacks a command that MaaS needs");
    default:
      break;
  }
  if (meaning.undone || std::ranges::find(kPassing, error.code) != std::end(kPassing)) {
    return made(Errc::unavailable, "MongoDB can't serve at the moment; try again");
  }
  return made(Errc::internal, "Internal Server Error");
}

}  // namespace maas::ltm
