"""`maas export` and `maas import`: long-term memory goes from one engine to another as it is, interrupted or not."""

import json
import os
import subprocess
import time
import uuid

import pytest

from support.memories import Memories
from support.processes import BINARY, mongo_database

MEMORIES = 400


@pytest.fixture
def mongodb():
    with mongo_database() as settings:
        if settings is None:
            pytest.skip("MAAS_TEST_MONGODB_URI names no server")
        yield settings


def lines(path) -> list:
    return sorted(path.read_bytes().splitlines())


@pytest.fixture
def filled(start_server):
    """A stopped server whose embedded database holds memories that were changed, removed and expire."""
    server = start_server()
    with server.client() as client:
        for user in range(4):
            client.post("/ltm/memories", json={
                "user_id": f"u{user}", "infer": False, "metadata": {"n": user, "half": 0.5, "none": None},
                "messages": [{"role": "user", "content": f"remember {i} é\u0000 of {user}"}
                             for i in range(MEMORIES // 4)]}).raise_for_status()
        listed = client.get("/ltm/memories", params={"user_id": "u1", "limit": 100}).json()["results"]
        for memory in listed[:10]:
            client.delete(f"/ltm/memories/{memory['id']}").raise_for_status()
        for memory in listed[10:20]:
            client.put(f"/ltm/memories/{memory['id']}",
                       json={"data": f"another {memory['id']}", "ttl_seconds": 3600}).raise_for_status()
    server.stop()
    return server


def on(server, name: str, **settings):
    """The same settings with another engine or directory."""
    other = type(server)(server.directory, name, **{**server.settings, **settings})
    (server.directory / name).mkdir(exist_ok=True)
    other.settings["MAAS_DATA_DIR"] = str(server.directory / name)
    return other


def run(server, *arguments: str):
    ran = server.run(*arguments, timeout=200)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def interrupt(server, seconds: float, *arguments: str):
    """Runs a command and kills it after a while."""
    process = subprocess.Popen([BINARY, *arguments], env=server.environment(), cwd=server.directory,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    process.wait()


def leave_begun(server, file, content: bytes, **mongodb: str):
    """What an export leaves when it is killed."""
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    engine = f"embedded database {server.settings['MAAS_DATA_DIR']}/maas.db"
    if mongodb:
        host = mongodb["MONGODB_URI"].removeprefix("mongodb://")
        engine = f"MongoDB {host}, database {mongodb['MONGODB_DB_NAME']}, collection memories"
    file.with_name(part.name + ".from").write_text(engine + "\n")
    return part


def test_goes_to_mongodb_and_back_byte_for_byte(filled, mongodb, tmp_path):
    first, second, third = (tmp_path / f"{i}.ndjson" for i in range(3))
    assert f"{MEMORIES} memories exported" in run(filled, "export", str(first))
    assert len(lines(first)) == MEMORIES + 2
    elsewhere = on(filled, "elsewhere", **mongodb)
    assert f"{MEMORIES} memories imported, 0 were there already" in run(elsewhere, "import", str(first))
    run(elsewhere, "export", str(second))
    assert lines(second) == lines(first)
    back = on(filled, "back")
    run(back, "import", str(second))
    run(back, "export", str(third))
    assert lines(third) == lines(first)
    assert f"0 memories imported, {MEMORIES} were there already" in run(back, "import", str(first))


def test_what_was_imported_is_served(filled, mongodb, tmp_path, start_server):
    file = tmp_path / "all.ndjson"
    run(filled, "export", str(file))
    elsewhere = on(filled, "elsewhere", **mongodb)
    run(elsewhere, "import", str(file))
    gone = next(line for line in map(json.loads, file.read_text().splitlines()[1:]) if "memory" not in line)
    server = start_server(name="served", **elsewhere.settings)
    with server.client() as client:
        memories = Memories(client, user_id="u2")
        assert memories.search("remember 7")[0]["memory"] == "remember 7 é\u0000 of 2"
        entries = client.get(f"/ltm/memories/{gone['id']}/history").json()["entries"]
        assert [entry["event"] for entry in entries] == ["ADD", "DELETE"]
        memories.add("something else")
        assert memories.list()[0]["memory"] == "something else"


def test_an_interrupted_import_is_gone_on_with(filled, tmp_path):
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    run(filled, "export", str(first))
    elsewhere = on(filled, "elsewhere")
    for seconds in (.15, .25, .35):
        interrupt(elsewhere, seconds, "import", str(first))
    run(elsewhere, "import", str(first))
    run(elsewhere, "export", str(second))
    assert lines(second) == lines(first)


def test_an_interrupted_export_is_gone_on_with(filled, tmp_path):
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    run(filled, "export", str(first))
    whole = first.read_bytes()
    # Killed in the middle of a line, as a full disk or a signal may do it; and behind the last memory.
    for part in (whole[:len(whole) // 2], whole[:30], whole[:5], b"", whole):
        leave_begun(filled, second, part)
        run(filled, "export", str(second))
        assert lines(second) == lines(first)
        assert not [path for path in tmp_path.iterdir() if ".part" in path.name]
        second.unlink()


def test_a_file_has_one_closing_line_however_often_its_export_was_interrupted(filled, tmp_path):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    whole = file.read_bytes()
    assert whole.splitlines()[-1] == b'{"total":%d}' % MEMORIES
    # Killed before it was renamed, within the closing line, and before it.
    for cut in (0, 1, 5, 15):
        file.unlink()
        leave_begun(filled, file, whole[:len(whole) - cut])
        assert f"{MEMORIES} memories exported" in run(filled, "export", str(file))
        assert file.read_bytes() == whole


def test_an_import_tells_that_a_file_was_cut(filled, tmp_path):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    whole = file.read_bytes()
    at = whole.splitlines(keepends=True)
    elsewhere = on(filled, "elsewhere")
    for cut, stored in ((at[0], 0), (b"".join(at[:151]), 150), (b"".join(at[:152])[:-9], 150),
                        (b"".join(at[:-1]), MEMORIES), (whole[:-3], MEMORIES)):
        file.write_bytes(cut)
        for ran in (elsewhere.run("import", str(file)),
                    subprocess.run([BINARY, "import", "-"], input=cut, env=elsewhere.environment(), cwd=tmp_path,
                                   capture_output=True, timeout=60)):
            told = ran.stderr if isinstance(ran.stderr, str) else ran.stderr.decode()
            assert ran.returncode == 2 and "is not whole: it ends without its closing line" in told
            assert f"the {stored} memories before that are stored" in told
    file.write_bytes(whole)
    assert f"0 memories imported, {MEMORIES} were there already" in run(elsewhere, "import", str(file))


def test_an_import_tells_that_lines_are_missing_or_too_many(filled, tmp_path):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    at = file.read_bytes().splitlines(keepends=True)
    elsewhere = on(filled, "elsewhere")
    for changed in (at[:100] + at[101:], at[:100] + at[99:]):
        file.write_bytes(b"".join(changed))
        ran = elsewhere.run("import", str(file))
        assert ran.returncode == 2
        assert f"tells {MEMORIES} memories, {len(changed) - 2} are there and are stored" in ran.stderr
    file.write_bytes(b"".join(at + at))
    ran = elsewhere.run("import", str(file))
    assert ran.returncode == 2 and f"line {len(at) + 1}: it is behind the closing line" in ran.stderr


def test_imports_a_sorted_file_and_one_of_the_first_format(filled, tmp_path):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    at = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(sorted(at)))
    assert f"{MEMORIES} memories imported" in run(on(filled, "elsewhere"), "import", str(file))
    file.write_bytes(b'{"maas_export":1}\n' + b"".join(at[1:-1]))
    ran = on(filled, "older").run("import", str(file))
    assert ran.returncode == 0 and f"{MEMORIES} memories imported" in ran.stdout
    assert "can't tell whether it is whole" in ran.stderr


def test_an_export_leaves_a_file_that_is_there(filled, tmp_path):
    file = tmp_path / "there.ndjson"
    file.write_text("precious")
    ran = filled.run("export", str(file))
    assert ran.returncode == 2 and "exists already" in ran.stderr
    assert file.read_text() == "precious"


def test_goes_through_pipes(filled, tmp_path):
    exported = filled.run("export", "-")
    assert exported.returncode == 0 and f"{MEMORIES} memories exported" in exported.stderr
    elsewhere = on(filled, "elsewhere")
    imported = subprocess.run([BINARY, "import", "-"], input=exported.stdout, env=elsewhere.environment(),
                              cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert f"{MEMORIES} memories imported" in imported.stdout, imported.stderr


def remove(server, id: str, start_server):
    started = start_server(name="removes", **server.settings)
    with started.client() as client:
        client.delete(f"/ltm/memories/{id}").raise_for_status()
    started.stop()


@pytest.mark.parametrize("engine", ["embedded", "mongodb"])
def test_a_memory_removed_while_an_export_was_interrupted_stays_removed(filled, engine, request, tmp_path, start_server):
    file, again = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    run(filled, "export", str(file))
    source, settings = filled, {}
    if engine == "mongodb":
        settings = request.getfixturevalue("mongodb")
        source = on(filled, "source", **settings)
        run(source, "import", str(file))
    whole = file.read_bytes().splitlines(keepends=True)
    # Interrupted among the memories, and behind those that are gone: some had been removed by then, one is since.
    for i, begun in enumerate((whole[:MEMORIES // 2], whole[:-1])):
        told = json.loads(whole[5 + i])
        remove(source, told["id"], start_server)
        part = leave_begun(source, file, b"".join(begun), **settings)
        file.unlink()
        assert f"{MEMORIES} memories exported" in run(source, "export", str(file))
        of_it = [json.loads(line) for line in file.read_bytes().splitlines() if told["id"].encode() in line]
        assert len(of_it) == 1 and "memory" not in of_it[0]
        run(source, "export", str(again))
        assert again.read_bytes() == file.read_bytes()
        again.unlink()
        assert not [path for path in tmp_path.iterdir() if part.name in path.name]


def test_a_memory_that_comes_twice_is_imported_once(filled, mongodb, tmp_path):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    whole = file.read_bytes().splitlines(keepends=True)
    # As it was, then as it is, as a pipe tells what is removed meanwhile: close enough to come in one transaction.
    as_it_was = json.loads(whole[5])
    entry = as_it_was["history"][0] | {"id": "removed", "event": "DELETE", "old_memory": as_it_was["memory"],
                                       "new_memory": None}
    gone = {"tenant": as_it_was["tenant"], "id": as_it_was["id"], "history": [*as_it_was["history"], entry]}
    file.write_bytes(whole[0] + whole[5] + json.dumps(gone).encode() + b"\n" + whole[5] + b'{"total":3}\n')
    for name, settings in (("embedded", {}), ("elsewhere", mongodb)):
        assert "1 memories imported, 1 were there already\n1 are newer in the file" in run(
            on(filled, name, **settings), "import", str(file))


def test_an_export_leaves_somebodys_part_file(filled, tmp_path):
    part = tmp_path / "mine.part"
    for content in ("precious", "precious\nnotes\n"):
        part.write_text(content)
        ran = filled.run("export", str(tmp_path / "mine"))
        assert ran.returncode == 2 and "was not left by an export" in ran.stderr
        assert part.read_text() == content


def test_an_export_is_gone_on_with_from_its_own_engine_only(filled, mongodb, tmp_path):
    file, copy = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    run(filled, "export", str(file))
    whole = file.read_bytes()
    half = b"".join(whole.splitlines(keepends=True)[:MEMORIES // 2])
    elsewhere, on_mongodb = on(filled, "elsewhere"), on(filled, "elsewhere", **mongodb)
    for other in (elsewhere, on_mongodb):  # they hold the same memories
        run(other, "import", str(file))
        part = leave_begun(filled, copy, half)
        ran = other.run("export", str(copy))
        assert ran.returncode == 2
        assert f"was begun from another engine: embedded database {filled.settings['MAAS_DATA_DIR']}" in ran.stderr
        assert part.read_bytes() == half
    assert mongodb["MONGODB_URI"].removeprefix("mongodb://") in ran.stderr and mongodb["MONGODB_DB_NAME"] in ran.stderr
    assert f"{MEMORIES} memories exported" in run(filled, "export", str(copy))
    assert copy.read_bytes() == whole


def test_an_export_tells_of_a_part_that_does_not_tell_its_engine(filled, tmp_path):
    file, part = tmp_path / "1.ndjson", tmp_path / "1.ndjson.part"
    part.write_bytes(b'{"maas_export":2}\n')
    ran = filled.run("export", str(file))
    assert ran.returncode == 2 and "does not tell the engine that it was begun from" in ran.stderr
    part.unlink()
    # Killed while it told the engine, before it exported.
    tmp_path.joinpath("1.ndjson.part.from").write_text("embedded data")
    run(filled, "export", str(file))
    assert [path.name for path in tmp_path.glob("1.ndjson*")] == ["1.ndjson"]


def test_metadata_come_back_as_they_were(start_server, tmp_path):
    server = start_server()
    deep = json.loads("[" * 120 + "]" * 120)
    metadata = {"numbers": [97.15278068976325, 3971904.0025717467, 6.82081394030646e-09], "deep": deep}
    with server.client() as client:
        stored = Memories(client, user_id="u").add("remember", metadata=metadata)
    server.stop()
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    run(server, "export", str(first))
    elsewhere = on(server, "elsewhere")
    run(elsewhere, "import", str(first))
    run(elsewhere, "export", str(second))
    assert lines(second) == lines(first)
    told = json.loads(first.read_bytes().splitlines()[1])
    assert told["id"] == stored["id"] and told["metadata"] == metadata


def test_keeps_what_stands_before_a_line_that_is_too_long(filled, tmp_path):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    whole = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(whole[:31]) + b" " * (64 * 2**20 + 1) + whole[31])
    elsewhere = on(filled, "elsewhere")
    ran = elsewhere.run("import", str(file), timeout=200)
    assert ran.returncode == 2 and "line 32: it is longer than 64 MiB" in ran.stderr
    file.write_bytes(b"".join(whole))
    assert f"{MEMORIES - 30} memories imported, 30 were there already" in run(elsewhere, "import", str(file))


@pytest.mark.parametrize("broken, told", [
    ("{", "no JSON"), ('{"tenant":"t"}', "'id' of the memory is missing"), ("[1]", "no object"), ("\u00ff", "no JSON"),
])
def test_tells_the_line_that_is_wrong_and_keeps_those_before_it(filled, tmp_path, broken, told):
    file = tmp_path / "1.ndjson"
    run(filled, "export", str(file))
    whole = file.read_text(encoding="utf-8").split("\n")
    file.write_text("\n".join(whole[:151] + [broken] + whole[151:]), encoding="utf-8")
    elsewhere = on(filled, "elsewhere")
    ran = elsewhere.run("import", str(file))
    assert ran.returncode == 2
    assert "line 152" in ran.stderr and told in ran.stderr
    file.write_text("\n".join(whole), encoding="utf-8")
    assert f"{MEMORIES - 150} memories imported, 150 were there already" in run(elsewhere, "import", str(file))


def test_refuses_another_file(filled, tmp_path):
    for text in ("", "id,text\n1,tea\n", '{"maas_export":3}\n', '{"a":1}\n'):
        file = tmp_path / f"{uuid.uuid4()}"
        file.write_text(text)
        ran = on(filled, "elsewhere").run("import", str(file))
        assert ran.returncode == 2, text
        assert "line 1" in ran.stderr
    missing = on(filled, "elsewhere").run("import", str(tmp_path / "missing"))
    assert missing.returncode == 2 and os.strerror(2) in missing.stderr


def change_two(server) -> list[dict]:
    """Changes a memory and removes another, as both were; ends the server."""
    with server.client() as client:
        changed, removed = client.get("/ltm/memories", params={"user_id": "u3"}).json()["results"][:2]
        client.put(f"/ltm/memories/{changed['id']}", json={"data": "newer"}).raise_for_status()
        client.delete(f"/ltm/memories/{removed['id']}").raise_for_status()
    server.stop()
    return [changed, removed]


def test_leaves_what_is_newer_there(filled, tmp_path, start_server):
    file, after = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    run(filled, "export", str(file))
    elsewhere = on(filled, "elsewhere")
    run(elsewhere, "import", str(file))
    changed, removed = change_two(start_server(name="changed", **elsewhere.settings))
    told = run(elsewhere, "import", str(file))
    assert "2 are newer there, changed or removed since" in told and "newer in the file" not in told
    run(elsewhere, "export", str(after))
    found = {line["id"]: line for line in map(json.loads, after.read_text().splitlines()[1:-1])}
    assert found[changed["id"]]["memory"] == "newer"
    assert "memory" not in found[removed["id"]]


@pytest.mark.parametrize("engine", ["embedded", "mongodb"])
def test_tells_what_is_newer_in_the_file_and_leaves_it(filled, engine, request, tmp_path, start_server):
    file, newer, after = (tmp_path / f"{i}.ndjson" for i in range(3))
    run(filled, "export", str(file))
    elsewhere = on(filled, "elsewhere", **(request.getfixturevalue("mongodb") if engine == "mongodb" else {}))
    run(elsewhere, "import", str(file))
    changed, removed = change_two(start_server(name="changed", **filled.settings))
    run(filled, "export", str(newer))
    told = run(elsewhere, "import", str(newer))
    assert f"0 memories imported, {MEMORIES - 2} were there already\n2 are newer in the file" in told
    assert "newer there" not in told
    run(elsewhere, "export", str(after))
    assert lines(after) == lines(file)
