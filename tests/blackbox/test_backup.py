"""`maas backup`: a copy made while the server writes is whole and serves the same."""

import shutil
import sqlite3
import threading

from support.processes import Server, serving
from support.sessions import Session, message


def database_name(server: Server) -> str:
    """The file in the data directory that is an SQLite database."""
    found = [file.name for file in (server.directory / "data").iterdir()
             if file.is_file() and file.read_bytes()[:16] == b"SQLite format 3\0"]
    assert len(found) == 1
    return found[0]


def test_a_restored_backup_serves_the_same(tmp_path):
    copy = tmp_path / "copy"
    with serving(tmp_path) as server, server.client() as client:
        kept = {name: Session(client, name).append(message("é\0", metadata={"n": 1}), name)
                for name in ("a", "b/c", "🙂")}
        Session(client, "a").configure(strategy="token_threshold", max_tokens=99)
        settings = Session(client, "a").settings()
        ended = server.run("backup", str(copy))
        assert ended.returncode == 0, ended.stderr
        Session(client, "a").append("later than the copy")
        name = database_name(server)
    restored = tmp_path / "restored" / "data"
    restored.mkdir(parents=True)
    shutil.copy(copy, restored / name)
    with serving(restored.parent) as server, server.client() as client:
        assert {name: Session(client, name).messages() for name in kept} == kept
        assert Session(client, "a").settings() == settings
        assert len(Session(client, "a").append("goes on")) == 1


def test_what_is_written_is_for_the_eyes_of_its_user_alone(tmp_path):
    with serving(tmp_path) as server, server.client() as client:
        Session(client, "a").append("for nobody else")
        assert server.run("backup", str(tmp_path / "copy")).returncode == 0
        data = server.directory / "data"
        written = [data, *data.iterdir(), tmp_path / "copy"]
        assert len(written) >= 3
        assert [file for file in written if file.stat().st_mode & 0o077] == []


def test_a_backup_made_while_messages_are_written_is_whole(tmp_path):
    copy = tmp_path / "copy"
    written = []
    stop = threading.Event()
    with serving(tmp_path) as server, server.client() as client:
        session = Session(client, "s")
        session.append(*("filling " * 200 for _ in range(1000)))

        def write():
            with server.client() as own:
                while not stop.is_set():
                    written.extend(Session(own, "s").append("one", "two"))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            ended = server.run("backup", str(copy))
            acknowledged_before_the_end = len(session.messages())
        finally:
            stop.set()
            thread.join()
        assert ended.returncode == 0, ended.stderr
        everything = session.messages()
        name = database_name(server)
    with sqlite3.connect(copy) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    restored = tmp_path / "restored" / "data"
    restored.mkdir(parents=True)
    shutil.copy(copy, restored / name)
    with serving(restored.parent) as server, server.client() as client:
        messages = Session(client, "s").messages()
    assert 1000 <= len(messages) <= acknowledged_before_the_end
    assert len(messages) % 2 == 0, "an append is in the copy as a whole or not at all"
    assert messages == everything[:len(messages)]


def test_an_existing_file_is_not_overwritten(tmp_path):
    existing = tmp_path / "precious"
    existing.write_text("do not lose me")
    with serving(tmp_path) as server:
        ended = server.run("backup", str(existing))
    assert ended.returncode != 0
    assert str(existing) in ended.stderr
    assert existing.read_text() == "do not lose me"


def test_a_backup_that_can_not_be_written_says_so(tmp_path):
    with serving(tmp_path) as server:
        ended = server.run("backup", str(tmp_path / "no" / "such" / "directory" / "copy"))
    assert ended.returncode in (1, 2)
    assert ended.stderr.strip()
    assert not (tmp_path / "no").exists()
