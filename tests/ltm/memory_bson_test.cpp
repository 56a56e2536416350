#include "ltm/memory_bson.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace maas::ltm {
namespace {

using namespace std::chrono_literals;

const VectorSpace kSpace{.model = "model", .dims = 3};
const llm::Vector kVector{0.1f, -1.0f / 3, std::numeric_limits<float>::min()};

Memory full() {
  return {.id = "id",
          .scope = {"u", "a\"$.", "s"},
          .category = Category::preference,
          .text = std::string("tea\0 ü", 7),
          .metadata = R"({"a.b":{"$c":1}})",
          .speaker = "Ann",
          .created_at = Timestamp(1'600'000'000'123'456us),
          .updated_at = Timestamp(-1us),
          .expires_at = Timestamp(std::chrono::microseconds(9'000'000'000'000'001)),
          .version = 3,
          .sequence = 1ll << 40};
}

void expect_same(const Memory& a, const Memory& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.scope, b.scope);
  EXPECT_EQ(a.category, b.category);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.speaker, b.speaker);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.updated_at, b.updated_at);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.sequence, b.sequence);
}

TEST(MemoryBson, GivesBackEveryFieldAsItWas) {
  const Document document = memory_document("t", full(), "digest", 7, kVector, kSpace);
  expect_same(memory_of(document.get()), full());
  const MemoryRow row = row_of(document.get(), kSpace);
  expect_same(row.memory, full());
  EXPECT_EQ(row.vector, kVector);
  EXPECT_EQ(owned_memory_of(document.get()).tenant, "t");
  EXPECT_EQ(number_field(document.get(), "change"), 7);
  EXPECT_EQ(text_field(document.get(), "digest"), hexadecimal("digest"));
}

TEST(MemoryBson, LeavesOutWhatIsNotThere) {
  Memory memory{.id = "id", .scope = {.user_id = "u"}, .text = ""};
  const Document document = memory_document("t", memory, "", 1, {}, kSpace);
  const MemoryRow row = row_of(document.get(), kSpace);
  expect_same(row.memory, memory);
  EXPECT_TRUE(row.vector.empty());
  for (const char* absent :
       {"agent_id", "speaker", "metadata", "unprocessed", "model", "embedding"}) {
    EXPECT_EQ(document.json().find(absent), std::string::npos) << absent;
  }
}

TEST(MemoryBson, GivesALifeWithoutEndTheGreatestNumber) {
  const Memory memory{.id = "id", .scope = {.user_id = "u"}, .text = "tea"};
  const Document document = memory_document("t", memory, "", 1, {}, kSpace);
  EXPECT_EQ(number_field(document.get(), "expires_at"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(memory_of(document.get()).expires_at, std::nullopt);
}

TEST(MemoryBson, ReadsNoVectorOfAnotherSpace) {
  const Document document = memory_document("t", full(), "", 1, kVector, kSpace);
  EXPECT_TRUE(row_of(document.get(), {.model = "another", .dims = 3}).vector.empty());
  EXPECT_TRUE(row_of(document.get(), {.model = "model", .dims = 4}).vector.empty());
  EXPECT_TRUE(row_of(document.get(), {}).vector.empty());
}

TEST(MemoryBson, StoresNoVectorWithoutAModel) {
  const Document document = memory_document("t", full(), "", 1, kVector, {});
  EXPECT_EQ(document.json().find("embedding"), std::string::npos);
}

TEST(MemoryBson, MarksWhatWaitsForTheModel) {
  Memory memory = full();
  memory.metadata = R"({"unprocessed":true})";
  const Document document = memory_document("t", memory, "", 1, {}, kSpace);
  EXPECT_NE(document.json().find(R"("unprocessed" : true)"), std::string::npos);
  memory.metadata = R"({"unprocessed":false})";
  const Document update = memory_update(memory, "", 2, std::nullopt, kSpace);
  EXPECT_NE(update.json().find(R"("$unset" : { "unprocessed" : "" })"), std::string::npos);
}

TEST(MemoryBson, TakesAwayWhatAnUpdateLeavesOut) {
  const Memory memory{.id = "id", .scope = {.user_id = "u"}, .text = "tea", .version = 2};
  const std::string json = memory_update(memory, "d", 5, llm::Vector{}, kSpace).json();
  const std::string unset = json.substr(json.find("$unset"));
  for (const char* key : {"speaker", "metadata", "unprocessed", "model", "embedding"}) {
    EXPECT_NE(unset.find(key), std::string::npos) << key;
  }
  EXPECT_EQ(json.find("user_id"), std::string::npos) << "a memory stays with its owner";
  const std::string kept = memory_update(memory, "d", 5, std::nullopt, kSpace).json();
  EXPECT_EQ(kept.find("embedding"), std::string::npos);
}

TEST(MemoryBson, NamesNoTwoTenantsMemoriesAlike) {
  EXPECT_NE(document_id("t", "1id"), document_id("t1", "id"));
  EXPECT_NE(document_id("", "id"), document_id("i", "d"));
}

TEST(MemoryBson, TellsAHistoryOnce) {
  const Memory memory = full();
  const std::string old_text = "old", new_text = "new";
  const Timestamp time{5us};
  const Document update =
      history_document("t", memory, &old_text, &new_text, Event::update, time, 9);
  const HistoryEntry entry = history_entry_of(update.get());
  EXPECT_EQ(entry.memory_id, "id");
  EXPECT_EQ(entry.old_text, "old");
  EXPECT_EQ(entry.new_text, "new");
  EXPECT_EQ(entry.event, Event::update);
  EXPECT_EQ(entry.created_at, memory.created_at);
  EXPECT_EQ(entry.updated_at, time);
  const auto id_of = [](const Document& document) { return text_field(document.get(), "_id"); };
  EXPECT_EQ(id_of(update),
            id_of(history_document("t", memory, &old_text, &new_text, Event::update, time, 10)));
  const Document removal =
      history_document("t", memory, &new_text, nullptr, Event::remove, time, 10);
  EXPECT_NE(id_of(update), id_of(removal));
  EXPECT_EQ(history_entry_of(removal.get()).new_text, std::nullopt);
}

TEST(MemoryBson, RefusesWhatItDidNotWrite) {
  Document foreign;
  foreign.set("_id", 1).set("name", "somebody else's");
  EXPECT_THROW(memory_of(foreign.get()), Error);
}

}  // namespace
}  // namespace maas::ltm
