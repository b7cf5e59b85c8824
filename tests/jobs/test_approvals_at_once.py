import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection

from registry.jobs.approvals import (
    Late,
    decide,
    withdraw,
)
from registry.jobs.registrations import run_registration
from registry.models import (
    Decision,
    Run,
    RunState,
)
from tests.jobs.steps import approve, carry_out, held_for
from tests.registration.simulated import images_named

pytestmark = pytest.mark.django_db


def together(*acts):
    """Carry all out at the same moment, each on a connection of its own; return how each ended."""
    start = threading.Barrier(len(acts))

    def carried_out(act):
        try:
            start.wait(10)
            act()
        except Late as error:
            return str(error)
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(carried_out, acts))


def as_read(run):
    """Return the run as another process reads it."""
    return Run.objects.get(pk=run.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("needed", [1, 2])
def test_two_who_agree_at_the_same_moment_release_the_request_once(
    aws, snapshot, developer, colleague, other, needed
):
    run = held_for(needed, snapshot, developer)

    ends = together(
        *(
            lambda user=user: decide(as_read(run), by=user, is_approval=True, reason="Right.")
            for user in (colleague, other)
        )
    )

    assert ends.count("done") == needed
    assert Decision.objects.count() == needed
    assert carry_out(aws, run.registration).state == RunState.SUCCEEDED
    assert len(images_named(aws, "golden")) == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_yes_and_a_no_at_the_same_moment_one_counts(aws, held, colleague, other):
    ends = together(
        lambda: decide(as_read(held), by=colleague, is_approval=True, reason="Yes."),
        lambda: decide(as_read(held), by=other, is_approval=False, reason="No."),
    )

    decision = Decision.objects.get()
    run = carry_out(aws, held.registration)
    assert ends.count("done") == 1
    assert (run.state == RunState.SUCCEEDED) == decision.is_approval
    assert len(images_named(aws, "golden")) == decision.is_approval


@pytest.mark.django_db(transaction=True)
def test_the_same_decision_twice_at_the_same_moment_is_one(snapshot, developer, colleague):
    run = held_for(2, snapshot, developer)

    ends = together(
        *[lambda: decide(as_read(run), by=colleague, is_approval=True, reason="Right.")] * 2
    )

    assert sorted(ends) == ["You have decided on this request already.", "done"]
    assert as_read(run).state == RunState.HELD


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_and_a_worker_at_the_same_moment_agree_on_the_end(
    aws, held, developer, colleague
):
    approve(held, colleague)
    row = threading.Barrier(2)

    def wait_at_the_row(execute, sql, params, many, context):
        if "FOR UPDATE" in str(sql) or str(sql).startswith('UPDATE "registry_run"'):
            with suppress(threading.BrokenBarrierError):
                row.wait(10)
            row.abort()
        return execute(sql, params, many, context)

    def stopped(act):
        with connection.execute_wrapper(wait_at_the_row):
            act()

    (withdrawn, _) = together(
        lambda: stopped(lambda: withdraw(as_read(held), by=developer)),
        lambda: stopped(lambda: run_registration(held.pk)),
    )

    run = carry_out(aws, held.registration)
    assert (run.state, len(images_named(aws, "golden"))) == (
        (RunState.FAILED, 0) if withdrawn == "done" else (RunState.SUCCEEDED, 1)
    )
