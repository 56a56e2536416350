"""Filters, compared with a slow and obvious model of what they mean, through search and list."""

import datetime
import json
import unicodedata

import pytest
from support.memories import CATEGORIES, HOUR, Memories, check_errors, ids, seconds
from support.sessions import succeeded

START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
METADATA = [
    None, {}, {"n": 1}, {"n": 2}, {"n": 2.5}, {"n": -3}, {"n": "2"}, {"n": None}, {"n": True}, {"n": False}, {"n": 0},
    {"n": 2**53 + 1}, {"n": [1, 2, "three"]}, {"n": {"deep": {"er": 7}}}, {"color": "Red"}, {"color": "red"},
    {"color": "dark red", "n": 3}, {"color": "STRASSE"}, {"color": ""}, {"tags": ["a", "B", "c"], "n": 1},
    {"tags": []}, {"tags": ["ü", None, 5]}, {"a.b": 1}, {"a": {"b": 2}}, {"day": "2024-05-08", "": "empty"},
]
WORDS = ("Red wine", "a red car", "100 % wool", "Grüße", "東京 tower")


def text_of(number: int) -> str:
    return f"record {number}: {WORDS[number % len(WORDS)]}"


@pytest.fixture(scope="module")
def records(ltm_client):
    """Twenty-five memories of all kinds; each a day after the one before."""
    memories = Memories(ltm_client)
    stored = [memories.store(text_of(number), metadata=metadata, category=CATEGORIES[number % 4],
                             timestamp=START + number * 24 * HOUR) for number, metadata in enumerate(METADATA)]
    middle = (seconds(stored[11]["updated_at"]) + seconds(stored[12]["updated_at"])) / 2
    for memory, metadata in zip(stored, METADATA, strict=True):
        memory["given"] = metadata or {}
    return memories, stored, middle


# The model.

ABSENT = None  # what isn't there equals null alone
NUMBERS = (int, float)


def kind(value) -> str:
    return "number" if isinstance(value, NUMBERS) and not isinstance(value, bool) else type(value).__name__


def equal(one, other) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(equal(one[key], other[key]) for key in one)
    return kind(one) == kind(other) and one == other


def folded(value):
    return unicodedata.normalize("NFKC", value.casefold()) if isinstance(value, str) else value


def holds(value, part, fold=lambda x: x) -> bool:
    if isinstance(value, list):
        return any(equal(fold(element), fold(part)) for element in value)
    return isinstance(value, str) and isinstance(part, str) and fold(part) in fold(value)


def ordered(one, other) -> bool:
    return kind(one) == kind(other) and kind(one) in ("number", "str")


OPERATORS = {
    "eq": equal, "ne": lambda a, b: not equal(a, b), "in": lambda a, b: any(equal(a, each) for each in b),
    "nin": lambda a, b: not any(equal(a, each) for each in b),
    "gt": lambda a, b: ordered(a, b) and a > b, "gte": lambda a, b: ordered(a, b) and a >= b,
    "lt": lambda a, b: ordered(a, b) and a < b, "lte": lambda a, b: ordered(a, b) and a <= b,
    "contains": holds, "icontains": lambda a, b: holds(a, b, folded),
}


def find(value, key: str):
    """The value of a key as it is written, else its dots lead into objects."""
    if not isinstance(value, dict):
        return ABSENT
    if key in value:
        return value[key]
    outer, _, inner = key.partition(".")
    return find(value.get(outer), inner) if inner else ABSENT


def as_utc(time: str) -> float:
    """Epoch seconds; without an offset it is UTC."""
    parsed = datetime.datetime.fromisoformat(time)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)).timestamp()


def matches(filters: dict, memory: dict) -> bool:
    return all(matches_key(key, value, memory) for key, value in filters.items())


