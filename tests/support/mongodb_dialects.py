"""Servers that search as Azure DocumentDB and MongoDB Atlas do, in front of one that can't search.

They answer what the engines' documentation and measurements say (the design's engines.md), and refuse what these would
ignore: an option that does nothing there is an error here. Vectors are compared one by one, by numpy.
"""

import re
import time

import bson
import numpy
import pymongo

from support.mongodb_wire import CommandError, WireProxy

COSMOS_KINDS = {"vector-hnsw": {"m", "efConstruction"}, "vector-ivf": {"numLists"},
                "vector-diskann": {"maxDegree", "lBuild"}}
ATLAS_OPERATORS = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$and", "$or", "$not"}


def paths_of(query: dict) -> set:
    """The fields that a filter asks for."""
    paths = set()
    for key, value in query.items():
        if key in ("$and", "$or", "$nor"):
            paths |= {path for part in value for path in paths_of(part)}
        else:
            paths.add(key)
    return paths


def operators_of(query) -> set:
    if isinstance(query, dict):
        own = {key for key in query if key.startswith("$")}
        return own | {each for value in query.values() for each in operators_of(value)}
    return {each for part in query for each in operators_of(part)} if isinstance(query, list) else set()


def require_int32(value, name: str):
    if type(value) is not int or isinstance(value, bson.Int64):
        raise CommandError(2, f"{name} must be an int32, not {value!r}")


def stems(text: str) -> list:
    return [re.sub("(ing|ed|es|s)$", "", word) for word in re.findall(r"\w+", text.lower())]


def words_score(query: str, text: str) -> int:
    wanted = set(stems(query))
    return sum(word in wanted for word in stems(text))


def cosines(vector: list, documents: list, path: str) -> list:
    """The documents that have a vector which isn't zero, each with its cosine, the nearest first."""
    have = [(document, numpy.array(document[path])) for document in documents
            if isinstance(document.get(path), list) and len(document[path]) == len(vector)]
    have = [(document, own) for document, own in have if own.any()]
    if not have:
        return []
    query = numpy.array(vector)
    matrix = numpy.stack([own for _, own in have])
    found = matrix @ query / numpy.linalg.norm(matrix, axis=1) / numpy.linalg.norm(query)
    order = numpy.argsort(-found, kind="stable")
    return [(have[i][0], float(found[i])) for i in order]


