#include "http/gzip.hpp"

#include <gtest/gtest.h>

namespace maas::http {
namespace {

TEST(AcceptsGzip, FollowsTheQualityValues) {
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip;q=0.5", "*", "*;q=0.1",
                          "gzip;q=1.0, *;q=0", "br, gzip ; q=0.001"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const char* no :
       {"", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzi"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

TEST(Gzip, IsUndoneByGunzip) {
  std::string large;
  for (int i = 0; i < 100'000; ++i) large += std::to_string(i * 7919);
  for (const std::string& text : {std::string(), std::string("a"), large}) {
    EXPECT_EQ(gunzip(gzip(text)), text);
  }
  EXPECT_LT(gzip(large).size(), large.size());
}

TEST(Gunzip, RefusesWhatIsNotWhole) {
  const std::string whole = gzip("hello hello hello");
  EXPECT_THROW(gunzip(whole.substr(0, whole.size() - 4)), std::runtime_error);
  EXPECT_THROW(gunzip("hello"), std::runtime_error);
}

}  // namespace
}  // namespace maas::http
