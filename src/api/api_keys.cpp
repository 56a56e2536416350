#include "api/api_keys.hpp"

#include "core/error.hpp"
#include "core/trimmed.hpp"
#include "text/utf8.hpp"

#include <boost/beast/core/string.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace maas::api {
namespace {

constexpr std::size_t kMaxTenantBytes = 256;

[[noreturn]] void refuse(int place, std::string_view why) {
  throw Error(Errc::invalid_argument,
              "API key entry " + std::to_string(place) + " " + std::string(why) +
                  "; entries have the form tenant:key, separated by commas or lines");
}

}  // namespace

ApiKeys::Digest ApiKeys::digest_of(std::string_view key) {
  Digest digest{};
  if (EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw Error(Errc::internal, "Internal Server Error", "OpenSSL offers no SHA-256");
  }
  return digest;
}

ApiKeys ApiKeys::parse(std::string_view entries) {
  ApiKeys keys;
  for (int place = 1; !entries.empty(); ++place) {
    const std::size_t end = std::min(entries.find_first_of(",\n"), entries.size());
    const std::string_view entry = trimmed(entries.substr(0, end));
    entries.remove_prefix(std::min(end + 1, entries.size()));
    if (entry.empty() || entry.starts_with('#')) continue;
    const std::size_t colon = entry.find(':');
    if (colon == entry.npos) refuse(place, "has no ':'");
    const std::string_view tenant = trimmed(entry.substr(0, colon));
    const std::string_view key = trimmed(entry.substr(colon + 1));
    if (tenant.empty()) refuse(place, "names no tenant");
    if (key.empty()) refuse(place, "has no key");
    if (tenant.size() > kMaxTenantBytes || !text::is_valid_utf8(tenant) ||
        text::has_control_characters(tenant)) {
      refuse(place, "has a tenant that is too long or holds control characters");
    }
    const Digest digest = digest_of(key);
    if (std::ranges::any_of(keys.keys_,
                            [&](const Entry& known) { return known.digest == digest; })) {
      refuse(place, "repeats the key of an earlier entry");
    }
    keys.keys_.push_back({digest, std::string(tenant)});
  }
  return keys;
}

const std::string& ApiKeys::tenant_of(const http::Request& request) const {
  static const std::string kDefaultTenant = "default";
  if (empty()) return kDefaultTenant;
  constexpr std::string_view kScheme = "Bearer ";
  std::string_view key = request.header("X-API-Key");
  const std::string_view authorization = request.header("Authorization");
  if (authorization.size() > kScheme.size() &&
      boost::beast::iequals(authorization.substr(0, kScheme.size()), kScheme)) {
    key = trimmed(authorization.substr(kScheme.size()));
  }
  if (key.empty()) {
    throw Error(Errc::unauthenticated,
                "An API key is needed: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'");
  }
  // Digests have one length, and all are compared, so that time tells nothing about the keys.
  const Digest digest = digest_of(key);
  const Entry* found = nullptr;
  for (const Entry& entry : keys_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) found = &entry;
  }
  if (!found) throw Error(Errc::unauthenticated, "The API key is not known here");
  return found->tenant;
}

}  // namespace maas::api
