import os
import subprocess
import sys
from contextlib import ExitStack

import psycopg
import pytest

from sandbox.postgres import Postgres
from sandbox.postmaster import answers, end_orphan, running_sockets
from tests.sandbox.asking import ask
from tests.sandbox.processes import NOBODY


def test_a_full_server_answers(postgres):
    with ExitStack() as stack:
        number = int(ask(postgres, "SHOW max_connections")[0])
        for _ in range(number):
            stack.enter_context(psycopg.connect(postgres.url("postgres")))

        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            psycopg.connect(postgres.url("postgres"))

        assert answers(postgres.sockets)


def test_where_nobody_listens_nobody_answers(tmp_path):
    assert not answers(tmp_path)


@pytest.mark.parametrize("text", ["", "123\n/data\n"], ids=["empty", "still starting"])
def test_a_server_that_is_starting_does_not_run(tmp_path, text):
    (tmp_path / "postmaster.pid").write_text(text)

    assert running_sockets(tmp_path) is None


def test_an_orphan_is_ended_in_order(folder, guardian):
    server = Postgres(folder)
    server.start(guardian)

    end_orphan(folder)

    assert server.process.wait(timeout=10) == 0
    assert running_sockets(folder) is None
    server.stop(guardian)


def test_a_process_that_has_the_id_of_one_that_was_killed_is_left_alone(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (tmp_path / "postmaster.pid").write_text(f"{child.pid}\n{tmp_path}\n0\n5432\n/x\n\n")

    end_orphan(tmp_path)

    assert child.poll() is None
    child.kill()
    child.wait()


def test_a_server_on_other_data_that_has_the_id_is_left_alone(postgres, tmp_path):
    lines = (postgres.folder / "postmaster.pid").read_text()
    (tmp_path / "postmaster.pid").write_text(lines.replace(str(postgres.sockets), "/nowhere"))

    end_orphan(tmp_path)

    assert ask(postgres, "SELECT 1") == (1,)


@pytest.mark.parametrize("holder", ["a stranger", "the dead"])
def test_a_mark_of_one_that_was_killed_does_not_keep_it_from_starting(folder, guardian, holder):
    # Of the user that the server runs as: whether others live, it cannot ask.
    user = NOBODY if os.geteuid() == 0 else None
    child = subprocess.Popen(["/bin/sleep", "600"], user=user)
    if holder == "the dead":
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # not buried
    lines = [child.pid, folder, 0, 5432, "/nowhere", "", "", "stopping"]
    server = Postgres(folder)
    server.start(guardian)
    server.stop(guardian)
    (folder / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))

    server.start(guardian)
    answer = ask(server, "SELECT 1")
    server.stop(guardian)

    assert answer == (1,)
    child.kill()
    child.wait()
