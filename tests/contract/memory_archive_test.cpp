// The contract of MemoryArchive, on every engine: what an export tells is what an import brings.
#include "ltm/archive_line.hpp"
#include "memory_store_contract.hpp"

#include <iterator>
#include <map>
#include <utility>

namespace maas::ltm {
namespace {

const VectorSpace kSpace{.model = "model", .dims = kDims};

std::vector<ArchivedMemory> read_all(MemoryArchive& archive, std::size_t page = 1000) {
  std::vector<ArchivedMemory> all;
  ArchivePosition position;
  while (true) {
    ArchivePart part = archive.read(position, page);
    if (part.memories.empty()) return all;
    EXPECT_LE(part.memories.size(), page);
    std::ranges::move(part.memories, std::back_inserter(all));
    position = part.last;
  }
}

Texts lines_of(const std::vector<ArchivedMemory>& memories) {
  Texts lines;
  for (const ArchivedMemory& each : memories) lines.push_back(archive_line(each));
  return lines;
}

Texts sorted(Texts texts) {
  std::ranges::sort(texts);
  return texts;
}

class MemoryArchiveContract : public MemoryStoreContract {
 protected:
  // Memories of all kinds: of two tenants and three scopes, with metadata, changed, removed,
  // expired.
  void fill() {
    for (int i = 0; i < 7; ++i) add("tea " + std::to_string(i));
    add("coffee", {.user_id = "u", .agent_id = "a", .session_id = "s"});
    add(said("cocoa"), "another tenant");
    NewMemory rich = said("lemonade", {.agent_id = "a"});
    rich.memory.category = Category::preference;
    rich.memory.metadata = R"({"sweet":true,"pieces":[1,2.5,"three",null]})";
    add(std::move(rich));
    const MemoryPtr changed = add("water");
    update(update(changed, "juice"), "juice of apples");
    remove(add("milk")->id);
    add(mortal("melting ice", 1s));
    engine_->pass(2s);
  }

  std::unique_ptr<MemoryArchive> archive() { return engine_->archive(kSpace); }
};

TEST_P(MemoryArchiveContract, TellsTheSameInPagesOfAnySize) {
  fill();
  const auto archive = this->archive();
  const Texts whole = lines_of(read_all(*archive));
  EXPECT_EQ(whole.size(), 13u);
  for (const std::size_t page : {1, 2, 5, 13}) EXPECT_EQ(lines_of(read_all(*archive, page)), whole);
}

TEST_P(MemoryArchiveContract, TellsWhatMemoriesAreAndWere) {
  fill();
  std::map<std::string, ArchivedMemory> by_text;
  for (ArchivedMemory& each : read_all(*archive())) {
    by_text[each.is_gone ? "gone" : each.memory.text] = std::move(each);
  }
  EXPECT_EQ(by_text.at("cocoa").tenant, "another tenant");
  EXPECT_EQ(by_text.at("tea 3").vector, vector_of("tea 3")) << "bit for bit";
  EXPECT_EQ(by_text.at("tea 3").model, "model");
  EXPECT_TRUE(by_text.at("melting ice").memory.expires_at);
  const ArchivedMemory& changed = by_text.at("juice of apples");
  EXPECT_EQ(changed.memory.version, 3);
  ASSERT_EQ(changed.history.size(), 3u);
  EXPECT_EQ(changed.history.front().event, Event::add);
  EXPECT_EQ(changed.history.back().new_text, "juice of apples");
  ASSERT_EQ(by_text.at("gone").history.size(), 2u);
  EXPECT_EQ(by_text.at("gone").history.back().event, Event::remove);
}

TEST_P(MemoryArchiveContract, BringsEverythingToAnEmptyEngineOfEitherKind) {
  fill();
  const std::vector<ArchivedMemory> all = read_all(*archive());
  for (const std::string& kind : {GetParam(), std::string("sqlite")}) {
    const auto other = make_engine(kind);
    other->pass(engine_->time() - other->time());
    const auto there = other->archive(kSpace);
    const Imported once = there->write(all);
    EXPECT_EQ(std::pair(once.stored, once.unvectored), std::pair(all.size(), 0ul));
    EXPECT_EQ(sorted(lines_of(read_all(*there))), sorted(lines_of(all)));
    const Imported again = there->write(all);
    EXPECT_EQ(std::pair(again.stored, again.known), std::pair(0ul, all.size()));
    EXPECT_EQ(sorted(lines_of(read_all(*there))), sorted(lines_of(all)));

    const auto store = other->store("model");
    const auto listed = other->running.run(store->list("t", user_, first(kEverything)));
    EXPECT_EQ(texts_of(listed), texts());
    const SearchQuery query{.text = "tea", .vector = vector_of("tea"), .limit = kEverything};
    const auto hits = other->running.run(store->search("t", user_, query));
    EXPECT_EQ(sorted(texts_of_hits(hits)),
              sorted(texts_of_hits(run(store_->search("t", user_, query)))));
    other->running.loops.abort();
  }
}

TEST_P(MemoryArchiveContract, LeavesWhatIsThereAndTellsWhichIsNewer) {
  fill();
  const std::vector<ArchivedMemory> before = read_all(*archive());
  const auto other = make_engine(GetParam());
  other->archive(kSpace)->write(before);
  const MemoryPtr changed = list().front();
  update(changed, "changed since");
  remove(list().back()->id);
  const std::vector<ArchivedMemory> after = read_all(*archive());

  const Imported older = archive()->write(before);
  EXPECT_EQ(std::pair(older.kept, older.known), std::pair(2ul, before.size() - 2));
  EXPECT_EQ(lines_of(read_all(*archive())), lines_of(after));

  const Imported newer = other->archive(kSpace)->write(after);
  EXPECT_EQ(std::pair(newer.newer, newer.known), std::pair(2ul, before.size() - 2));
  EXPECT_EQ(sorted(lines_of(read_all(*other->archive(kSpace)))), sorted(lines_of(before)));
  other->running.loops.abort();
}

TEST_P(MemoryArchiveContract, GoesOnBehindAnyMemory) {
  fill();
  const auto archive = this->archive();
  const std::vector<ArchivedMemory> all = read_all(*archive);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto position = archive->position_of(archived_memory(archive_line(all[i])));
    ASSERT_TRUE(position) << i;
    Texts rest;
    for (ArchivePart part = archive->read(*position, 4); !part.memories.empty();
         part = archive->read(part.last, 4)) {
      std::ranges::move(lines_of(part.memories), std::back_inserter(rest));
    }
    EXPECT_EQ(rest, lines_of({all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()})) << i;
  }
  ArchivedMemory unknown = all.front();
  unknown.memory.id = make_id();
  EXPECT_FALSE(archive->position_of(unknown));
}

TEST_P(MemoryArchiveContract, LeavesOutVectorsThatItsModelCanNotCompare) {
  fill();
  std::vector<ArchivedMemory> all = read_all(*archive());
  std::erase_if(all, [](const ArchivedMemory& each) { return each.is_gone; });
  const auto other = make_engine(GetParam());
  const auto there = other->archive({.model = "another", .dims = kDims / 2});
  const Imported imported = there->write(all);
  EXPECT_EQ(std::pair(imported.stored, imported.unvectored), std::pair(all.size(), all.size()));
  for (const ArchivedMemory& each : read_all(*there)) EXPECT_TRUE(each.vector.empty());
  other->running.loops.abort();
}

INSTANTIATE_TEST_SUITE_P(Engines, MemoryArchiveContract,
                         testing::Values("sqlite", "mongodb", "mongodb_without_transactions",
                                         "documentdb", "atlas"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace maas::ltm
