"""The servers of a home, used by several processes that come, go and are killed."""

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from sandbox import local
from sandbox.errors import ServerFailed
from sandbox.guardian import Guardian, processes
from sandbox.postgres import Postgres
from sandbox.valkey import Valkey
from tests.sandbox.processes import (
    AS_NOBODY,
    NOBODY,
    ROOT,
    are_gone,
    becomes,
    descendants,
    leave,
    running,
    said,
    warned,
)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """A home that the tests of this file use one after another: its data are made once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def home(shared_home):
    """A home in which nothing runs, before and after."""
    assert local.running(shared_home) is None
    yield shared_home
    with local.alone(shared_home):  # waits for a guardian that still works
        return


def using(home, *options, prefix=None):
    """Start a process that uses the servers of a home until its input ends."""
    return running("-m", "tests.sandbox.using", str(home), *options, prefix=prefix)


def urls(process):
    line = said(process)
    assert line, process.stderr.read()
    return json.loads(line)


def work(where):
    """Use both servers, and return how often that has been done."""
    with psycopg.connect(where["database"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        (rows,) = connection.execute("SELECT count(*) FROM kept").fetchone() or (0,)
    with redis.from_url(where["redis"]) as client:
        return rows, client.incr("kept")


def servers_of(home, where):
    """Return the process ids of PostgreSQL and Valkey."""
    with redis.from_url(where["redis"]) as client:
        valkey = client.info("server")["process_id"]
    return {pid_of_postgres(home), valkey}


def sockets_of(home):
    """Return the folders in which the servers have their sockets."""
    notes = (home / "postgres.socket", home / "valkey" / "socket")
    return [Path(note.read_text()).parent for note in notes]


def pid_of_postgres(home):
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def guardian_of(process):
    (pid,) = (pid for pid in descendants(process.pid) if "guardian.py" in command_of(pid))
    return pid


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


# Coming and going


def test_the_second_shares_what_the_first_has_started(home):
    with using(home) as first:
        one = urls(first)
        with using(home) as second:
            two = urls(second)
            work(two)

            assert one == two
            assert leave(second) == 0
        assert work(one)
        assert leave(first) == 0

    assert local.running(home) is None


def test_who_starts_them_again_finds_the_data(home):
    with using(home) as first:
        before = work(urls(first))
        leave(first)

    with using(home) as again:
        after = work(urls(again))
        leave(again)

    assert after == tuple(number + 1 for number in before)


def test_who_started_them_waits_for_the_others(home):
    with using(home) as first:
        where = urls(first)
        with using(home) as second:
            urls(second)
            first.stdin.close()
            notice = warned(first)

            assert "waiting until they are done" in notice
            assert work(where)
            assert first.poll() is None
            leave(second)
        assert first.wait(timeout=30) == 0


def test_others_come_and_go_while_it_waits(home):
    with using(home) as first:
        where = urls(first)
        with using(home) as second:
            urls(second)
            first.stdin.close()
            warned(first)

            with using(home) as third:
                assert urls(third) == where
                assert leave(third) == 0
            leave(second)
        assert first.wait(timeout=30) == 0


def test_it_waits_also_when_it_failed(home):
    with using(home, "--fails") as first:
        where = urls(first)
        with using(home) as second:
            urls(second)
            first.stdin.close()
            warned(first)

            assert work(where)
            leave(second)
        assert first.wait(timeout=30) == 3


def test_who_runs_for_long_does_not_wait(home):
    with using(home, "--keeps") as first:
        urls(first)
        with using(home) as second:
            urls(second)

            assert leave(first) == 0

    assert local.running(home) is None


def test_who_comes_while_they_are_stopped_starts_them_again(home):
    with using(home) as first:
        urls(first)
        first.stdin.close()
        with using(home) as second:
            assert work(urls(second))
            assert leave(second) == 0
        assert first.wait(timeout=30) == 0


def test_many_at_once_on_a_new_home_share_the_servers(tmp_path):
    with using(tmp_path) as a, using(tmp_path) as b, using(tmp_path) as c:
        with ThreadPoolExecutor(3) as pool:
            where = list(pool.map(urls, (a, b, c)))

        assert where[0] == where[1] == where[2]
        for process in (a, b, c):
            process.stdin.close()
        assert [process.wait(timeout=30) for process in (a, b, c)] == [0, 0, 0]

    assert local.running(tmp_path) is None


# Being killed


def test_a_kill_leaves_no_orphan_and_the_next_finds_the_data(home):
    with using(home) as first:
        where = urls(first)
        before = work(where)
        everyone = servers_of(home, where) | descendants(first.pid)
        sockets = sockets_of(home)

        first.kill()
        with using(home) as second:  # at once: the guardian is still at work
            after = work(urls(second))

            assert after == tuple(number + 1 for number in before)
            assert are_gone(everyone, seconds=5)
            assert [path for path in sockets if path.exists()] == []


def test_who_comes_while_the_guardian_is_at_work_waits_for_it(home):
    with using(home) as first:
        urls(first)
        with using(home) as user:
            urls(user)
            guardian = guardian_of(first)
            os.kill(guardian, signal.SIGSTOP)
            first.kill()
            first.wait()

            with using(home) as third, ThreadPoolExecutor(1) as pool:
                coming = pool.submit(urls, third)
                came_at_once = becomes(coming.done, seconds=1)
                os.kill(guardian, signal.SIGCONT)
                where = coming.result()

                assert not came_at_once
                assert work(where)


def test_a_kill_of_everything_in_python_is_cleaned_up_by_the_next(home):
    with using(home) as first:
        where = urls(first)
        before = work(where)
        servers, sockets = servers_of(home, where), sockets_of(home)
        os.kill(guardian_of(first), signal.SIGKILL)
        first.kill()
        first.wait()
        survivors = servers & processes().keys()

        with using(home) as second:
            after = work(urls(second))

            assert survivors == servers
            assert are_gone(servers, seconds=5)
            assert [path for path in sockets if path.exists()] == []
            assert after == tuple(number + 1 for number in before)


def test_orphans_that_somebody_uses_are_left_to_them(home):
    with using(home) as first:
        where = urls(first)
        with using(home) as user:
            urls(user)
            os.kill(guardian_of(first), signal.SIGKILL)
            first.kill()
            first.wait()

            with using(home) as third:
                assert urls(third) == where
                leave(third)
            assert work(where)
            leave(user)


def test_a_killed_user_does_not_hold_up_who_started_them(home):
    with using(home) as first:
        urls(first)
        with using(home) as second:
            urls(second)
            second.kill()
            second.wait()

            assert leave(first) == 0


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_who_runs_for_long_starts_again_what_ends(home, name):
    with using(home, "--keeps") as first:
        where = urls(first)
        before = work(where)
        dead = servers_of(home, where)
        database = pid_of_postgres(home)
        victims = {database} if name == "postgres" else dead - {database}

        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        are_gone(victims)

        assert becomes(lambda: local.running(home))
        assert work(where) == tuple(number + 1 for number in before)
        assert leave(first) == 0


# Homes


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("h" * 120, id="a long name"),
        pytest.param("a home, 'with' \"signs\" % & ü 漢", id="an odd name"),
        pytest.param("new/deep/down", id="no parent"),
    ],
)
def test_a_home_may_have(tmp_path, name):
    home = tmp_path / name

    with using(home) as first:
        where = urls(first)
        with using(home) as second:
            assert urls(second) == where
            assert work(where)


def test_nobody_else_can_look_into_a_home(tmp_path):
    with local.servers(tmp_path / "home"):
        mode = stat.S_IMODE((tmp_path / "home").stat().st_mode)

    assert mode == 0o700


def nobody():
    """Return the words that make a command somebody's who is not root."""
    return AS_NOBODY if os.geteuid() == 0 else []


