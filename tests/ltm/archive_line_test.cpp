#include "ltm/archive_line.hpp"

#include <boost/algorithm/string/replace.hpp>
#include <gtest/gtest.h>

namespace maas::ltm {
namespace {

using namespace std::chrono_literals;

ArchivedMemory full() {
  return {.tenant = "t",
          .memory = {.id = "id",
                     .scope = {.user_id = "u", .agent_id = "a", .session_id = "s"},
                     .category = Category::fact,
                     .text = std::string("tea\0 \"\n", 7),
                     .metadata = R"({"b":1,"a":[0.5,null]})",
                     .speaker = "Nora",
                     .created_at = Timestamp(1'234'567us),
                     .updated_at = Timestamp(2'000'000us),
                     .expires_at = Timestamp(9'000'000'000'000'001us),
                     .version = 2},
          .model = "model",
          .vector = {.6f, -.8f},
          .history = {{.id = "h1",
                       .memory_id = "id",
                       .old_text = {},
                       .new_text = "coffee",
                       .event = Event::add,
                       .created_at = Timestamp(1'234'567us),
                       .updated_at = Timestamp(1'234'567us)},
                      {.id = "h2",
                       .memory_id = "id",
                       .old_text = "coffee",
                       .new_text = "tea",
                       .event = Event::update,
                       .created_at = Timestamp(1'234'567us),
                       .updated_at = Timestamp(2'000'000us)}}};
}

void expect_bad(const std::string& line, std::string_view what) {
  try {
    archived_memory(line);
    ADD_FAILURE() << "taken: " << line;
  } catch (const BadLine& error) {
    EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
  }
}

std::string changed(std::string_view from, std::string_view to) {
  const std::string line = archive_line(full());
  EXPECT_NE(line.find(from), std::string::npos) << from << " in " << line;
  return boost::algorithm::replace_first_copy(line, from, to);
}

TEST(ArchiveLine, TellsEverythingOfAMemory) {
  const ArchivedMemory before = full();
  const ArchivedMemory after = archived_memory(archive_line(before));
  EXPECT_EQ(after.tenant, before.tenant);
  EXPECT_FALSE(after.is_gone);
  EXPECT_EQ(after.memory.id, before.memory.id);
  EXPECT_EQ(after.memory.scope, before.memory.scope);
  EXPECT_EQ(after.memory.category, before.memory.category);
  EXPECT_EQ(after.memory.text, before.memory.text);
  EXPECT_EQ(after.memory.speaker, before.memory.speaker);
  EXPECT_EQ(after.memory.created_at, before.memory.created_at);
  EXPECT_EQ(after.memory.updated_at, before.memory.updated_at);
  EXPECT_EQ(after.memory.expires_at, before.memory.expires_at);
  EXPECT_EQ(after.memory.version, before.memory.version);
  EXPECT_EQ(after.model, before.model);
  EXPECT_EQ(after.vector, before.vector);
  ASSERT_EQ(after.history.size(), 2u);
  EXPECT_EQ(after.history[1].id, "h2");
  EXPECT_EQ(after.history[1].memory_id, "id");
  EXPECT_EQ(after.history[1].event, Event::update);
  EXPECT_EQ(after.history[0].old_text, std::nullopt);
  EXPECT_EQ(after.history[1].old_text, "coffee");
  EXPECT_EQ(after.history[1].updated_at, Timestamp(2'000'000us));
  EXPECT_EQ(archive_line(after), archive_line(before)) << "the same bytes for the same memory";
}

TEST(ArchiveLine, IsOneLineWhateverTheMemoryHolds) {
  EXPECT_EQ(archive_line(full()).find('\n'), std::string::npos);
  ArchivedMemory spaced = full();
  spaced.memory.metadata = "{\n  \"a\": 1\n}";
  EXPECT_EQ(archive_line(spaced).find('\n'), std::string::npos);
}

TEST(ArchiveLine, KeepsMetadataAsDeepAndNumbersAsExactAsRequestsDo) {
  const auto kept = [](const std::string& metadata) {
    ArchivedMemory memory = full();
    memory.memory.metadata = metadata;
    return archived_memory(archive_line(memory)).memory.metadata;
  };
  const std::string numbers =
      R"({"a":[9.715278068976325E1,3.9719040025717467E6],"b":-9007199254740993,)"
      R"("c":18446744073709551615,"d":-0E0})";
  EXPECT_EQ(kept(numbers), numbers);
  // The metadata are an object in an object: so deep a request may be.
  const std::size_t depth = 126;
  const std::string deep = R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  EXPECT_EQ(kept(deep), deep);
}

TEST(ArchiveLine, TellsTheHistoryAloneOfWhatIsGone) {
  ArchivedMemory gone = full();
  gone.is_gone = true;
  gone.history.back().event = Event::remove;
  const ArchivedMemory after = archived_memory(archive_line(gone));
  EXPECT_TRUE(after.is_gone);
  EXPECT_EQ(after.memory.id, "id");
  EXPECT_EQ(after.memory.text, "");
  EXPECT_EQ(after.history.size(), 2u);
}

TEST(ArchiveLine, LeavesOutWhatIsNotThere) {
  const ArchivedMemory plain{.tenant = "t",
                             .memory = {.id = "id", .scope = {.user_id = "u"}, .text = "tea"}};
  EXPECT_EQ(archive_line(plain),
            R"({"tenant":"t","id":"id","user_id":"u","category":"semantic","memory":"tea",)"
            R"("created_at":"1970-01-01T00:00:00+00:00","updated_at":"1970-01-01T00:00:00+00:00",)"
            R"("version":1,"history":[]})");
}

TEST(ArchiveLine, RefusesWhatIsNoMemory) {
  expect_bad("", "no JSON");
  expect_bad("{", "no JSON");
  expect_bad("[]", "no object");
  expect_bad("{\"tenant\":\"\xff\"}", "no JSON");
  expect_bad("{}", "'tenant' of the memory is missing");
  expect_bad(changed(R"("tenant":"t")", R"("tenant":"")"), "'tenant' of the memory is missing");
  expect_bad(changed(R"("id":"id")", R"("id":7)"), "'id' of the memory is no text");
  expect_bad(changed(R"("category":"fact")", R"("category":"joke")"), "'category'");
  expect_bad(changed(R"("version":2)", R"("version":0)"), "'version'");
  expect_bad(changed(R"("version":2)", R"("version":2,"colour":"red")"), "'colour'");
  expect_bad(changed(R"("created_at":"1970)", R"("created_at":"in 1970)"), "'created_at'");
  expect_bad(changed(R"("metadata":{"b":1,)", R"("metadata":[{"b":1}],"x":{)"), "'x'");
  expect_bad(changed(R"("event":"ADD")", R"("event":"BORN")"), "'event' of a history entry");
  expect_bad(changed(R"("history":[)", R"("history":7,"h":[)"), "'h'");
  expect_bad(changed(R"("model":"model",)", ""), "'model'");
  expect_bad(changed(R"("user_id":"u","agent_id":"a","session_id":"s",)", ""), "owners");
}

TEST(ArchiveLine, AllowsNoMoreThanRequestsDo) {
  const std::string longest(256, 'x');
  for (const std::string key : {"tenant", "id", "user_id", "agent_id", "session_id"}) {
    const std::string told = key == "tenant" ? "t" : key == "id" ? "id" : key.substr(0, 1);
    const std::string from = '"' + key + R"(":")" + told + '"';
    const auto with = [&](const std::string& id) {
      return changed(from, '"' + key + R"(":")" + id + '"');
    };
    EXPECT_NO_THROW(archived_memory(with(longest)));
    expect_bad(with(longest + "x"), "'" + key + "' of the memory is longer than 256 bytes");
    expect_bad(with("a\\u0001b"), "'" + key + "' of the memory holds control characters");
  }
  expect_bad(changed(R"("id":"h1")", R"("id":"\n")"), "'id' of a history entry");
  expect_bad(changed(R"("memory":"tea\u0000 \"\n")", R"("memory":" \n")"), "is blank");
  EXPECT_NO_THROW(archived_memory(changed(R"("version":2)", R"("version":9007199254740992)")));
  expect_bad(changed(R"("version":2)", R"("version":9007199254740993)"), "'version'");
}

TEST(ArchiveLine, RefusesToLoseAMemoryWithoutATrace) {
  ArchivedMemory gone = full();
  gone.is_gone = true;
  expect_bad(archive_line(gone), "its history does not end with DELETE");
}

TEST(ArchiveLine, RefusesVectorsThatCanNotBeCompared) {
  const auto with = [](llm::Vector vector) {
    ArchivedMemory memory = full();
    memory.vector = std::move(vector);
    return archive_line(memory);
  };
  expect_bad(changed(R"("vector":")", R"("vector":"***)"), "base64");
  expect_bad(with({3, 4}), "not of length 1");
  expect_bad(with({std::numeric_limits<float>::quiet_NaN(), 1}), "not of length 1");
  expect_bad(with({0, 0}), "not of length 1");
}

TEST(ArchiveLine, KnowsItsFormat) {
  EXPECT_EQ(archive_format(kArchiveHead), 2);
  EXPECT_EQ(archive_format(R"({"maas_export":1})"), kUnclosedFormat);
  EXPECT_THROW(archive_format(R"({"maas_export":3})"), BadLine);
  EXPECT_THROW(archive_format(R"({"maas_export":0})"), BadLine);
  EXPECT_THROW(archive_format(archive_line(full())), BadLine);
  EXPECT_THROW(archive_format(archive_end(1)), BadLine);
  EXPECT_THROW(archive_format("id,text"), BadLine);
}

TEST(ArchiveLine, TellsAtTheEndHowManyThereWere) {
  EXPECT_EQ(archive_end(400), R"({"total":400})");
  EXPECT_EQ(archive_total(archive_end(0)), 0u);
  EXPECT_EQ(archive_total(archive_end(123'456'789'012)), 123'456'789'012u);
  EXPECT_EQ(archive_total(R"( { "total" : 4 } )"), 4u);
  for (const std::string other :
       {"", "{", "{}", R"({"total":40)", R"({"total":-1})", R"({"total":"4"})", R"({"total":.5})",
        R"({"total":4,"id":"id"})", R"([{"total":4}])", R"({"maas_export":2})"}) {
    EXPECT_EQ(archive_total(other), std::nullopt) << other;
  }
  EXPECT_EQ(archive_total(archive_line(full())), std::nullopt);
  EXPECT_EQ(archive_total(std::string(1000, ' ') + archive_end(4)), std::nullopt);
}

TEST(ArchiveLine, BeginsTheSameForOneMemoryAsItWasAndAsItIs) {
  ArchivedMemory memory = full();
  memory.tenant = R"(a","id":"b\)";
  memory.memory.id = R"("c\\")";
  const std::string line = archive_line(memory);
  const ArchiveKey as_it_was = archive_key(line);
  EXPECT_EQ(as_it_was.key, R"({"tenant":"a\",\"id\":\"b\\","id":"\"c\\\\\"")");
  EXPECT_FALSE(as_it_was.is_gone);
  memory.is_gone = true;
  const std::string gone = archive_line(memory);
  EXPECT_EQ(archive_key(gone).key, as_it_was.key);
  EXPECT_TRUE(archive_key(gone).is_gone);
  for (const std::string_view other :
       {std::string_view(line).substr(0, as_it_was.key.size() - 1), kArchiveHead,
        std::string_view(R"({"tenant":)"), std::string_view(R"({"tenant":"t","ID":"id"})")}) {
    EXPECT_EQ(archive_key(other).key, "") << other;
  }
}

TEST(ArchiveLine, StaysInItsPlaceWhenLinesAreSorted) {
  const std::string line = archive_line(full());
  EXPECT_LT(kArchiveHead, line);
  EXPECT_LT(line, archive_end(0));
}

}  // namespace
}  // namespace maas::ltm
