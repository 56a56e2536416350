"""What a search by words finds, how it ranks, and what it tells about that."""

import pytest
from support.memories import CATEGORIES, HOUR, LONG_AGO, MEMORY_FIELDS, Memories, Vocabulary, ids, seconds, texts, \
    unique
from support.sessions import message

DAY = 24 * HOUR
OTHERS = ("The train leaves at nine", "Our neighbour paints fences", "Bread needs flour and salt")
EXPLANATION = {"cosine", "cosine_rank", "lexical", "lexical_rank", "recency", "fused", "matched_terms"}


@pytest.mark.parametrize(("text", "query"), [
    ("I moved to Lisbon", "Lisbon"), ("I moved to Lisbon", "lisbon"), ("I moved to LISBON", "Which town? Lisbon!"),
    ("I was running in the park", "run"), ("She runs every day", "running"), ("My two cats sleep", "cat"),
    ("We adopted a kitten", "adopting kittens"), ("I went to the museum", "go to a museum"), ("Two children", "child"),
    ("The mice ate the cheese", "mouse"), ("Ana's violin is old", "Ana"), ("I don't eat peanuts", "peanut"),
    ("A table at the restaurant", "resturant"),
    ("I plan my birthday", "brithday"), ("The photographer came", "photograper"),
    ("We bought a new dishwasher", "dishwasher"), ("My number is 555-0199", "0199"), ("Ｌｉｓｂｏｎ is fine", "lisbon"),
    ("I play the 🎸 in a band", "🎸"), ("crème brûlée", "crème"),
    ("C++ is compiled", "C++"), ("To be, or not to be", "to be"),
    ("Read section 7b of it", "7b"), ("naïve e\u0301tude", "étude"), ("x", "x"), ("the file a_b.txt", "a_b.txt"),
])
def test_a_memory_is_found_by(memories, text, query):
    stored = memories.apart(text, *OTHERS)
    assert ids(memories.search(query))[:1] == [stored[0]["id"]]


@pytest.mark.parametrize("query", ["zebra", "quantum physics", "🎹", "東京", "12345", "?!", "🏳️‍🌈…"])
def test_what_matches_nothing_finds_nothing(memories, query):
    memories.apart(*OTHERS)
    assert memories.search(query) == []


def test_an_empty_scope_finds_nothing(memories):
    assert memories.ask("anything") == {"results": []}


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
def test_without_a_body_nothing_is_found(ltm_client, headers):
    reply = ltm_client.post("/ltm/memories/search", headers=headers)
    assert (reply.status_code, reply.json()) == (200, {"results": []})


# Scores, thresholds and limits.

@pytest.fixture
def graded(memories):
    """Forty memories that share ever fewer words with the query."""
    words = Vocabulary(1).words(8)
    memories.apart(*(" ".join(words[:1 + number % 8]) + f" {number}" for number in range(40)))
    return memories, " ".join(words)