class SearchingServer(WireProxy):
    """What both have in common. `commands` keeps the searches that came, for tests to compare."""

    handled = frozenset({"hello", "createIndexes", "listIndexes", "aggregate", "insert", "update", "createSearchIndexes",
                         "dropIndexes", "dropDatabase"})

    def __init__(self, upstream_port: int):
        self.server = pymongo.MongoClient("127.0.0.1", upstream_port)
        self.indexes: dict = {}  # by database and collection: those that the server behind can't have
        self.commands: list = []
        super().__init__(upstream_port)

    def close(self):
        super().close()
        self.server.close()

    def own_indexes(self, command: dict, name: str) -> dict:
        return self.indexes.setdefault((command["$db"], command[name]), {})

    def collection(self, command: dict):
        return self.server[command["$db"]][command["aggregate"]]

    def add_text_index(self, command: dict, spec: dict):
        others = [each for each in self.own_indexes(command, "createIndexes").values() if "text" in each["key"].values()]
        if any(each != spec for each in others):
            raise CommandError(67, "only one text index per collection allowed")
        self.own_indexes(command, "createIndexes")[spec["name"]] = spec

    def forward(self, command: dict):
        """Has the server behind do a command without session and time."""
        plain = {key: value for key, value in command.items() if key not in ("lsid", "$clusterTime", "$db", "maxTimeMS")}
        return self.server[command["$db"]].command(plain)

    def cursor(self, command: dict, documents: list) -> dict:
        return {"cursor": {"firstBatch": documents, "id": bson.Int64(0),
                           "ns": f"{command['$db']}.{command.get('aggregate', '')}"}, "ok": 1.0}

    def stages(self, command: dict, scored: list, meta: str) -> dict:
        """What the stages behind a search make of documents and scores."""
        rows = [dict(document, __score__=score) for document, score in scored]
        for stage in command["pipeline"][1:]:
            (name, body), = stage.items()
            if name in ("$set", "$project", "$addFields"):
                metas = {key: value for key, value in body.items() if isinstance(value, dict)}
                if any(value != {"$meta": meta} for value in metas.values()):
                    raise CommandError(40218, f"no such metadata here: {metas}")
                for row in rows:
                    row.update({key: row["__score__"] for key in metas})
                if name == "$project":
                    kept = {key for key, value in body.items() if value != 0} | {"__score__"}
                    if body.get("_id", 1):
                        kept.add("_id")
                    rows = [{key: value for key, value in row.items() if key in kept} for row in rows]
            elif name == "$unset":
                rows = [{key: value for key, value in row.items() if key not in body} for row in rows]
            elif name == "$sort":
                for key, direction in reversed(body.items()):
                    rows.sort(key=lambda row: row[key], reverse=direction < 0)
            elif name == "$limit":
                rows = rows[:body]
            else:
                raise CommandError(40324, f"Unrecognized pipeline stage name: '{name}'")
        return self.cursor(command, [{key: value for key, value in row.items() if key != "__score__"} for row in rows])

    def text_search(self, command: dict, match: dict) -> dict:
        indexes = self.own_indexes(command, "aggregate").values()
        if not any("text" in each["key"].values() for each in indexes):
            raise CommandError(27, "text index required for $text query")
        rest = {key: value for key, value in match.items() if key != "$text"}
        query = match["$text"]["$search"]
        scored = [(document, words_score(query, document["text"])) for document in self.collection(command).find(rest)]
        return self.stages(command, [each for each in scored if each[1] > 0], "textScore")

    def answer(self, name: str, command: dict) -> dict | None:
        if name == "dropDatabase":
            self.indexes = {key: value for key, value in self.indexes.items() if key[0] != command["$db"]}
        if name == "aggregate" and isinstance(command["aggregate"], str) and command["pipeline"]:
            first = command["pipeline"][0]
            if "$text" in first.get("$match", {}):
                self.commands.append(command["pipeline"])
                return self.text_search(command, first["$match"])
            return self.search(command, first)
        if name == "createIndexes":
            return self.create_indexes(command)
        if name in ("insert", "update"):
            return self.check_write(name, command)
        if name == "createSearchIndexes":
            return self.create_search_indexes(command)
        return None

    def change_reply(self, name: str, reply: dict) -> dict:
        if name == "listIndexes" and reply["ok"]:
            database, collection = reply["cursor"]["ns"].split(".", 1)
            reply["cursor"]["firstBatch"] += list(self.indexes.get((database, collection), {}).values())
        return reply

    def create_indexes(self, command: dict) -> dict | None:
        own = [spec for spec in command["indexes"] if set(spec["key"].values()) & {"cosmosSearch", "text"}]
        if not own:
            return None
        others = [spec for spec in command["indexes"] if spec not in own]
        if others:
            self.forward({**command, "indexes": others})
        for spec in own:
            if "text" in spec["key"].values():
                self.add_text_index(command, spec)
            else:
                self.add_vector_index(command, spec)
        return {"raw": {"defaultShard": {"ok": 1.0, "createdCollectionAutomatically": False}}, "ok": 1.0}


