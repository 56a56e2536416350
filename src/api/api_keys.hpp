#pragma once

#include "http/types.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::api {

// Which key belongs to which tenant. Without keys everybody is the tenant "default".
class ApiKeys {
 public:
  // Lines or comma-separated entries "tenant:key"; blank ones and those that begin with '#' are
  // skipped. Throws Error{invalid_argument} that names the entry by its place, never by its text.
  static ApiKeys parse(std::string_view entries);

  bool empty() const { return keys_.empty(); }

  // The tenant of a request by its `Authorization: Bearer …` or `X-API-Key`. Throws
  // Error{unauthenticated}. Takes the same time for every wrong key.
  const std::string& tenant_of(const http::Request& request) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Entry {
    Digest digest;
    std::string tenant;
  };
  static Digest digest_of(std::string_view key);

  std::vector<Entry> keys_;
};

}  // namespace maas::api