def matches_key(key: str, value, memory: dict) -> bool:
    if key in ("AND", "OR"):
        return (all if key == "AND" else any)(matches(each, memory) for each in value)
    if key == "NOT":
        return not matches(value, memory)
    is_time = key in ("created_at", "updated_at")
    actual = find(memory["given"], key.removeprefix("metadata.")) if key.startswith("metadata.") else memory[key]

    def operand(given):
        if isinstance(given, list) and is_time:
            return [operand(each) for each in given]
        if is_time:
            return round((as_utc(given) if isinstance(given, str) else given) * 1e6)
        return given

    actual = round(seconds(actual) * 1e6) if is_time else actual
    operators = value if isinstance(value, dict) else {"eq": value}
    return all(OPERATORS[name](actual, operand(given)) for name, given in operators.items())


# What is asked.

def day(number: int) -> str:
    return datetime.datetime.fromtimestamp(START + number * 24 * HOUR, datetime.timezone.utc).isoformat()


FILTERS = [
    {}, {"category": "fact"}, {"category": {"ne": "fact"}}, {"category": {"in": ["fact", "preference"]}},
    {"category": {"nin": ["fact", "preference"]}}, {"category": {"in": []}}, {"category": {"nin": []}},
    {"memory": "record 1: a red car"}, {"memory": "RECORD 1: a red car"}, {"memory": {"contains": "red"}},
    {"memory": {"contains": "Red"}}, {"memory": {"icontains": "RED"}}, {"memory": {"icontains": "GRÜSSE"}},
    {"memory": {"contains": "%"}}, {"memory": {"contains": ""}}, {"memory": {"contains": "_"}},
    {"memory": {"icontains": "東京"}}, {"memory": {"in": [text_of(3), text_of(4), "x"]}}, {"memory": {"ne": text_of(3)}},
    *({"metadata.n": value} for value in (1, 2, 2.0, 2.5, -3, "2", None, True, False, 0, 2**53 + 1, 2**53, 10**15)),
    *({"metadata.n": {"eq": value}} for value in ([1, 2, "three"], [1, 2], {"deep": {"er": 7}}, 1)),
    {"metadata.n": {"ne": 1}}, {"metadata.n": {"ne": None}}, {"metadata.n": {"in": [1, "2", None]}},
    {"metadata.n": {"nin": [1, "2", None]}}, {"metadata.n": {"in": [2.0, True]}}, {"metadata.n": {"in": []}},
    *({"metadata.n": {name: value}} for name in ("gt", "gte", "lt", "lte") for value in (1, 2.0, 2**53, "1", -1e300)),
    {"metadata.n": {"gt": 1, "lt": 3}}, {"metadata.n": {"gte": 1, "lte": 1}}, {"metadata.n": {"gt": 3, "lt": 1}},
    {"metadata.n": {"contains": 2}}, {"metadata.n": {"contains": "three"}}, {"metadata.n": {"icontains": "THREE"}},
    {"metadata.n.deep.er": 7}, {"metadata.n.deep": {"eq": {"er": 7}}}, {"metadata.n.deep.er": {"gte": 7.0}},
    {"metadata.n.none": None},
    {"metadata.color": "red"}, {"metadata.color": {"icontains": "red"}}, {"metadata.color": {"contains": "red"}},
    {"metadata.color": {"icontains": "straße"}}, {"metadata.color": ""}, {"metadata.color": {"gt": "S"}},
    {"metadata.color": {"lte": "dark red"}}, {"metadata.color": {"ne": "red"}}, {"metadata.color": None},
    {"metadata.tags": {"contains": "a"}}, {"metadata.tags": {"contains": "b"}}, {"metadata.tags": {"icontains": "b"}},
    {"metadata.tags": {"contains": None}}, {"metadata.tags": {"contains": 5}}, {"metadata.tags": []},
    {"metadata.tags": {"icontains": "Ü"}}, {"metadata.tags": ["a", "B", "c"]}, {"metadata.tags": {"in": [[], "a"]}},
    {"metadata.a.b": 1}, {"metadata.a.b": 2}, {"metadata.a": {"eq": {"b": 2}}}, {"metadata.a.b": {"gte": 1}},
    {"metadata.day": {"gte": "2024-05", "lt": "2024-06"}}, {"metadata.unknown": None}, {"metadata.unknown": 1},
    {"created_at": day(3)}, {"created_at": {"gte": day(5), "lt": day(9)}},
    {"created_at": {"gt": START + 20 * 24 * HOUR}},
    {"created_at": {"lte": "2024-01-04T02:00:00+02:00"}}, {"created_at": {"lt": "2024-01-04T00:00:00"}},
    {"created_at": {"in": [day(1), START, day(99)]}}, {"created_at": {"ne": day(0)}}, {"created_at": {"nin": [day(0)]}},
    {"created_at": {"lt": "1970-01-01T00:00:00Z"}}, {"updated_at": {"gt": day(500)}}, {"updated_at": {"lt": day(24)}},
    {"category": "fact", "metadata.color": None}, {"AND": []}, {"OR": []}, {"NOT": {}}, {"AND": [{}]}, {"OR": [{}]},
    {"AND": [{"category": "semantic"}, {"memory": {"icontains": "red"}}]},
    {"OR": [{"category": "semantic"}, {"memory": {"icontains": "red"}}]}, {"NOT": {"category": "semantic"}},
    {"NOT": {"category": "fact", "memory": {"contains": "red"}}}, {"NOT": {"NOT": {"metadata.n": {"gt": 1}}}},
    {"NOT": {"metadata.n": {"gt": 1}}}, {"NOT": {"OR": [{"metadata.n": 1}, {"metadata.color": {"icontains": "RED"}}]}},
    {"OR": [{"AND": [{"metadata.n": {"gte": 1}}, {"NOT": {"category": "fact"}}]}, {"metadata.tags": {"ne": None}}],
     "created_at": {"gte": day(2)}},
    {"AND": [{"OR": [{"category": "fact"}, {"category": "episodic"}]}, {"NOT": {"metadata.n": None}}]},
    {"metadata.n": {"gte": 1}, "category": {"in": ["fact", "semantic"]}},
]


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: json.dumps(filters)[:70])
def test_a_filter_means_what_the_model_says(records, filters):
    memories, stored, _ = records
    expected = {memory["id"] for memory in stored if matches(filters, memory)}
    assert set(ids(memories.search("record", filters=filters))) == expected
    assert set(ids(memories.list(filters=filters))) == expected