class DocumentDb(SearchingServer):
    """`refused`: the kinds of index that a small server has not; `build_seconds`: how long the answer waits for one."""

    def __init__(self, upstream_port: int, refused: tuple = (), build_seconds: float = 0):
        self.refused = refused
        self.build_seconds = build_seconds
        self.built_at: dict = {}
        super().__init__(upstream_port)

    def change_reply(self, name: str, reply: dict) -> dict:
        if name == "hello":
            reply = {key: value for key, value in reply.items()
                     if key not in ("setName", "setVersion", "hosts", "primary", "me", "electionId")}
            reply["msg"] = "isdbgrid"
        return super().change_reply(name, reply)

    def create_search_indexes(self, command: dict):
        raise CommandError(115, "Command createSearchIndexes not supported")

    def add_vector_index(self, command: dict, spec: dict):
        options = dict(spec["cosmosSearchOptions"])
        kind = options.get("kind")
        known = {"kind", "similarity", "dimensions", "compression"} | COSMOS_KINDS.get(kind, set())
        if kind not in COSMOS_KINDS or not set(options) <= known or options.get("similarity") != "COS":
            raise CommandError(2, f"no such vector index: {options}")
        if kind in self.refused:
            raise CommandError(2, f"{kind} is not supported for this cluster tier")
        require_int32(options["dimensions"], "dimensions")
        if options["dimensions"] > (4000 if options.get("compression") == "half" else 2000):
            raise CommandError(2, "too many dimensions")
        known_one = self.own_indexes(command, "createIndexes").get(spec["name"])
        if known_one not in (None, spec):
            raise CommandError(86, "an index of this name has other options")
        built_at = self.built_at.setdefault((command["$db"], command["createIndexes"], spec["name"]),
                                            time.monotonic() + self.build_seconds)
        time.sleep(max(0, built_at - time.monotonic()))
        self.own_indexes(command, "createIndexes")[spec["name"]] = spec

    def vector_index(self, indexes: dict, path: str) -> dict | None:
        return next((each for each in indexes.values() if each["key"].get(path) == "cosmosSearch"), None)

    def check_write(self, name: str, command: dict) -> None:
        index = self.vector_index(self.own_indexes(command, name), "embedding")
        written = command.get("documents", []) + [each["u"].get("$set", {}) for each in command.get("updates", [])]
        for document in written if index else []:
            vector = document.get("embedding") or []
            if vector and len(vector) != index["cosmosSearchOptions"]["dimensions"]:
                raise CommandError(2, "the vector has another number of dimensions than the index")

    def search(self, command: dict, first: dict) -> dict | None:
        name = next(iter(first))
        if name in ("$listSearchIndexes", "$rankFusion"):
            raise CommandError(40324, f"Unrecognized pipeline stage name: '{name}'")
        if name != "$search":
            return None
        self.commands.append(command["pipeline"])
        options = first["$search"]["cosmosSearch"]
        unknown = set(options) - {"vector", "path", "k", "exact", "efSearch", "filter"}
        if unknown or set(first["$search"]) != {"cosmosSearch"}:
            raise CommandError(2, f"would be ignored in silence: {unknown or set(first['$search'])}")
        require_int32(options["k"], "k")
        indexes = self.own_indexes(command, "aggregate")
        index = self.vector_index(indexes, options["path"])
        if not index or len(options["vector"]) != index["cosmosSearchOptions"]["dimensions"]:
            raise CommandError(2, "Similarity index was not found for a vector similarity search query")
        collection = self.collection(command)
        plain = {each["key"][0][0] for each in collection.index_information().values()
                 if len(each["key"]) == 1 and each["key"][0][1] == 1}
        lacking = paths_of(options.get("filter", {})) - (plain - {"_id"})
        if lacking:
            raise CommandError(2, f"no index for the filter's {sorted(lacking)}")
        scored = cosines(options["vector"], list(collection.find(options.get("filter", {}))), options["path"])
        if not options.get("exact"):
            # An index with a filter loses what it didn't come by, one without gives what it looked at.
            scored = scored[::2] if options.get("filter") else scored[:options.get("efSearch", 40)]
        scored = [({**document, "__cosmos_meta__": {}}, score) for document, score in scored[:options["k"]]]
        return self.stages(command, scored, "searchScore")


