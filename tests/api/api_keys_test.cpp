#include "api/api_keys.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

namespace maas::api {
namespace {

http::Request with(std::string_view name, std::string_view value) {
  http::Request request;
  request.headers.push_back({name, value});
  return request;
}

TEST(ApiKeys, GiveTheTenantOfEitherHeader) {
  const ApiKeys keys = ApiKeys::parse("a:one, b:t:wo\n# note\n\nc: three \r\n");
  EXPECT_EQ(keys.tenant_of(with("Authorization", "Bearer one")), "a");
  EXPECT_EQ(keys.tenant_of(with("authorization", "bearer t:wo")), "b");
  EXPECT_EQ(keys.tenant_of(with("X-API-Key", "three")), "c");
}

TEST(ApiKeys, RefuseEverythingElse) {
  const ApiKeys keys = ApiKeys::parse("a:one");
  EXPECT_THROW(keys.tenant_of({}), Error);
  EXPECT_THROW(keys.tenant_of(with("Authorization", "Basic one")), Error);
  EXPECT_THROW(keys.tenant_of(with("Authorization", "Bearer ")), Error);
  EXPECT_THROW(keys.tenant_of(with("Authorization", "Bearer onE")), Error);
  EXPECT_THROW(keys.tenant_of(with("X-API-Key", "a:one")), Error);
}

TEST(ApiKeys, AreNotAskedForWhenThereAreNone) {
  EXPECT_EQ(ApiKeys::parse(" , \n#x").tenant_of({}), "default");
}

TEST(ApiKeys, NameAMalformedEntryByItsPlaceOnly) {
  for (const char* entries : {"a:b,secret", "a:b,:secret", "a:b,secret:", "a:b,c:b"}) {
    try {
      ApiKeys::parse(entries);
      FAIL() << entries;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("entry 2"), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace maas::api
