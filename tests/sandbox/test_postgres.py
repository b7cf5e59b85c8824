import os
import signal
import stat
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from sandbox.errors import ServerFailed, ServerMissing
from sandbox.guardian import family
from sandbox.postgres import (
    Postgres,
    binaries,
    database_url,
    ensure_database,
    identity,
)
from sandbox.postmaster import answers, running_sockets
from tests.sandbox.asking import ask
from tests.sandbox.processes import are_gone, becomes, descendants, running, said

AWKWARD = [
    pytest.param("h" * 120, id="a long name"),
    pytest.param("a home, 'with' \"signs\" \\ % & ü 漢", id="an odd name"),
]


def test_it_answers_where_it_says(postgres, folder):
    assert ask(postgres, "SELECT 6 * 7") == (42,)
    assert answers(postgres.sockets)
    assert running_sockets(folder) == postgres.sockets


def test_only_we_can_reach_it(postgres):
    assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
    assert ask(postgres, "SHOW listen_addresses") == ("",)


def test_it_speaks_utf_8(postgres):
    assert ask(postgres, "SHOW server_encoding") == ("UTF8",)


def test_a_stopped_server_leaves_nothing_but_its_data(folder, guardian):
    server = Postgres(folder)
    server.start(guardian)
    sockets, everyone = server.sockets, family({server.process.pid})

    server.stop(guardian)

    assert are_gone(everyone, seconds=1)
    assert not sockets.exists()
    assert running_sockets(folder) is None
    assert sorted(path.name for path in folder.parent.iterdir()) == ["postgres", "postgres.log"]


def test_stopping_twice_is_stopping_once(folder, guardian):
    server = Postgres(folder)
    server.start(guardian)

    server.stop(guardian)
    server.stop(guardian)

    assert server.process is None


def test_a_second_start_goes_on_with_the_data(folder, guardian):
    first, second = Postgres(folder), Postgres(folder)
    first.start(guardian)
    ask(first, "CREATE TABLE kept AS SELECT 'it is here' AS word")
    first.stop(guardian)

    second.start(guardian)
    found = ask(second, "SELECT word FROM kept")
    ask(second, "DROP TABLE kept")
    second.stop(guardian)

    assert found == ("it is here",)


def test_after_a_kill_the_next_start_goes_on_and_cleans_up(folder, guardian):
    first, second = Postgres(folder), Postgres(folder)
    first.start(guardian)
    ask(first, "CREATE TABLE kept AS SELECT 'it is here' AS word")
    everyone = family({first.process.pid})
    first.process.kill()
    first.process.wait()
    are_gone(everyone)
    stale = running_sockets(folder)

    second.start(guardian)
    found = ask(second, "SELECT word FROM kept")
    ask(second, "DROP TABLE kept")
    second.stop(guardian)

    assert stale is None
    assert found == ("it is here",)
    assert not first.sockets.exists()


def test_started_again_it_is_where_it_was(postgres, guardian):
    before = postgres.url()
    everyone = family({postgres.process.pid})
    postgres.process.kill()
    postgres.process.wait()
    are_gone(everyone)

    postgres.start(guardian)

    assert postgres.url() == before
    assert ask(postgres, "SELECT 1") == (1,)


@pytest.mark.parametrize(
    "leftover", ["postgres.new/PG_VERSION", "postgres/base/1"], ids=["draft", "without a version"]
)
def test_a_start_that_was_killed_while_it_made_the_data_is_no_harm(tmp_path, guardian, leftover):
    (tmp_path / leftover).parent.mkdir(parents=True)
    (tmp_path / leftover).write_text("18\n")
    server = Postgres(tmp_path / "postgres", durable=False)

    server.start(guardian)
    answer = ask(server, "SELECT 1")
    server.stop(guardian)

    assert answer == (1,)
    assert not (tmp_path / "postgres.new").exists()


@pytest.mark.parametrize("name", AWKWARD)
def test_a_home_may_have(tmp_path, guardian, name):
    server = Postgres(tmp_path / name / "postgres", durable=False)

    server.start(guardian)
    answer, found = ask(server, "SELECT 1"), running_sockets(server.folder)
    sockets = server.sockets
    server.stop(guardian)

    assert answer == (1,)
    assert found == sockets


