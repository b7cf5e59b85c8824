import threading
from datetime import time, timedelta

import django_rq
import pytest
from django.db import connection

from registry.jobs.housekeeping import (
    BATCH,
    KEPT,
    LATE,
    MOST_DEATHS,
    forget_old,
    keep_schedule,
    take_over_abandoned,
    tick,
    wake_up,
)
from registry.jobs.queue import LOCKS
from registry.models import (
    FindingState,
    Registration,
    Report,
    Run,
    RunKind,
    RunState,
    ScheduleSlot,
    Triage,
)
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_registration,
    make_report,
    make_run,
    make_schedule,
    make_scope,
    make_triage,
    make_waiver,
)

pytestmark = pytest.mark.django_db
OLD = NOON - KEPT - timedelta(seconds=1)


def ids(queue):
    return django_rq.get_queue(queue).job_ids


def running(**fields):
    """Make a run that a worker has taken and no worker holds."""
    return Run.objects.claim(make_run(**fields).pk, at=NOON)


def test_a_run_that_redis_has_lost_is_queued_again():
    run = make_run(kind=RunKind.SYNC)

    woken = wake_up(at=LATER)

    assert woken == 1
    assert ids("sync") == [f"run-{run.pk}-0"]


def test_a_run_of_a_moment_ago_is_still_on_its_way():
    make_run(kind=RunKind.SYNC)

    wake_up(at=NOON + LATE - timedelta(seconds=1))

    assert ids("sync") == []


def test_a_waiting_run_is_woken_at_its_time():
    run = make_run(kind=RunKind.REGISTER, state=RunState.WAITING, wake_at=LATER, attempt=3)
    wake_up(at=LATER - timedelta(seconds=1))
    early = ids("register")

    wake_up(at=LATER)

    assert early == []
    assert ids("register") == [f"run-{run.pk}-3"]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"state": RunState.RUNNING}, id="running"),
        pytest.param({"state": RunState.SUCCEEDED, "finished_at": NOON}, id="succeeded"),
        pytest.param({"state": RunState.FAILED, "finished_at": NOON, "error": "No."}, id="failed"),
    ],
)
def test_nobody_is_woken_for_a_run_that_is_not_due(fields):
    make_run(kind=RunKind.SYNC, **fields)

    wake_up(at=LATER)

    assert ids("sync") == []


def test_ticks_do_not_make_a_long_queue_longer():
    runs = [make_run(kind=RunKind.SYNC) for _ in range(3)]

    woken = [wake_up(at=LATER) for _ in range(50)]

    assert sum(woken) == 3
    assert ids("sync") == [f"run-{run.pk}-0" for run in runs]


def test_a_long_queue_of_one_kind_hides_no_other():
    Run.objects.bulk_create(Run(kind=RunKind.VERIFY, requested_at=NOON) for _ in range(600))
    wake_up(at=LATER)
    run = make_run(kind=RunKind.REPORT)

    wake_up(at=LATER)

    assert ids("audit") == [f"run-{run.pk}-0"]


def test_a_run_is_woken_however_long_its_queue_is():
    Run.objects.bulk_create(Run(kind=RunKind.VERIFY, requested_at=NOON) for _ in range(600))

    assert wake_up(at=LATER) == 600


def test_a_run_whose_worker_is_gone_goes_back_into_the_queue():
    run = running(kind=RunKind.SYNC)

    taken_over = take_over_abandoned(at=LATER)

    run.refresh_from_db()
    assert taken_over == 1
    assert run.state == RunState.QUEUED
    assert run.result == {"deaths": 1}


def test_a_run_whose_worker_lives_is_left_alone(another_connection):
    run = running(kind=RunKind.SYNC)
    with another_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCKS, run.pk])

    taken_over = take_over_abandoned(at=LATER)

    run.refresh_from_db()
    assert taken_over == 0
    assert run.state == RunState.RUNNING


