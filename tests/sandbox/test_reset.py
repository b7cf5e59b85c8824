import fcntl
import os
import subprocess
import sys

import pytest

from sandbox import local
from sandbox.errors import ServerFailed
from sandbox.reset import reset
from tests.sandbox.processes import ROOT

OURS = [
    "aws-state.json",
    "kind",
    "log/web.log",
    "postgres/PG_VERSION",
    "postgres.log",
    "secret-key",
    "static/portal.css",
    "valkey/appendonlydir/x",
    "valkey.log",
]
THEIRS = ["notes.txt", "backup/dump.sql"]


@pytest.fixture
def home(tmp_path):
    """A home with data of ours, and something of its owner's."""
    for name in [*OURS, *THEIRS, "start.lock"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def left_in(home):
    files = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return sorted(str(path.relative_to(home)) for path in files)


def test_only_what_we_made_is_forgotten(home):
    reset(home)

    assert left_in(home) == sorted(THEIRS)
    assert [path.name for path in home.iterdir() if path.is_dir()] == ["backup"]


def test_resetting_twice_is_resetting_once(home):
    reset(home)
    reset(home)

    assert left_in(home) == sorted(THEIRS)


def test_a_folder_that_is_no_home_stays_as_it_is(home):
    (home / "start.lock").unlink()

    reset(home)

    assert left_in(home) == sorted([*OURS, *THEIRS])


def test_a_home_that_is_not_there_is_no_error(tmp_path):
    reset(tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()


def test_nothing_is_forgotten_while_the_servers_run(tmp_path):
    with local.servers(tmp_path):
        with pytest.raises(ServerFailed, match="still runs on"):
            reset(tmp_path)

        assert (tmp_path / "postgres" / "PG_VERSION").exists()
    reset(tmp_path)
    assert not (tmp_path / "postgres").exists()


def run_reset(home):
    return subprocess.run(
        [sys.executable, "-m", "sandbox.reset"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "AMIPORTAL_HOME": str(home)},
    )


def test_the_command_resets_the_home_of_the_environment(home):
    done = run_reset(home)

    assert (done.returncode, done.stderr) == (0, "")
    assert left_in(home) == sorted(THEIRS)


def test_the_command_says_why_it_does_not(home):
    with local.alone(home):
        (home / "mark").touch()
    with (home / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        done = run_reset(home)

    assert done.returncode == 1
    assert done.stderr == f"The portal still runs on {home}. Stop it first.\n"