def test_scores_lie_in_0_to_1_and_fall(graded):
    memories, query = graded
    scores = [result["score"] for result in memories.search(query)]
    assert len(scores) == 40
    assert all(0 < score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 3


@pytest.mark.parametrize("threshold", [0, 0.05, 0.2, 0.4, 0.6, 0.8, 1])
def test_a_threshold_cuts_by_score(graded, threshold):
    memories, query = graded
    everything = memories.search(query)
    assert memories.search(query, threshold=threshold) == [
        result for result in everything if result["score"] >= threshold]


@pytest.mark.parametrize("limit", [0, 1, 5, 39, 40, 41, 1000])
def test_a_limit_takes_the_best(graded, limit):
    memories, query = graded
    assert memories.search(query, limit=limit) == memories.search(query)[:limit]


def test_without_a_limit_a_hundred_are_found(memories):
    memories.remember(*(f"the same word {number}" for number in range(130)))
    assert len(memories.search("word")) == len(memories.search("word", limit=None)) == 100
    assert len(memories.search("word", limit=1000)) == 130


def test_equal_scores_stand_newest_first(memories):
    stored = memories.apart(*(f"violin {word}" for word in Vocabulary(2).words(6)))
    found = memories.search("violin")
    assert len({result["score"] for result in found}) == 1
    assert ids(found) == ids(stored)[::-1]


def test_the_same_search_gives_the_same_answer(graded):
    memories, query = graded
    assert memories.ask(query) == memories.ask(query)


def test_rare_words_weigh_more_than_common_ones(memories):
    memories.apart("green tea", *(f"green {word}" for word in Vocabulary(3).words(10)), "black tea")
    found = memories.found("green tea")
    assert len(found) == 12
    assert found[:2] == ["green tea", "black tea"]


# Categories and filters.

def test_categories_are_looked_at_before_ranking(memories):
    for category in CATEGORIES:
        memories.apart(*(f"violin {category} {number}" for number in range(3)), category=category)
    for wanted in (["fact"], ["fact", "semantic"], ["preference", "preference"], list(CATEGORIES)):
        found = memories.search("violin", categories=wanted)
        assert {result["category"] for result in found} == set(wanted)
        assert len(found) == 3 * len(set(wanted))
    for everything in ([], None):
        assert len(memories.search("violin", categories=everything)) == 12


def test_filters_are_looked_at_before_ranking(memories):
    memories.remember(*(f"violin violin violin {number}" for number in range(200)))
    weak = memories.store("somewhere in this long text about many other things stands the word violin once",
                          metadata={"weak": True})
    for narrowed in ({"filters": {"metadata.weak": True}}, {"filters": {"memory": {"contains": "somewhere"}}}):
        assert ids(memories.search("violin", limit=1, **narrowed)) == [weak["id"]]


# Recency.

@pytest.fixture
def old_and_new(memories):
    """The older memory says it better."""
    now = seconds(memories.store("nothing of it")["created_at"])
    old = memories.store("violin violin violin", timestamp=now - 400 * DAY)
    new = memories.store("a violin stands beside the window in the other room", timestamp=now - DAY)
    return memories, old["id"], new["id"]


@pytest.mark.parametrize(("options", "newer_first"), [
    ({}, False), ({"recency_half_life_days": 10}, True), ({"recency_half_life_days": 10, "recency_weight": 1}, True),
    ({"recency_half_life_days": 10, "recency_weight": 0}, False), ({"recency_half_life_days": 1e6}, False),
    ({"recency_half_life_days": None, "recency_weight": None}, False),
])
def test_recency_is_a_factor_only_when_asked_for(old_and_new, options, newer_first):
    memories, old, new = old_and_new
    assert ids(memories.search("violin", **options)) == ([new, old] if newer_first else [old, new])


@pytest.mark.parametrize("weight", [0.25, 0.5, 1])
def test_the_factor_of_recency_is_what_it_says(old_and_new, weight):
    memories, old, new = old_and_new
    plain = {result["id"]: result["explanation"] for result in memories.search("violin", explain=True)}
    fresh = {result["id"]: result["explanation"] for result in memories.search(
        "violin", explain=True, recency_half_life_days=100, recency_weight=weight)}
    for memory_id, age in ((old, 400), (new, 1)):
        factor = (1 - weight) + weight * 0.5 ** (age / 100)
        assert plain[memory_id]["recency"] == 1
        assert fresh[memory_id]["recency"] == pytest.approx(factor, rel=1e-3)
        assert fresh[memory_id]["fused"] == pytest.approx(plain[memory_id]["fused"] * factor, rel=1e-3)


# Explanations.

def test_an_explanation_tells_of_every_arm(graded):
    memories, query = graded
    reply = memories.ask(query, explain=True)
    assert set(reply) == {"results", "timing_ms"}
    assert set(reply["timing_ms"]) == {"embed", "search", "rank"}
    assert all(isinstance(value, (int, float)) and value >= 0 for value in reply["timing_ms"].values())
    explained = [result["explanation"] for result in reply["results"]]
    assert all(set(result) == MEMORY_FIELDS | {"explanation"} for result in reply["results"])
    assert all(set(explanation) == EXPLANATION for explanation in explained)
    assert {(explanation["cosine"], explanation["cosine_rank"]) for explanation in explained} == {(None, None)}
    lexical = [explanation["lexical"] for explanation in explained]
    assert [explanation["lexical_rank"] for explanation in explained] == [
        1 + sum(other > own for other in lexical) for own in lexical]
    assert {explanation["recency"] for explanation in explained} == {1}
    fused = [explanation["fused"] for explanation in explained]
    assert fused == sorted(fused, reverse=True) and fused[-1] > 0
    plain = memories.ask(query)
    assert plain == {"results": [{name: result[name] for name in MEMORY_FIELDS} for result in reply["results"]]}
    assert memories.ask(query, explain=False) == memories.ask(query, explain=None) == plain


def test_matched_terms_are_the_querys_that_the_memory_holds(memories):
    memories.apart("I was running to the garden", "Tea in the garden")
    terms = {result["memory"]: result["explanation"]["matched_terms"]
             for result in memories.search("tea or runs in gardens", explain=True)}
    assert sorted(terms["I was running to the garden"]) == ["garden", "run"]
    assert sorted(terms["Tea in the garden"]) == ["garden", "tea"]


# What stands around a memory.

def test_neighbours_of_a_conversation_are_found_behind_what_they_stand_beside(memories):
    said = memories.remember("What did you buy yesterday?", "A violin", "How much was it?", timestamp=LONG_AGO)
    alone = memories.store("Where do you live?", timestamp=LONG_AGO + 10 * DAY)
    found = memories.search("violin", explain=True)
    assert found[0]["id"] == said[1]["id"]
    assert set(ids(found[1:])) == {said[0]["id"], said[2]["id"]}
    assert alone["id"] not in ids(found)
    assert [result["explanation"]["matched_terms"] for result in found] == [["violin"], [], []]


@pytest.mark.parametrize(("pause", "together"), [(0.5 * HOUR, True), (2 * HOUR, False)])
def test_a_long_pause_ends_a_conversation(memories, pause, together):
    memories.store("A violin", timestamp=LONG_AGO)
    memories.store("How much was it?", timestamp=LONG_AGO + pause)
    assert memories.found("violin") == ["A violin", "How much was it?"][:2 if together else 1]


def test_neighbours_are_of_one_session(ltm_client):
    user = unique()
    for session, text in (("one", "A violin"), ("two", "How much was it?"), ("one", "It was cheap")):
        Memories(ltm_client, user_id=user, session_id=session).store(text, timestamp=LONG_AGO)
    assert set(Memories(ltm_client, user_id=user).found("violin")) == {"A violin", "It was cheap"}


def test_a_changed_or_deleted_neighbour_is_no_more(memories):
    said = memories.remember("A violin", "How much was it?", timestamp=LONG_AGO)
    memories.update(said[0]["id"], "A piano")
    assert memories.search("violin") == []
    assert memories.found("piano") == ["A piano", "How much was it?"]
    memories.delete(said[0]["id"])
    assert memories.search("piano") == []


# Who, when, and what was asked.

PEOPLE = ("Caroline", "Melanie")
HOBBIES = ("I love hiking in the mountains", "I love hiking in the forest")


@pytest.mark.parametrize("told_by", ["metadata", "name", "prefix"])
@pytest.mark.parametrize("asked", PEOPLE)
def test_who_is_named_in_the_query_stands_first(memories, told_by, asked):
    for number, (person, text) in enumerate(zip(PEOPLE * 3, (*HOBBIES, *OTHERS, "The lake is cold"))):
        time = LONG_AGO + number * DAY
        if told_by == "metadata":
            memories.store(text, metadata={"speaker": person}, timestamp=time)
        elif told_by == "name":
            memories.remember(message(text, name=person), timestamp=time)
        else:
            memories.store(f"{person}: {text}", timestamp=time)
    found = memories.found(f"Where does {asked} love hiking?")
    assert len(found) >= 2
    assert found[0].endswith(HOBBIES[PEOPLE.index(asked)])


@pytest.mark.parametrize("query", ["Caroline", "Caroline?", "Who is Caroline?", "caroline's sister"])
def test_a_speaker_who_is_all_that_is_asked_for_is_found_by_name(memories, query):
    memories.apart(*(f"Caroline: {text}" for text in (*HOBBIES, *OTHERS)), "Caroline is my sister")
    assert memories.found(query)[:1] == ["Caroline is my sister"]


def test_an_answer_stands_before_a_question(memories):
    memories.apart("I keep the violin there", "Do you keep the violin there?")
    assert memories.found("violin keep") == ["I keep the violin there", "Do you keep the violin there?"]


def test_who_asks_when_gets_what_tells_a_time(memories):
    memories.apart("We visited the museum last week", "We visited the museum with Ana")
    assert memories.found("When was the museum visited?")[0] == "We visited the museum last week"
    assert memories.found("Museum visited with Ana")[0] == "We visited the museum with Ana"


@pytest.mark.parametrize(("query", "expected"), [
    ("hiking in May 2023", "2023-05-20"), ("hiking on 20 May 2023", "2023-05-20"),
    ("hiking on 2022-05-07", "2022-05-07"),
    ("hiking in January 2023", "2023-01-15"), ("hiking in August", "2023-08-01"),
])
def test_what_was_said_at_the_date_that_is_asked_for_stands_first(memories, query, expected):
    for number, day in enumerate(("2022-05-07", "2023-01-15", "2023-05-20", "2023-08-01", "2023-10-30")):
        memories.store(f"We went hiking, tour {number}", timestamp=f"{day}T10:00:00Z")
    found = memories.search(query)
    assert len(found) == 5
    assert found[0]["created_at"].startswith(expected)


# Strange texts.

@pytest.mark.parametrize("query", ["\0", "a\0b", "'; DROP TABLE memories; --", '"quoted"', "x AND y OR NOT z", "*",
                                   "NEAR(a b)", "<|endoftext|>",
                                   "\ufffe", "%", "()", "👩‍👩‍👧‍👦" * 50, "ﷺ", "\u202e\u0301", "a:b^2~"])
def test_a_query_is_only_text(memories, query):
    stored = memories.store(f"kept {query} kept")
    assert texts(memories.search(query)) in ([], [stored["memory"]])
    assert ids(memories.search("kept")) == [stored["id"]]


@pytest.mark.parametrize("query", ["word " * 50_000, "x" * 200_000, "東京" * 50_000, "a b c d e f g " * 10_000])
def test_a_long_query_is_answered(memories, query):
    memories.store("a word about 東京")
    assert len(memories.search(query)) <= 1


def test_a_thousand_words_of_the_query_may_be_alike(memories):
    stored = memories.store("violin")
    assert ids(memories.search("violin " * 1000)) == [stored["id"]]
