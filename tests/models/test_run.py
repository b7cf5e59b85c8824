from datetime import timedelta

import pytest

from registry.models import Run, RunKind, RunState
from tests.factories import LATER, NOON, make_run, make_scope

pytestmark = pytest.mark.django_db


def test_a_run_is_claimed_once():
    run = make_run()

    first = Run.objects.claim(run.pk, at=LATER)
    second = Run.objects.claim(run.pk, at=LATER)

    assert first is not None
    assert first.state == RunState.RUNNING
    assert first.attempt == 1
    assert second is None


def test_a_waiting_run_is_claimed_when_its_time_has_come():
    run = make_run(kind="register", state="waiting", wake_at=LATER)

    early = Run.objects.claim(run.pk, at=NOON)
    in_time = Run.objects.claim(run.pk, at=LATER)

    assert early is None
    assert in_time is not None
    assert in_time.wake_at is None


def test_a_run_keeps_the_time_of_its_first_start():
    run = make_run(kind="register", state="waiting", wake_at=LATER, started_at=NOON)

    claimed = Run.objects.claim(run.pk, at=LATER)

    assert claimed is not None
    assert claimed.started_at == NOON


def test_the_end_is_recorded():
    run = Run.objects.claim(make_run().pk, at=NOON)

    assert run.finish(at=LATER)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert run.finished_at == LATER


def test_a_worker_that_was_declared_dead_changes_nothing():
    late = Run.objects.claim(make_run().pk, at=NOON)
    Run.objects.filter(pk=late.pk).update(state=RunState.QUEUED)
    Run.objects.claim(late.pk, at=NOON)

    assert not late.finish(at=LATER, error="Too late.")
    assert not late.wait(until=LATER, note="Too late.")

    late.refresh_from_db()
    assert late.state == RunState.RUNNING
    assert late.error == ""


def test_asking_twice_is_asking_once():
    scope = make_scope()
    fields = {"kind": RunKind.SYNC, "scope": scope, "requested_at": NOON}

    first, is_new = Run.objects.get_or_queue(**fields)
    second, is_new_again = Run.objects.get_or_queue(**fields)

    assert first == second
    assert (is_new, is_new_again) == (True, False)


def test_a_sync_is_asked_for_again_when_the_last_one_is_over():
    scope = make_scope()
    fields = {"kind": RunKind.SYNC, "scope": scope, "requested_at": NOON}
    first, _ = Run.objects.get_or_queue(**fields)
    Run.objects.claim(first.pk, at=NOON).finish(at=NOON + timedelta(minutes=1))

    second, is_new = Run.objects.get_or_queue(**fields)

    assert second != first
    assert is_new
