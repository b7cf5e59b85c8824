import os
import signal
import sys

import pytest

from sandbox.errors import ServerFailed
from sandbox.guardian import Guardian, processes
from sandbox.supervisor import FIRST_PAUSE, LONGEST_PAUSE, Program, Supervisor
from tests.sandbox.processes import are_gone, becomes, running, said

SLEEPING = [sys.executable, "-c", "import time; time.sleep(600)"]
# Says so in a file when it is told to end.
GIVING_NOTICE = """
import signal, sys, time
from pathlib import Path

def note(*_):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + " ")
    sys.exit()

signal.signal(signal.SIGTERM, note)
Path(sys.argv[1] + "." + sys.argv[2]).touch()
time.sleep(600)
"""


@pytest.fixture
def supervisor(tmp_path):
    guardian = Guardian()
    supervisor = Supervisor(guardian, tmp_path / "log", stop_seconds=1.0)
    yield supervisor
    supervisor.stop()
    guardian.close()


def saying(*words):
    return [sys.executable, "-c", "import sys; print(*sys.argv[1:])", *words]


def once_ended(supervisor, program):
    """Look at a program until the supervisor has seen its end."""
    return becomes(lambda: supervisor.check() or program.process is None)


def test_a_program_that_dies_is_started_again(supervisor):
    program = Program("web", SLEEPING)
    supervisor.start(program)
    first = program.process.pid
    os.kill(first, signal.SIGKILL)

    is_back = becomes(lambda: supervisor.check() or (program.process and is_new(program, first)))

    assert is_back
    assert program.process.pid in processes()


def is_new(program, pid):
    return program.process.pid != pid


def test_it_waits_longer_each_time(supervisor):
    program = Program("web", saying("x"))
    supervisor.start(program)

    pauses = []
    for _ in range(2):
        once_ended(supervisor, program)
        pauses.append(program.pause)
        program.start_again_at = 0.0
        supervisor.check()

    assert pauses == [FIRST_PAUSE * 2, FIRST_PAUSE * 4]


def test_it_never_waits_longer_than_that(supervisor):
    program = Program("web", saying("x"))
    program.pause = LONGEST_PAUSE
    supervisor.start(program)

    once_ended(supervisor, program)

    assert program.pause == LONGEST_PAUSE


def test_it_is_not_started_before_its_pause_is_over(supervisor):
    program = Program("web", saying("x"))
    supervisor.start(program)
    once_ended(supervisor, program)
    program.start_again_at += 3600

    supervisor.check()

    assert program.process is None


def test_what_runs_steadily_is_forgiven(supervisor):
    program = Program("web", SLEEPING)
    supervisor.start(program)
    program.pause = LONGEST_PAUSE
    program.started_at -= 3600

    supervisor.check()

    assert program.pause == FIRST_PAUSE


def test_what_a_dead_program_left_behind_is_ended(supervisor, tmp_path):
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '600'], process_group=0).pid)"
    program = Program("web", [sys.executable, "-c", code])
    supervisor.start(program)

    once_ended(supervisor, program)

    orphan = int(supervisor.log_of(program).read_text())
    assert are_gone({orphan})


def test_the_last_started_is_stopped_first(supervisor, tmp_path):
    notices = tmp_path / "notices"
    for name in ("one", "two", "three"):
        command = [sys.executable, "-c", GIVING_NOTICE, str(notices), name]
        supervisor.start(Program(name, command))
    becomes(lambda: len(list(tmp_path.glob("notices.*"))) == 3)

    supervisor.stop()

    assert notices.read_text() == "three two one "


def test_who_does_not_listen_is_killed_with_its_children(supervisor):
    code = (
        "import signal, subprocess, time; signal.signal(15, signal.SIG_IGN); "
        "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True); "
        "time.sleep(600)"
    )
    program = Program("deaf", [sys.executable, "-c", code])
    supervisor.start(program)
    becomes(lambda: supervisor.log_of(program).read_text())
    child = int(supervisor.log_of(program).read_text())
    everyone = {program.process.pid, child}

    supervisor.stop()

    assert are_gone(everyone)


def test_what_a_program_prints_is_in_its_log(supervisor):
    program = Program("web", saying("hello", "you"))

    supervisor.start(program)

    assert becomes(lambda: supervisor.log_of(program).read_text() == "hello you\n")


def test_a_program_has_an_environment_of_its_own(supervisor):
    code = "import os; print(os.environ['COLOUR'], bool(os.environ['PATH']))"
    program = Program("web", [sys.executable, "-c", code], environment={"COLOUR": "blue"})

    supervisor.start(program)

    assert becomes(lambda: supervisor.log_of(program).read_text() == "blue True\n")


def test_waiting_ends_when_the_program_is_ready(supervisor, tmp_path):
    code = f"import time; open({str(tmp_path / 'there')!r}, 'w'); time.sleep(600)"
    program = Program("web", [sys.executable, "-c", code], is_ready=(tmp_path / "there").exists)
    supervisor.start(program)

    supervisor.wait_for(program)

    assert (tmp_path / "there").exists()


