"""The disk of the embedded engine is full or can't be written, under load, and is well again."""

import pytest
from faults.small_disk import small_disk
from faults.witness import Witness
from support.memories import WORDS_ONLY
from support.processes import Server

UNAVAILABLE = {503}


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        yield disk


@pytest.fixture
def server(disk, tmp_path):
    server = Server(tmp_path, **WORDS_ONLY, MAAS_DATA_DIR=str(disk.path / "data"))
    yield server
    server.kill()


def test_the_disk_is_full(disk, server, fault):
    server.start()
    with Witness(fault, server, allowed=UNAVAILABLE) as witness:
        witness.wait_for(50)
        for _ in range(3):
            disk.fill()
            witness.wait_for_refusals()
            disk.make_room()
            witness.wait_until_recovered()
            witness.wait_for(50)
    witness.verify()
    assert server.stop() == 0, server.log()
    server.start()  # what is on the disk is what was told
    witness.verify_stored()


def test_the_disk_is_full_when_the_server_is_killed(disk, server, fault):
    server.start()
    with Witness(fault, server, allowed=UNAVAILABLE) as witness:
        witness.wait_for(50)
        disk.fill()
        witness.wait_for_refusals()
        server.kill()
        disk.make_room()
        server.start()
        witness.wait_until_recovered()
        witness.wait_for(50)
    witness.verify()


def test_a_read_only_data_directory_is_named_at_the_start(disk, server):
    server.start()
    assert server.stop() == 0
    disk.remount("ro")
    server.spawn_server()
    assert server.process.wait(20) == 1
    assert f"the data directory {disk.path}/data can't be written: Read-only file system" in server.log()
    disk.remount("rw")
    server.start()
