"""How the demo starts, stops, is killed and starts again."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.journeys.demo import ROOT, left_of

PATIENCE = 5.0


def run(demo, *command):
    environment = {**os.environ, "AMIPORTAL_HOME": str(demo.home)}
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def audit(demo):
    done = run(demo, "manage.py", "audit", "--format", "json")
    return done.returncode, json.loads(done.stdout)


def test_it_says_how_to_sign_in_and_last_that_it_is_ready(demo):
    assert "Sign in with one of these, password look-around:" in demo.lines
    assert demo.lines[-1] == f"Ready: {demo.url}/"


def test_other_commands_find_its_servers(demo):
    code, answer = audit(demo)

    assert code == 1
    assert answer["schema_version"] == 1
    assert {image["verdict"] for image in answer["images"]} >= {"ok", "lost", "excused", "unknown"}
    reasons = [reason for ri in answer["reserved_instances"] for reason in ri["reasons"]]
    assert "wrong_platform" in {reason["code"] for reason in reasons}


def test_a_second_one_on_the_same_home_is_refused(demo):
    done = run(demo, "manage.py", "up", "--demo")

    assert done.returncode != 0
    assert "already runs" in done.stderr
    assert "Traceback" not in done.stderr


def test_its_data_are_not_forgotten_while_it_runs(demo):
    done = run(demo, "-m", "sandbox.reset")

    assert done.returncode != 0
    assert "Stop it first." in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_stops_in_order_and_leaves_no_process(demo, number):
    pids = demo.pids()

    code = demo.end(number)

    assert code == 0
    assert left_of(pids, seconds=PATIENCE) == set()
    assert "Stopping." in demo.lines


def test_a_kill_leaves_no_orphan(demo):
    pids = demo.pids()

    demo.end(signal.SIGKILL)

    assert len(pids) > 8
    assert left_of(pids, seconds=PATIENCE) == set()


def test_it_goes_on_with_the_same_data(demo):
    _, before = audit(demo)
    demo.end(signal.SIGKILL)

    demo.start()

    _, after = audit(demo)
    assert [row["image_id"] for row in after["images"]] == [
        row["image_id"] for row in before["images"]
    ]
    assert "Reading the simulated company." not in demo.lines