def test_who_is_never_ready_is_named_with_its_log(supervisor):
    program = Program("web", SLEEPING, is_ready=lambda: False)
    supervisor.start(program)

    with pytest.raises(ServerFailed, match=r"web does not answer.*log/web\.log"):
        supervisor.wait_for(program, seconds=0.1)


def test_what_dies_while_it_is_waited_for_is_started_again(supervisor, tmp_path):
    mark = tmp_path / "mark"
    code = (
        f"import pathlib, time; mark = pathlib.Path({str(mark)!r}); first = not mark.exists(); "
        "mark.touch(); first or mark.rename(str(mark) + '.again'); first or time.sleep(600)"
    )
    again = tmp_path / "mark.again"
    program = Program("web", [sys.executable, "-c", code], is_ready=again.exists)
    supervisor.start(program)

    supervisor.wait_for(program, seconds=20)

    assert again.exists()


def test_programs_and_commands_start_in_the_given_folder(tmp_path):
    guardian = Guardian()
    there = tmp_path / "there"
    there.mkdir()
    supervisor = Supervisor(guardian, tmp_path / "log", folder=there)
    program = Program("web", [sys.executable, "-c", "import os; print(os.getcwd())"])

    supervisor.start(program)
    supervisor.run([sys.executable, "-c", "open('mark', 'w')"])

    assert becomes(lambda: supervisor.log_of(program).read_text() == f"{there}\n")
    assert (there / "mark").exists()
    supervisor.stop()
    guardian.close()


@pytest.mark.parametrize("code", [0, 3])
def test_a_command_is_run_to_its_end(supervisor, code):
    assert supervisor.run([sys.executable, "-c", f"import sys; sys.exit({code})"]) == code


def test_what_dies_while_a_command_runs_is_started_again(supervisor, tmp_path):
    mark = tmp_path / "mark"
    code = f"import pathlib; pathlib.Path({str(mark)!r}).open('a').write('x')"
    supervisor.start(Program("web", [sys.executable, "-c", code]))
    waiting = (
        f"import pathlib, time; mark = pathlib.Path({str(mark)!r})\n"
        "while not mark.exists() or len(mark.read_text()) < 2: time.sleep(0.02)"
    )

    code = supervisor.run([sys.executable, "-c", waiting])

    assert code == 0
    assert len(mark.read_text()) >= 2


RUNNING = """
import sys
from pathlib import Path
from sandbox.guardian import Guardian
from sandbox.supervisor import Supervisor

guardian = Guardian()
supervisor = Supervisor(guardian, Path(sys.argv[1]), stop_seconds=0.5)
supervisor.listen()
deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if sys.argv[2] == "deaf" else ""
code = f"import os, signal, time; {deaf} print(os.getpid(), flush=True); time.sleep(600)"
try:
    supervisor.run([sys.executable, "-c", code])
except KeyboardInterrupt:
    print("interrupted", flush=True)
guardian.close()
"""


@pytest.mark.parametrize("kind", ["listening", "deaf"])
def test_a_signal_ends_a_command_too(tmp_path, kind):
    with running("-c", RUNNING, str(tmp_path), kind) as process:
        command = int(said(process))

        process.send_signal(signal.SIGTERM)

        assert said(process) == "interrupted"
        assert process.wait(timeout=10) == 0
        assert are_gone({command}, seconds=1)


def test_a_kill_ends_a_command_too(tmp_path):
    with running("-c", RUNNING, str(tmp_path), "listening") as process:
        command = int(said(process))

        process.kill()

        assert are_gone({command}, seconds=5)


SUPERVISING = """
import sys
from pathlib import Path
from sandbox.guardian import Guardian
from sandbox.supervisor import Program, Supervisor

guardian = Guardian()
supervisor = Supervisor(guardian, Path(sys.argv[1]))
supervisor.listen()
programs = [Program(name, [sys.executable, "-c", "import time; time.sleep(600)"]) for name in "ab"]
never = Program("never", programs[0].command, is_ready=lambda: False)
try:
    for program in programs:
        supervisor.start(program)
    print(guardian.pid, *(program.process.pid for program in programs), flush=True)
    if sys.argv[2] == "watches":
        supervisor.watch()
    else:
        supervisor.start(never)
        supervisor.wait_for(never)
except KeyboardInterrupt:
    print("interrupted", flush=True)
finally:
    supervisor.stop()
    guardian.close()
print("over", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_ends_the_watch_and_everything_with_it(tmp_path, number):
    with running("-c", SUPERVISING, str(tmp_path), "watches") as process:
        everyone = set(map(int, said(process).split()))

        process.send_signal(number)

        assert said(process) == "over"
        assert process.wait(timeout=10) == 0
        assert are_gone(everyone, seconds=1)


def test_a_signal_ends_the_waiting_too(tmp_path):
    with running("-c", SUPERVISING, str(tmp_path), "waits") as process:
        everyone = set(map(int, said(process).split()))

        process.send_signal(signal.SIGTERM)

        assert said(process) == "interrupted"
        assert process.wait(timeout=10) == 0
        assert are_gone(everyone, seconds=1)


def test_a_killed_supervisor_leaves_no_orphan(tmp_path):
    with running("-c", SUPERVISING, str(tmp_path), "watches") as process:
        everyone = set(map(int, said(process).split()))

        process.kill()

        assert are_gone(everyone, seconds=5)