def test_a_run_is_taken_over_when_the_connection_of_its_worker_goes(another_connection):
    run = running(kind=RunKind.SYNC)
    with another_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCKS, run.pk])
    another_connection.close()

    assert take_over_when_free(run)

    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def take_over_when_free(run):
    """Take over as soon as the database has noticed that the connection is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCKS, run.pk])
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, run.pk])
    return take_over_abandoned(at=LATER)


def test_looking_after_workers_leaves_no_lock(another_connection):
    run = running(kind=RunKind.SYNC)

    take_over_abandoned(at=LATER)

    with another_connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, run.pk])
        assert cursor.fetchone() == (True,)


def test_a_run_that_was_taken_over_is_woken_at_once():
    run = running(kind=RunKind.SYNC)

    tick(at=NOON + timedelta(seconds=1))

    assert ids("sync") == [f"run-{run.pk}-1"]


def test_deaths_are_counted_beside_what_is_known():
    run = running(kind=RunKind.REGISTER, result={"deaths": 2, "image_id": "ami-1"})

    take_over_abandoned(at=LATER)

    run.refresh_from_db()
    assert run.result == {"deaths": 3, "image_id": "ami-1"}


def test_a_run_that_kills_its_worker_every_time_is_given_up():
    scope = make_scope()
    run = running(kind=RunKind.SYNC, scope=scope, result={"deaths": MOST_DEATHS - 1})

    take_over_abandoned(at=LATER)

    run.refresh_from_db()
    scope.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error == "Its worker ended 5 times before its work did."
    assert (scope.error, scope.failing_since) == (run.error, LATER)


def test_the_fourth_death_is_not_the_last():
    run = running(result={"deaths": MOST_DEATHS - 2})

    take_over_abandoned(at=LATER)

    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_an_audit_whose_worker_is_gone_makes_way_for_the_one_that_waits():
    dead = running(kind=RunKind.AUDIT)
    waiting = make_run(kind=RunKind.AUDIT)

    tick(at=LATER)

    dead.refresh_from_db()
    assert dead.state == RunState.FAILED
    assert dead.error == "Its worker ended; the one queued after it does the same."
    assert ids("audit") == [f"run-{waiting.pk}-0"]


def test_a_slot_is_kept_once():
    schedule = make_schedule(daily_at=time(2))

    kept = [keep_schedule(schedule, at=NOON), keep_schedule(schedule, at=LATER)]

    assert kept == [True, False]
    assert Report.objects.count() == 1
    assert ScheduleSlot.objects.get().slot_at == NOON.replace(hour=2)


def test_the_next_slot_is_kept_too():
    schedule = make_schedule(daily_at=time(2))

    keep_schedule(schedule, at=NOON)
    keep_schedule(schedule, at=NOON + timedelta(days=1))

    assert Report.objects.count() == 2


def test_slots_missed_in_a_long_stop_are_not_caught_up():
    schedule = make_schedule(kind="report", every_minutes=5, daily_at=None)

    keep_schedule(schedule, at=NOON)
    keep_schedule(schedule, at=NOON + timedelta(days=3))

    assert Report.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_keep_a_slot_once():
    make_schedule(daily_at=time(2))
    together = threading.Barrier(2)

    def tick_with_the_other():
        together.wait()
        tick(at=NOON)
        connection.close()

    threads = [threading.Thread(target=tick_with_the_other) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ScheduleSlot.objects.count() == 1
    assert Report.objects.count() == 1
    assert len(ids("audit")) == 1


def test_a_sync_schedule_asks_for_every_scope_that_aws_is_asked_about():
    scope = make_scope()
    make_scope(is_enabled=False)
    make_scope(account=make_account(is_synced=False))

    keep_schedule(make_schedule(kind="sync", every_minutes=5, daily_at=None), at=NOON)

    assert Run.objects.get().scope == scope


def test_a_schedule_that_is_off_asks_for_nothing():
    make_schedule(is_enabled=False)

    tick(at=NOON)

    assert Run.objects.count() == 0


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED])
def test_old_runs_are_forgotten(state):
    error = "No." if state == RunState.FAILED else ""
    make_run(state=state, finished_at=OLD, error=error)

    assert forget_old(at=NOON) == 1
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"state": RunState.SUCCEEDED, "finished_at": NOON - KEPT}, id="90 days old"),
        pytest.param({"requested_at": OLD}, id="not over"),
    ],
)
def test_what_is_not_old_or_not_over_is_kept(fields):
    make_run(**fields)

    assert forget_old(at=NOON) == 0
    assert Run.objects.count() == 1


def test_what_stands_on_its_run_is_kept_with_it():
    over = {"state": RunState.SUCCEEDED, "finished_at": OLD}
    make_registration(run=make_run(kind=RunKind.REGISTER, **over))
    make_report(run=make_run(kind=RunKind.REPORT, **over))
    make_triage(run=make_run(kind=RunKind.TRIAGE, **over))

    forget_old(at=NOON)

    assert Registration.objects.get().run.state == RunState.SUCCEEDED
    assert Report.objects.get().run.state == RunState.SUCCEEDED
    assert Triage.objects.get().run.state == RunState.SUCCEEDED


def test_a_tick_ends_the_waivers_that_have_run_out():
    waiver = make_waiver(until=NOON + timedelta(hours=1))

    tick(at=NOON)
    waiver.finding.refresh_from_db()
    assert waiver.finding.state == FindingState.WAIVED

    tick(at=NOON + timedelta(hours=1))
    waiver.finding.refresh_from_db()
    assert waiver.finding.state == FindingState.REOPENED


def test_however_many_are_old_all_are_forgotten():
    Run.objects.bulk_create(
        Run(kind=RunKind.AUDIT, requested_at=OLD, state=RunState.SUCCEEDED, finished_at=OLD)
        for _ in range(BATCH + 1)
    )

    assert forget_old(at=NOON) == BATCH + 1


def test_old_slots_are_forgotten_and_new_ones_are_not():
    schedule = make_schedule()
    ScheduleSlot.objects.create(schedule=schedule, slot_at=OLD)
    new = ScheduleSlot.objects.create(schedule=schedule, slot_at=NOON)

    forget_old(at=NOON)

    assert ScheduleSlot.objects.get() == new


def test_what_was_sent_to_aws_is_never_given_up():
    run = running(kind=RunKind.REGISTER, result={"deaths": MOST_DEATHS - 1})
    make_registration(run=run, submitted_at=NOON)

    take_over_abandoned(at=LATER)

    run.refresh_from_db()
    assert run.state == RunState.WAITING
    assert run.wake_at > LATER
    assert run.result["deaths"] == MOST_DEATHS
