#include "config.hpp"

#include "core/error.hpp"
#include "settings.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace maas {
namespace {

std::string error_of(const Environment& environment) {
  try {
    load_config(environment);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Config, TakesTheLastValueOfAName) {
  const Config config = load_config({{"MAAS_PORT", "1"}, {"MAAS_PORT", "9000"}}).config;
  EXPECT_EQ(config.server.port, 9000);
}

TEST(Config, TakesAnEmptyValueAsTheDefault) {
  const Config config = load_config({{"MAAS_PORT", ""}, {"REDIS_URL", ""}}).config;
  EXPECT_EQ(config.server.port, 8000);
  EXPECT_TRUE(config.redis.url.empty());
}

TEST(Config, NamesEveryWrongValueAtOnce) {
  const std::string text = error_of({{"MAAS_PORT", "70000"},
                                     {"STM_MAX_TOKENS", "many"},
                                     {"STM_DEFAULT_STRATEGY", "newest"},
                                     {"MAAS_ACCESS_LOG_SAMPLE", "2"},
                                     {"REDIS_URL", "unix:///x"},
                                     {"STM_MAX_MESAGES", "3"}});
  for (const char* expected : {"MAAS_PORT '70000'", "0 to 65535", "STM_MAX_TOKENS 'many'",
                               "sliding_window | token_threshold", "MAAS_ACCESS_LOG_SAMPLE",
                               "Unix socket", "did you mean STM_MAX_MESSAGES?", "maas --help"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << " in " << text;
  }
}

TEST(Config, WarnsOfNamesThatNearlyAreSettings) {
  const auto loaded = load_config({{"STM_MAX_MESAGES", "3"}, {"PATH", "/bin"}, {"LANGUAGE", "en"}});
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_NE(loaded.warnings[0].find("STM_MAX_MESSAGES"), std::string::npos);
}

TEST(Config, RefusesToServeOtherMachinesWithoutKeys) {
  EXPECT_NE(error_of({{"MAAS_HOST", "0.0.0.0"}}).find("MAAS_ALLOW_ANONYMOUS"), std::string::npos);
  EXPECT_EQ(error_of({{"MAAS_HOST", "0.0.0.0"}, {"MAAS_API_KEYS", "a:b"}}), "");
  EXPECT_EQ(error_of({{"MAAS_HOST", "0.0.0.0"}, {"MAAS_ALLOW_ANONYMOUS", "true"}}), "");
  EXPECT_EQ(error_of({{"MAAS_HOST", "127.8.0.1"}}), "");
  EXPECT_EQ(error_of({{"MAAS_HOST", "::1"}}), "");
}

TEST(Config, KnowsTheLanguagesThatHaveAStemmer) {
  EXPECT_EQ(error_of({{"LTM_LANGUAGE", "german"}}), "");
  EXPECT_EQ(error_of({{"LTM_LANGUAGE", "de"}}), "");
  EXPECT_NE(error_of({{"LTM_LANGUAGE", "klingon"}}).find("LTM_LANGUAGE 'klingon'"),
            std::string::npos);
}

TEST(Config, ReadsKeysFromAFile) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "keys";
  std::ofstream(file) << "a:one\nb:two\n";
  EXPECT_EQ(error_of({{"MAAS_HOST", "0.0.0.0"}, {"MAAS_API_KEYS_FILE", file.string()}}), "");
  EXPECT_NE(error_of({{"MAAS_API_KEYS_FILE", "/nowhere"}}).find("/nowhere"), std::string::npos);
}

TEST(Settings, ShowNoSecret) {
  const Config config =
      load_config({{"MAAS_API_KEYS", "a:hidden1"}, {"REDIS_URL", "redis://user:hidden2@h:1/2"}})
          .config;
  const std::string shown = effective_settings(config);
  EXPECT_EQ(shown.find("hidden"), std::string::npos);
  EXPECT_NE(shown.find("MAAS_API_KEYS=***"), std::string::npos);
  EXPECT_NE(shown.find("REDIS_URL=redis://***@h:1/2"), std::string::npos);
}

TEST(Settings, ReadBackWhatTheyShow) {
  const Config defaults;
  for (const Setting& setting : settings()) {
    if (setting.show(defaults).empty()) continue;
    Config config;
    EXPECT_EQ(setting.set(config, setting.show(defaults)), std::nullopt) << setting.name;
    EXPECT_EQ(setting.show(config), setting.show(defaults));
  }
}

TEST(Settings, HaveDifferentNamesAndSayWhatTheyMean) {
  std::set<std::string> names;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_FALSE(setting.meaning.empty());
    EXPECT_NE(settings_help().find(setting.name), std::string::npos);
    EXPECT_NE(settings_markdown().find("`" + setting.name + "`"), std::string::npos);
  }
}

TEST(EnvFile, ReadsNamesAndValues) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / ".env";
  std::ofstream(file)
      << "# note\n\nA=1\nexport B = two words  # note\nC=\"x # y\"\nD='z'\nE=\nF=a#b\n";
  EXPECT_EQ(
      read_env_file(file),
      (Environment{
          {"A", "1"}, {"B", "two words"}, {"C", "x # y"}, {"D", "z"}, {"E", ""}, {"F", "a#b"}}));
}

TEST(EnvFile, NamesTheLineThatIsMalformed) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / ".env";
  for (const char* line : {"no value", "=x", "A=\"open"}) {
    std::ofstream(file) << "OK=1\n" << line << "\n";
    try {
      read_env_file(file);
      FAIL() << line;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos);
    }
  }
  EXPECT_THROW(read_env_file(directory.path() / "none"), Error);
}

}  // namespace
}  // namespace maas
