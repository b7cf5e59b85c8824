"""Whatever goes wrong, in whatever order: one image, and an end that is true."""

from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.jobs.housekeeping import take_over_abandoned
from registry.models import Registration, RunState
from tests.jobs.steps import ask, carry_out, step
from tests.registration.death import killed_before
from tests.registration.elapsed import let_pass
from tests.registration.simulated import images_named, put_snapshot

pytestmark = pytest.mark.django_db
# The statements of a registration that nothing disturbs are fewer.
MOST_STATEMENTS = 48

# botocore repeats a reading by itself, and waits before: one such fault a sequence is enough.
faults = st.sampled_from(
    [
        ("RegisterImage", "throttle"),
        ("RegisterImage", "server-error"),
        ("RegisterImage", "applied-then-dropped"),
        ("RegisterImage", "half-a-page"),
        ("RegisterImage", "access-denied"),
        ("DescribeImages", "access-denied"),
    ]
)
deaths = st.integers(0, MOST_STATEMENTS)
moments = st.tuples(st.none() | faults, st.none() | deaths, st.sampled_from([1, 10, 50]))
sequences = st.lists(moments, max_size=4)


def suffer(aws, registration, moment):
    """Let one step go wrong, and some time pass."""
    fault, statement, seconds = moment
    if fault:
        aws.fail(*fault)
    with killed_before(1000 if statement is None else statement):
        step(registration)
    take_over_abandoned(at=timezone.now())
    let_pass(aws, seconds=seconds)


@given(
    sequence=sequences,
    is_checked=st.booleans(),
    invisible=st.sampled_from([0, 5, 60, 100]),
    pending=st.sampled_from([0, 30]),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_there_is_one_image_and_the_end_is_true(
    aws, snapshot, sequence, is_checked, invisible, pending
):
    aws.reset()
    put_snapshot(aws)
    aws.state.invisible_seconds, aws.state.pending_seconds = invisible, pending
    registration = ask(snapshot, key=uuid4(), name=f"golden-{uuid4()}")
    if is_checked:
        Registration.objects.update(step="checked")
    for moment in sequence:
        suffer(aws, registration, moment)
    aws.heal()

    run = carry_out(aws, registration)

    made = [image["ImageId"] for image in images_named(aws, registration.name)]
    assert (run.state, made) in (
        (RunState.SUCCEEDED, [registration.image_id]),
        (RunState.FAILED, []),
    )


@pytest.mark.parametrize("statement", range(MOST_STATEMENTS))
def test_a_worker_may_be_killed_anywhere(aws, snapshot, statement):
    registration = ask(snapshot)
    with killed_before(statement):
        step(registration)
    take_over_abandoned(at=timezone.now())

    run = carry_out(aws, registration)

    [image] = images_named(aws, "golden")
    assert run.state == RunState.SUCCEEDED
    assert run.result["verdict"] == "ok"
    assert registration.image_id == image["ImageId"]


def test_that_was_everywhere(snapshot):
    registration = ask(snapshot)

    with killed_before(MOST_STATEMENTS):
        run = step(registration)

    assert run.state == RunState.SUCCEEDED
