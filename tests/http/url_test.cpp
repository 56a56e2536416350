#include "http/url.hpp"

#include <gtest/gtest.h>

namespace maas::http {
namespace {

TEST(PercentDecode, GivesTheBytes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc%2f%00+"), std::string("a b/c/\0+", 8));
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("%E2%82%AC"), "€");
  EXPECT_EQ(percent_decode("%2525"), "%25");
}

TEST(PercentDecode, RefusesWhatIsNotTwoHexDigits) {
  for (const char* text : {"%", "%2", "%zz", "a%2", "%%20", "%2G", "% 20"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(PercentEncode, IsUndoneByDecoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string encoded = percent_encode(all);
  EXPECT_EQ(encoded.find_first_of("{}/: "), std::string::npos);
  EXPECT_EQ(percent_decode(encoded), all);
}

TEST(ParseQuery, CutsAndDecodes) {
  EXPECT_EQ(parse_query("a=1&b=x+y%26&&c&=z&a=2"),
            (Query{{"a", "1"}, {"b", "x y&"}, {"c", ""}, {"", "z"}, {"a", "2"}}));
  EXPECT_EQ(parse_query(""), Query{});
  EXPECT_EQ(parse_query("a=%"), std::nullopt);
  EXPECT_EQ(parse_query("%1=a"), std::nullopt);
}

TEST(SplitTarget, KnowsEveryFormOfTarget) {
  EXPECT_EQ(split_target("/a/b?c=d?e").path, "/a/b");
  EXPECT_EQ(split_target("/a/b?c=d?e").query, "c=d?e");
  EXPECT_EQ(split_target("http://host:1/a?b").path, "/a");
  EXPECT_EQ(split_target("http://host").path, "/");
  EXPECT_EQ(split_target("http://host?b").path, "/");
  EXPECT_EQ(split_target("http://host?b").query, "b");
  EXPECT_EQ(split_target("*").path, "*");
}

TEST(Authority, ReadsHostsAndPorts) {
  struct Case {
    std::string_view header;
    std::string_view host;
    std::optional<std::uint16_t> port;
  };
  const Case cases[] = {
      {"", "", std::nullopt},
      {"localhost", "localhost", std::nullopt},
      {" localhost:8000 ", "localhost", 8000},
      {"localhost:", "localhost", std::nullopt},
      {"localhost:65536", "localhost", std::nullopt},
      {"localhost:80x", "localhost", std::nullopt},
      {"[::1]", "::1", std::nullopt},
      {"[::1]:8000", "::1", 8000},
      {"[::1", "::1", std::nullopt},
      {"[", "", std::nullopt},
  };
  for (const auto& [header, host, port] : cases) {
    const Authority authority = parse_authority(header);
    EXPECT_EQ(authority.host, host) << header;
    EXPECT_EQ(authority.port, port) << header;
  }
}

TEST(Authority, IsWhereAUrlLeads) {
  struct Case {
    std::string_view url;
    std::string_view host;
    std::optional<std::uint16_t> port;
  };
  const Case cases[] = {
      {"https://api.openai.com/v1", "api.openai.com", 443},
      {"http://localhost:11434/v1/chat", "localhost", 11434},
      {"http://user:pass@host?query", "host", 80},
      {"http://[::1]:8000#part", "::1", 8000},
      {"", "", std::nullopt},
      {"localhost:80", "", std::nullopt},
  };
  for (const auto& [url, host, port] : cases) {
    const Authority authority = authority_of_url(url);
    EXPECT_EQ(authority.host, host) << url;
    EXPECT_EQ(authority.port, port) << url;
  }
}

}  // namespace
}  // namespace maas::http