def test_the_filters_tell_memories_apart(records):
    """Else they would prove little: most of them match some and not all."""
    _, stored, _ = records
    counts = [sum(matches(filters, memory) for memory in stored) for filters in FILTERS]
    assert sum(0 < count < len(stored) for count in counts) > 60


def test_updated_at_is_the_moment_of_the_change(records):
    memories, stored, middle = records
    for wanted in ({"gt": middle}, {"lte": middle}, stored[5]["updated_at"]):
        filters = {"updated_at": wanted}
        expected = {memory["id"] for memory in stored if matches(filters, memory)}
        assert 0 < len(expected) < len(stored)
        assert set(ids(memories.list(filters=filters))) == expected


def test_null_filters_are_none(records):
    memories, stored, _ = records
    assert len(memories.search("record", filters=None)) == len(stored)


def test_filters_and_categories_are_anded(records):
    memories, stored, _ = records
    filters = {"metadata.n": {"gte": 1}}
    expected = {memory["id"] for memory in stored if matches(filters, memory) and memory["category"] == "fact"}
    assert expected
    assert set(ids(memories.search("record", filters=filters, categories=["fact"]))) == expected
    assert set(ids(memories.list(filters=filters, category="fact"))) == expected


def test_filters_look_into_deep_metadata(memories):
    """As deep as it may be stored; the innermost of a hundred levels is found."""
    levels = 100
    metadata = {"leaf": 1}
    for _ in range(levels):
        metadata = {"a": metadata}
    stored = memories.store("deep record", metadata=metadata)
    for key in ("a", ".".join("a" * levels) + ".leaf"):
        filters = {f"metadata.{key}": {"ne": None}}
        assert ids(memories.list(filters=filters)) == ids(memories.search("record", filters=filters)) == [stored["id"]]


# Bad filters.