class Atlas(SearchingServer):
    """`build_seconds`: how long a search index takes; `lag`: seconds until it knows what was written."""

    def __init__(self, upstream_port: int, build_seconds: float = 0, lag: float = 1, fails: bool = False,
                 has_words: bool = True):
        self.build_seconds = build_seconds
        self.lag = lag
        self.fails = fails
        self.has_words = has_words
        self.search_indexes: dict = {}
        self.written: dict = {}  # when, by _id
        super().__init__(upstream_port)

    def own_search_indexes(self, command: dict, name: str) -> dict:
        return self.search_indexes.setdefault((command["$db"], command[name]), {})

    def add_vector_index(self, command: dict, spec: dict):
        raise CommandError(67, f"Unknown index plugin '{spec['key']}'")

    def create_search_indexes(self, command: dict) -> dict:
        own = self.own_search_indexes(command, "createSearchIndexes")
        for spec in command["indexes"]:
            if spec["name"] in own:
                raise CommandError(68, "Duplicate Index")
            if spec["type"] == "search" and not self.has_words:
                raise CommandError(8000, "the maximum number of search indexes has been reached for this instance size")
            own[spec["name"]] = {**spec, "at": time.monotonic()}
        return {"indexesCreated": [{"id": spec["name"], "name": spec["name"]} for spec in command["indexes"]], "ok": 1.0}

    def is_ready(self, index: dict | None) -> bool:
        return index is not None and not self.fails and time.monotonic() - index["at"] >= self.build_seconds

    def check_write(self, name: str, command: dict) -> None:
        ids = [each["_id"] for each in command.get("documents", [])]
        ids += [each["q"].get("_id") for each in command.get("updates", [])]
        self.written.update(dict.fromkeys(map(str, ids), time.monotonic()))

    def known(self, command: dict, query: dict) -> list:
        """What the search index knows of the documents that a filter finds."""
        end = time.monotonic() - self.lag
        return [each for each in self.collection(command).find(query) if self.written.get(str(each["_id"]), 0) <= end]

    def search(self, command: dict, first: dict) -> dict | None:
        name, body = next(iter(first.items()))
        own = self.own_search_indexes(command, "aggregate")
        if name == "$listSearchIndexes":
            return self.cursor(command, [
                {"name": each["name"], "type": each["type"], "queryable": self.is_ready(each),
                 "status": "FAILED" if self.fails else "READY" if self.is_ready(each) else "PENDING",
                 "latestDefinition": each["definition"]} for each in own.values()])
        if name == "$vectorSearch":
            self.commands.append(command["pipeline"])
            return self.vector_search(command, body, own.get(body["index"]))
        if name == "$search":
            self.commands.append(command["pipeline"])
            return self.word_search(command, body, own.get(body["index"]))
        return None

    def vector_search(self, command: dict, body: dict, index: dict | None) -> dict:
        if set(body) - {"index", "path", "queryVector", "limit", "exact", "numCandidates", "filter"}:
            raise CommandError(2, f"unknown fields in {sorted(body)}")
        require_int32(body["limit"], "limit")
        if ("exact" in body) == ("numCandidates" in body):
            raise CommandError(2, "exactly one of exact and numCandidates")
        if "numCandidates" in body:
            require_int32(body["numCandidates"], "numCandidates")
            if not body["limit"] <= body["numCandidates"] <= 10_000:
                raise CommandError(2, "numCandidates must be from limit to 10000")
        if not self.is_ready(index):
            return self.cursor(command, [])
        fields = index["definition"]["fields"]
        vector = next(each for each in fields if each["type"] == "vector")
        if len(body["queryVector"]) != vector["numDimensions"] or body["path"] != vector["path"]:
            raise CommandError(8, "the query's vector is not as the index")
        lacking = paths_of(body.get("filter", {})) - {each["path"] for each in fields if each["type"] == "filter"}
        strange = operators_of(body.get("filter", {})) - ATLAS_OPERATORS
        if lacking or strange:
            raise CommandError(8, f"the filter's {sorted(lacking | strange)} can't be asked for")
        scored = cosines(body["queryVector"], self.known(command, body.get("filter", {})), body["path"])
        return self.stages(command, [(each, (1 + cosine) / 2) for each, cosine in scored[:body["limit"]]],
                           "vectorSearchScore")

    def word_search(self, command: dict, body: dict, index: dict | None) -> dict:
        if not self.is_ready(index):
            return self.cursor(command, [])
        fields = index["definition"]["mappings"]["fields"]
        query = {}
        for part in body["compound"]["filter"]:
            path = part["equals"]["path"]
            if fields.get(path, {}).get("type") != "token":
                raise CommandError(8, f"{path} is not indexed as token")
            query[path] = part["equals"]["value"]
        words = body["compound"]["must"][0]["text"]
        scored = [(document, words_score(words["query"], document[words["path"]]))
                  for document in self.known(command, query)]
        found = sorted((each for each in scored if each[1] > 0), key=lambda each: -each[1])
        return self.stages(command, found, "searchScore")