def test_one_need_not_be_root(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    if os.geteuid() == 0:
        os.chown(mine, NOBODY, NOBODY)
    home = mine / "home"

    with using(home, prefix=nobody()) as process:
        where = urls(process)
        owner = (home / "postgres").stat().st_uid
        work(where)

        assert owner == (NOBODY if os.geteuid() == 0 else os.geteuid())
        assert leave(process) == 0


def forbidden(home):
    """Make a folder that the command with these words before it may not enter."""
    if os.geteuid() != 0:
        home.mkdir(mode=0)
        return []
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]


def test_who_may_not_use_a_home_is_told(tmp_path):
    home = tmp_path / "home"

    with using(home, prefix=forbidden(home)) as process:
        code = process.wait(timeout=30)
        told = process.stderr.read()

    assert code == 1
    assert f"{home}/start.lock belongs to somebody else" in told
    assert "AMIPORTAL_HOME" in told


# A home for oneself


def test_a_home_that_is_used_is_not_given_away(home):
    with using(home) as process:
        urls(process)

        with pytest.raises(ServerFailed, match="still runs on"), local.alone(home):
            pass


def test_a_home_is_not_given_away_while_the_portal_runs_on_other_servers(home):
    with (home / "up.lock").open("w") as lock:
        subprocess.run(
            [sys.executable, "-c", "import fcntl; fcntl.flock(0, fcntl.LOCK_EX)"],
            stdin=lock,
            check=True,
        )

        with pytest.raises(ServerFailed, match="still runs on"), local.alone(home):
            pass