BAD = [
    ([], ()), ("x", ()), (5, ()), (True, ()), ({"colour": 1}, ("colour",)), ({"metadata": 1}, ("metadata",)),
    ({"metadata.": 1}, ("metadata.",)), ({"user_id": "u"}, ("user_id",)), ({"AND": {}}, ("AND",)),
    ({"OR": "x"}, ("OR",)),
    ({"AND": [5]}, ("AND", 0)), ({"OR": [{}, {"x": 1}]}, ("OR", 1, "x")), ({"NOT": 5}, ("NOT",)),
    ({"NOT": {"AND": [{"metadata.a": {"like": 1}}]}}, ("NOT", "AND", 0, "metadata.a", "like")),
    ({"metadata.a": {"like": 1}}, ("metadata.a", "like")), ({"metadata.a": {"GT": 1}}, ("metadata.a", "GT")),
    ({"metadata.a": {"in": 5}}, ("metadata.a", "in")), ({"metadata.a": {"nin": "x"}}, ("metadata.a", "nin")),
    ({"category": "opinion"}, ("category",)), ({"category": 5}, ("category",)),
    ({"category": {"in": ["fact", "opinion"]}}, ("category", "in", 1)), ({"created_at": "soon"}, ("created_at",)),
    ({"created_at": {"gt": True}}, ("created_at", "gt")), ({"updated_at": {"in": ["x"]}}, ("updated_at", "in", 0)),
    ({"memory": 5}, ("memory",)), ({"memory": {"contains": 5}}, ("memory", "contains")), ({"id": "x"}, ("id",)),
]


@pytest.mark.parametrize(("filters", "place"), BAD, ids=lambda value: json.dumps(value)[:70])
def test_a_malformed_filter_is_named_by_its_place(records, filters, place):
    memories, *_ = records
    for loc, reply in (("body", memories.post("/search", query="record", filters=filters)),
                       ("query", memories.client.get("/ltm/memories", params={
                           **memories.scope, "filters": json.dumps(filters)}))):
        assert reply.status_code == 422, reply.text
        assert [entry["loc"] for entry in reply.json()["detail"]] == [[loc, "filters", *place]]


def test_everything_that_is_wrong_with_a_filter_is_named_at_once(records):
    memories, *_ = records
    filters = {"AND": [{"x": 1}, {"category": "opinion"}], "metadata.a": {"like": 1, "in": 5}}
    reply = memories.post("/search", query="record", filters=filters)
    assert {tuple(entry["loc"][2:]) for entry in reply.json()["detail"]} == {
        ("AND", 0, "x"), ("AND", 1, "category"), ("metadata.a", "like"), ("metadata.a", "in")}


@pytest.mark.parametrize("text", ["{", "x", "{} {}", "'", '{"category": NaN}', "[" * 500])
def test_filters_of_a_list_must_be_json(records, text):
    memories, *_ = records
    reply = memories.client.get("/ltm/memories", params={**memories.scope, "filters": text})
    check_errors(reply, ("json_invalid", "query", "filters"))


@pytest.mark.parametrize("shape", ["wide", "deep", "list"])
def test_a_hundred_conditions_are_fine_and_one_more_is_not(records, shape):
    def filters(count: int) -> dict:
        if shape == "wide":
            return {f"metadata.k{number}": None for number in range(count)}
        if shape == "list":
            return {"OR": [{"metadata.n": number} for number in range(count)]}
        whole = {"metadata.none": None}
        for number in range(count - 1):
            whole = {"NOT": whole, "metadata.none": None} if number < 90 else {**whole, f"metadata.k{number}": None}
        return whole

    memories, stored, _ = records
    succeeded(memories.post("/search", query="record", filters=filters(100)))
    reply = memories.post("/search", query="record", filters=filters(101))
    assert reply.status_code == 422
    assert all(entry["loc"][:2] == ["body", "filters"] for entry in reply.json()["detail"])


def test_a_long_list_of_values_is_one_condition(records):
    memories, stored, _ = records
    values = [text_of(7), *(f"x{number}" for number in range(5000))]
    assert ids(memories.search("record", filters={"memory": {"in": values}})) == [stored[7]["id"]]
