#include "stm/redis_url.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

namespace maas::stm {
namespace {

TEST(RedisUrl, HasDefaultsForAllButTheHost) {
  const RedisUrl url = parse_redis_url("redis://cache.example");
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.host, "cache.example");
  EXPECT_EQ(url.port, "6379");
  EXPECT_EQ(url.database, 0);
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.password, "");
}

TEST(RedisUrl, ReadsEveryPart) {
  const RedisUrl url = parse_redis_url("rediss://an%40na:p%2Fw%3A1@[::1]:7000/12");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.user, "an@na");
  EXPECT_EQ(url.password, "p/w:1");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, "7000");
  EXPECT_EQ(url.database, 12);
}

TEST(RedisUrl, TakesAPasswordWithoutUserAndASlashWithoutDatabase) {
  const RedisUrl url = parse_redis_url("redis://:se:cr@et@h/");
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.password, "se:cr@et");
  EXPECT_EQ(url.host, "h");
  EXPECT_EQ(url.database, 0);
}

class RefusedRedisUrl : public testing::TestWithParam<const char*> {};

TEST_P(RefusedRedisUrl, IsRefusedWithoutRepeatingThePassword) {
  try {
    parse_redis_url(GetParam());
    FAIL() << GetParam();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("redis://[user]"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RefusedRedisUrl,
                         testing::Values("", "localhost:6379", "http://h", "redis://",
                                         "redis://:secret@", "redis://:secret@h1,h2",
                                         "redis+sentinel://:secret@h/0/mymaster",
                                         "redis-cluster://h", "unix:///run/redis.sock",
                                         "redis://h:port", "redis://h:70000", "redis://h:-1",
                                         "redis://h/db", "redis://h/-1", "redis://h/0?x=1",
                                         "redis://u:%zzsecret@h", "redis://::1", "redis://::1",
                                         "redis://[::1", "redis://[::1]x"));

}  // namespace
}  // namespace maas::stm