def test_while_one_is_alone_nobody_comes_in(home):
    with local.alone(home), using(home) as process, ThreadPoolExecutor(1) as pool:
        line = pool.submit(said, process)
        has_come = becomes(line.done, seconds=1)
        process.kill()

    assert not has_come


def test_servers_that_nobody_can_end_any_more_are_ended(home):
    guardian = Guardian()
    lost = (Postgres(home / "postgres"), Valkey(home / "valkey"))
    for server in lost:
        server.start(guardian)
    before = local.running(home)

    with local.alone(home):
        after = local.running(home)

    assert before
    assert after is None
    for server in lost:
        server.stop(guardian)
    guardian.close()


# The secret key

KEY = """
import os, sys
from pathlib import Path
from sandbox.local import ensure_secret_key

ensure_secret_key(Path(sys.argv[1]))
print(os.environ["AMIPORTAL_SECRET_KEY"])
"""


def key_of(home, code=KEY, **environment):
    usual = {name: value for name, value in os.environ.items() if "SECRET" not in name}
    return subprocess.run(
        [sys.executable, "-c", code, str(home)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**usual, **environment},
    ).stdout.strip()


RACE = """
import multiprocessing, os, sys
from pathlib import Path
from sandbox.local import ensure_secret_key

def make(home, start, keys):
    start.wait()
    ensure_secret_key(home)
    keys.put(os.environ["AMIPORTAL_SECRET_KEY"])

fork = multiprocessing.get_context("fork")
for number in range(20):
    start, keys, home = fork.Barrier(6), fork.Queue(), Path(sys.argv[1]) / str(number)
    racers = [fork.Process(target=make, args=(home, start, keys)) for _ in range(6)]
    for racer in racers:
        racer.start()
    print(*{keys.get() for _ in racers})
    for racer in racers:
        racer.join()
"""


def test_a_secret_key_is_made_once_however_many_want_it(tmp_path):
    keys = key_of(tmp_path, RACE).splitlines()

    assert [len(line.split()) for line in keys] == [1] * 20
    assert len(set(keys)) == 20
    assert min(map(len, keys)) > 50
    assert {file.name for file in tmp_path.glob("*/*")} == {"secret-key"}


def test_a_secret_key_is_for_nobody_else(tmp_path):
    key_of(tmp_path)

    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_a_secret_key_stays(tmp_path):
    assert key_of(tmp_path) == key_of(tmp_path)


def test_a_given_secret_key_is_used(tmp_path):
    assert key_of(tmp_path, AMIPORTAL_SECRET_KEY="given") == "given"
    assert list(tmp_path.iterdir()) == []