def test_a_database_is_made_once(postgres):
    ensure_database(postgres.sockets, 'odd "name"')
    ensure_database(postgres.sockets, 'odd "name"')

    found = ask(postgres, "SELECT count(*) FROM pg_database WHERE datname LIKE 'odd%'")
    ask(postgres, 'DROP DATABASE "odd ""name"""')
    assert found == (1,)


def test_two_servers_never_share_their_data(postgres, guardian):
    second = Postgres(postgres.folder)

    with pytest.raises(ServerFailed, match="already runs"):
        second.start(guardian)

    assert ask(postgres, "SELECT 1") == (1,)


# What goes wrong


def test_data_of_another_version_are_left_alone(tmp_path, guardian):
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("12\n")

    with pytest.raises(ServerFailed, match=r"are of PostgreSQL 12, the server here is 18\."):
        Postgres(folder).start(guardian)

    assert (folder / "PG_VERSION").read_text() == "12\n"


def test_who_does_not_start_says_where_the_reason_is(tmp_path, guardian):
    folder = tmp_path / "postgres"
    folder.mkdir(mode=0o700)
    (folder / "PG_VERSION").write_text("18\n")
    server = Postgres(folder)

    with pytest.raises(ServerFailed, match=r"did not start\. Its log says why: .*postgres\.log"):
        server.start(guardian)
    server.stop(guardian)

    assert server.log.read_text()
    assert list(tmp_path.glob("*.socket")) == []


def test_without_having_been_started_it_has_no_url(tmp_path):
    with pytest.raises(ServerFailed, match="has not been started"):
        Postgres(tmp_path).url()


# Where it comes from


def program(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_it_comes_from_the_wheel():
    assert binaries().parent.name == "pginstall18"


def test_without_a_wheel_it_comes_from_the_path(tmp_path):
    there = program(tmp_path / "bin", "initdb", "postgres")

    found = binaries("no_such_wheel", f"/nowhere:{there}", tmp_path / "none")

    assert found == there


def test_half_of_it_on_the_path_is_not_enough(tmp_path):
    half = program(tmp_path / "bin", "initdb")
    whole = program(tmp_path / "lib" / "16" / "bin", "initdb", "postgres")

    assert binaries("no_such_wheel", str(half), tmp_path / "lib") == whole


def test_of_those_that_the_system_has_the_newest_is_taken(tmp_path):
    for version in ("9", "15", "16"):
        program(tmp_path / version / "bin", "initdb", "postgres")
    program(tmp_path / "17" / "bin", "initdb")

    assert binaries("no_such_wheel", "", tmp_path) == tmp_path / "16" / "bin"


def test_where_there_is_none_it_says_what_to_do(tmp_path):
    with pytest.raises(ServerMissing, match=r"Install PostgreSQL, or set DATABASE_URL"):
        binaries("no_such_wheel", "", tmp_path)


def test_root_becomes_somebody_else():
    assert "--reuid=65534" in identity(0, os.environ["PATH"])


def test_anybody_else_is_who_they_are():
    assert identity(1000, "") == []


def test_root_without_setpriv_is_told_what_to_do():
    with pytest.raises(ServerMissing, match=r"setpriv .*Start the portal as another user"):
        identity(0, "")


@pytest.mark.parametrize("sockets", ["/run/amiportal-x", "/a b/%41&x=y/ü#?"], ids=["usual", "odd"])
def test_the_url_leads_to_the_socket_whatever_its_name(sockets):
    parts = conninfo_to_dict(database_url(Path(sockets), "amiportal"))

    assert parts == {"user": "postgres", "dbname": "amiportal", "host": sockets}


def test_a_killed_start_leaves_no_initdb(tmp_path):
    code = (
        "import sys; from pathlib import Path; from sandbox.guardian import Guardian; "
        "from sandbox.postgres import Postgres; print(1, flush=True); "
        "Postgres(Path(sys.argv[1])).start(Guardian())"
    )
    with running("-c", code, str(tmp_path / "postgres")) as process:
        said(process)
        becomes((tmp_path / "postgres.new" / "PG_VERSION").exists)
        everyone = descendants(process.pid)

        os.kill(process.pid, signal.SIGKILL)

        assert len(everyone) > 1
        assert are_gone(everyone, seconds=5)
        assert not (tmp_path / "postgres.new" / "base" / "5").exists()  # its last database
