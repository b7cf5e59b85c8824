import stat
from pathlib import Path

import pytest
import redis

from sandbox.errors import ServerFailed, ServerMissing
from sandbox.guardian import Guardian
from sandbox.valkey import Valkey, answers, binary, end_orphan, redis_url, running_socket
from tests.sandbox.processes import are_gone

AWKWARD = [
    pytest.param("h" * 120, id="a long name"),
    pytest.param("a home, 'with' \"signs\" \\ % & ü 漢", id="an odd name"),
]


@pytest.fixture(scope="module")
def guardian():
    guardian = Guardian()
    yield guardian
    guardian.close()


@pytest.fixture
def valkey(tmp_path, guardian):
    """A server that runs."""
    server = Valkey(tmp_path / "valkey")
    server.start(guardian)
    yield server
    server.stop(guardian)


def open_(server):
    return redis.from_url(server.url)


def test_it_answers_where_it_says(valkey):
    with open_(valkey) as client:
        client.set("a", "b")

        assert client.get("a") == b"b"
    assert answers(valkey.socket)
    assert running_socket(valkey.folder) == valkey.socket


def test_only_we_can_reach_it(valkey):
    with open_(valkey) as client:
        port = client.config_get("port")["port"]

    assert stat.S_IMODE(valkey.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(valkey.socket.stat().st_mode) == 0o700
    assert port == "0"


def test_it_forgets_nothing_to_save_memory(valkey):
    with open_(valkey) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_stopped_server_leaves_nothing_but_its_data(tmp_path, guardian):
    server = Valkey(tmp_path / "valkey")
    server.start(guardian)
    pid, socket = server.process.pid, server.socket

    server.stop(guardian)

    assert are_gone({pid}, seconds=1)
    assert not socket.parent.exists()
    assert running_socket(server.folder) is None
    assert not (server.folder / "socket").exists()


@pytest.mark.parametrize("end", ["in order", "by a kill"])
def test_a_second_start_goes_on_with_the_data(tmp_path, guardian, end):
    first, second = Valkey(tmp_path / "valkey"), Valkey(tmp_path / "valkey")
    first.start(guardian)
    old = first.socket
    with open_(first) as client:
        client.set("kept", "it is here")
    if end == "by a kill":
        first.process.kill()
        first.process.wait()
    else:
        first.stop(guardian)

    second.start(guardian)
    with open_(second) as client:
        found = client.get("kept")
    second.stop(guardian)

    assert found == b"it is here"
    assert not old.parent.exists()


def test_a_note_of_a_killed_server_leads_nowhere(tmp_path, guardian):
    server = Valkey(tmp_path / "valkey")
    server.start(guardian)
    server.process.kill()
    server.process.wait()

    assert running_socket(server.folder) is None
    server.stop(guardian)


def test_started_again_it_is_where_it_was(valkey, guardian):
    before = valkey.url
    valkey.process.kill()
    valkey.process.wait()

    valkey.start(guardian)

    assert valkey.url == before
    assert answers(valkey.socket)


@pytest.mark.parametrize("name", AWKWARD)
def test_a_home_may_have(tmp_path, guardian, name):
    first, second = Valkey(tmp_path / name / "valkey"), Valkey(tmp_path / name / "valkey")
    first.start(guardian)
    with open_(first) as client:
        client.set("kept", "it is here")
    first.stop(guardian)

    second.start(guardian)
    with open_(second) as client:
        found = client.get("kept")
    second.stop(guardian)

    assert found == b"it is here"


def test_an_orphan_is_ended_with_its_data_kept(tmp_path, guardian):
    server, after = Valkey(tmp_path / "valkey"), Valkey(tmp_path / "valkey")
    server.start(guardian)
    with open_(server) as client:
        client.set("kept", "it is here")

    end_orphan(server.folder)
    code = server.process.wait(timeout=10)
    after.start(guardian)
    with open_(after) as client:
        found = client.get("kept")
    after.stop(guardian)
    server.stop(guardian)

    assert (code, found) == (0, b"it is here")


def test_where_there_is_no_orphan_none_is_ended(tmp_path):
    end_orphan(tmp_path)

    assert running_socket(tmp_path) is None


# What goes wrong


def test_two_servers_never_share_their_data(valkey, guardian):
    with pytest.raises(ServerFailed, match="already runs"):
        Valkey(valkey.folder).start(guardian)

    assert answers(valkey.socket)


def test_who_does_not_start_says_where_the_reason_is(tmp_path, guardian):
    folder = tmp_path / "valkey"
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")
    server = Valkey(folder)

    with pytest.raises(ServerFailed, match=r"did not start\. Its log says why: .*valkey\.log"):
        server.start(guardian)
    server.stop(guardian)

    assert server.log.read_text()


def test_without_having_been_started_it_has_no_url(tmp_path):
    with pytest.raises(ServerFailed, match="has not been started"):
        _ = Valkey(tmp_path).url


# Where it comes from


def program(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_it_comes_from_the_wheel():
    assert binary().name == "valkey-server"


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_a_wheel_it_comes_from_the_path(tmp_path, name):
    there = program(tmp_path, name)

    assert binary("no_such_wheel", f"/nowhere:{tmp_path}") == there


def test_valkey_comes_before_redis(tmp_path):
    program(tmp_path, "redis-server")
    there = program(tmp_path, "valkey-server")

    assert binary("no_such_wheel", str(tmp_path)) == there


def test_where_there_is_none_it_says_what_to_do():
    with pytest.raises(ServerMissing, match=r"Install one, or set REDIS_URL"):
        binary("no_such_wheel", "")


@pytest.mark.parametrize("socket", ["/run/amiportal-x/v", "/a b/%41&x=y/ü#?"], ids=["usual", "odd"])
def test_the_url_leads_to_the_socket_whatever_its_name(socket):
    client = redis.from_url(redis_url(Path(socket)))

    assert client.connection_pool.connection_kwargs["path"] == socket
    assert client.connection_pool.connection_kwargs["db"] == 0
    client.close()
