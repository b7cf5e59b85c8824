import fcntl
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from sandbox.guardian import Guardian, family, left_behind, parents, processes, send
from tests.sandbox.processes import are_gone, becomes, descendants, running, said

# Starts a tree of processes, gives its root to a guardian, and tells all their ids.
PARENT = """
import os, signal, subprocess, sys
from sandbox.guardian import Guardian

CHILD = '''
import os, signal, subprocess, sys, time
kind = sys.argv[1]
if kind == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if kind == "family":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
if kind == "leaving":
    print("ready", flush=True)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
    sys.exit()
print("ready", flush=True)
time.sleep(600)
'''
guardian = Guardian()
child = subprocess.Popen(
    [sys.executable, "-c", CHILD, sys.argv[1]], start_new_session=True, stdout=subprocess.PIPE
)
guardian.watch(child.pid)
child.stdout.readline()
if sys.argv[1] == "leaving":
    child.wait()
print(child.pid, guardian.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["plain", "family", "stubborn", "leaving"])
def test_a_killed_parent_leaves_no_orphan(kind):
    with running("-c", PARENT, kind) as parent:
        child, guardian = map(int, said(parent).split())
        orphans = family({child})
        everyone = orphans | {guardian, *descendants(parent.pid)}

        os.kill(parent.pid, signal.SIGKILL)

        assert orphans
        assert are_gone(everyone, seconds=5)


def test_a_guardian_that_was_killed_is_replaced():
    guardian, child = Guardian(), sleeping()
    guardian.watch(child.pid)
    first = guardian.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    other = sleeping()

    guardian.watch(other.pid)
    guardian.close()

    assert guardian.pid != first
    assert [child.wait(timeout=10), other.wait(timeout=10)] == [-signal.SIGTERM] * 2


def test_a_guardian_that_was_killed_is_replaced_at_the_latest_at_the_end():
    guardian, child = Guardian(), sleeping()
    guardian.watch(child.pid)
    os.kill(guardian.pid, signal.SIGKILL)
    os.waitid(os.P_PID, guardian.pid, os.WEXITED | os.WNOWAIT)

    guardian.close()

    assert child.wait(timeout=10) == -signal.SIGTERM


CLEARING = """
import sys
from pathlib import Path
from sandbox.guardian import Guardian

guardian = Guardian()
guardian.clear(Path(sys.argv[1]))
print(guardian.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["usual", "a folder, 'with' signs ü"])
def test_what_is_for_this_time_only_goes_with_a_killed_parent(tmp_path, name):
    (tmp_path / name / "deep").mkdir(parents=True)
    (tmp_path / name / "deep" / "file").touch()
    with running("-c", CLEARING, str(tmp_path / name)) as parent:
        guardian = int(said(parent))

        parent.kill()

        assert are_gone({guardian}, seconds=5)
        assert list(tmp_path.iterdir()) == []


def test_a_guardian_that_was_killed_forgets_no_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    guardian = Guardian()
    guardian.clear(folder)
    os.kill(guardian.pid, signal.SIGKILL)
    os.waitid(os.P_PID, guardian.pid, os.WEXITED | os.WNOWAIT)

    guardian.close()

    assert not folder.exists()


def test_what_was_released_is_left_alone():
    guardian, kept, released = Guardian(), sleeping(), sleeping()
    guardian.watch(kept.pid)
    guardian.watch(released.pid)

    guardian.release(released.pid)
    guardian.close()

    assert kept.wait(timeout=10) == -signal.SIGTERM
    assert released.poll() is None
    end(released)


def test_a_guardian_of_nothing_ends_at_once():
    guardian = Guardian()

    guardian.close()

    assert guardian.pid not in processes()


def test_a_process_that_has_ended_already_does_no_harm():
    guardian, child = Guardian(), sleeping()
    guardian.watch(child.pid)
    end(child)

    guardian.watch(child.pid)
    guardian.close()

    assert guardian.pid not in processes()


def test_a_lock_is_kept_until_everything_has_ended(tmp_path):
    with running("-c", LOCKING, str(tmp_path / "lock")) as parent:
        child = int(said(parent))

        os.kill(parent.pid, signal.SIGKILL)
        with (tmp_path / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

        assert child not in processes()


LOCKING = """
import fcntl, signal, subprocess, sys
from sandbox.guardian import Guardian

lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
guardian = Guardian(lock=lock.fileno())
code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(9)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
guardian.watch(child.pid)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_another_process_with_the_id_of_one_that_ended_is_left_alone():
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        seen = processes()
        earlier = {**seen, child.pid: replace(seen[child.pid], started="1")}

        send({child.pid}, signal.SIGKILL, earlier)

        assert child.communicate(b"still here")[0] == b"still here"


def test_who_still_is_the_same_is_signalled():
    child = sleeping()

    send({child.pid}, signal.SIGKILL, processes())

    assert child.wait(timeout=10) == -signal.SIGKILL


def test_what_has_ended_is_not_signalled():
    child = sleeping()
    seen = processes()
    end(child)

    send({child.pid}, signal.SIGKILL, seen)
    send({child.pid}, signal.SIGKILL)

    assert child.returncode == -signal.SIGKILL


def test_a_family_has_children_and_theirs_and_nobody_else():
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    child, stranger = sleeping(code), sleeping()
    becomes(lambda: len(family({child.pid})) == 2)

    members = family({child.pid})

    assert {parents()[pid] for pid in members} == {os.getpid(), child.pid}
    assert stranger.pid not in members
    send(members, signal.SIGKILL)
    end(child)
    end(stranger)


def test_what_was_left_behind_is_found_in_the_session():
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], process_group=0).pid)"
    with running("-c", code) as leader:
        orphan = int(said(leader))
        leader.wait()

        found = left_behind(leader.pid)
        send(found, signal.SIGKILL)

        assert found == {orphan}


def test_what_is_dead_and_not_buried_is_no_process():
    child = sleeping()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert child.pid not in processes()
    child.wait()


def test_a_name_may_hold_anything(tmp_path):
    odd = tmp_path / ") 1 (x"
    odd.symlink_to("/bin/sleep")
    child = subprocess.Popen([str(odd), "600"])

    assert processes()[child.pid].parent == os.getpid()
    end(child)


def sleeping(code="import time; time.sleep(600)"):
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


def end(child):
    child.kill()
    child.wait()
