"""Whatever goes wrong, in whatever order: one image, and an end that is true."""

from contextlib import suppress
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registry.jobs.approvals import Late, decide
from registry.jobs.housekeeping import take_over_abandoned
from registry.models import Method, Policy, Registration, Role, RunState
from registry.registration.spec import OPERATIONS
from tests.factories import make_user
from tests.jobs.steps import carry_out, request_registration, step
from tests.registration.calls import sent
from tests.registration.death import killed_before
from tests.registration.elapsed import let_pass
from tests.registration.simulated import RHEL, images_named
from tests.registration.sources import FIELDS, mirror_sources, put_sources

pytestmark = pytest.mark.django_db
# The statements of a registration that nothing disturbs are fewer.
MOST_STATEMENTS = 70
# RegisterImage, which makes images of snapshots and of manifests, once.
ONE_OF_EACH = [Method.SNAPSHOT, Method.INSTANCE, Method.COPY]

# Of the operation that makes the image. botocore repeats a reading by itself, and waits before: of
# those, only a denial.
faults = st.sampled_from(
    [
        "throttle",
        "server-error",
        "applied-then-dropped",
        "half-a-page",
        "access-denied",
        "image-fails",
        "slow",
        "denied look",
    ]
)
deaths = st.integers(0, MOST_STATEMENTS)
opinions = st.sampled_from([None, None, True, True, False])
moments = st.tuples(st.none() | faults, st.none() | deaths, opinions, st.sampled_from([1, 10, 50]))
sequences = st.lists(moments, max_size=4)
paces = st.fixed_dictionaries(
    {
        "invisible_seconds": st.sampled_from([0, 5, 60, 100]),
        "pending_seconds": st.sampled_from([0, 30]),
        "code_lag_seconds": st.sampled_from([0, 20]),
    }
)


@pytest.fixture
def account(aws, scope):
    """An account with a source of each method, in AWS and in the mirror."""
    put_sources(aws)
    mirror_sources(scope.account)
    return scope.account


@pytest.fixture
def engineers(db):
    """Who asks, and who may agree."""
    return make_user(Role.ENGINEER), make_user(Role.ENGINEER)


def ask(account, method, *, by=None):
    wanted = {
        "region": "eu-west-1",
        "name": f"golden-{uuid4()}",
        "expected_usage_operation": "RunInstances" if method == Method.MANIFEST else RHEL,
        "reason": "To see what comes of it.",
    }
    return request_registration(key=uuid4(), account=account, by=by, **wanted | FIELDS[method])


def suffer(aws, registration, moment, colleague):
    """Let one step go wrong, somebody say something, and some time pass."""
    fault, statement, opinion, seconds = moment
    if fault == "denied look":
        aws.fail("DescribeImages", "access-denied")
    elif fault:
        aws.fail(OPERATIONS[registration.method], fault, seconds=0.05)
    with killed_before(1000 if statement is None else statement):
        step(registration)
    take_over_abandoned(at=timezone.now())
    if opinion is not None:
        say(registration, colleague, is_approval=opinion)
    let_pass(aws, seconds=seconds)


def say(registration, colleague, *, is_approval):
    with suppress(Late, PermissionDenied):
        decide(registration.run, by=colleague, is_approval=is_approval, reason="I looked at it.")


def come_to_an_end(aws, registration, colleague):
    """Let all go well from here, and what waits for a colleague be approved."""
    aws.heal()
    run = carry_out(aws, registration)
    if run.state == RunState.HELD:
        say(registration, colleague, is_approval=True)
        run = carry_out(aws, registration)
    return run


def living(aws, registration):
    """Return the images of the request, but for those that AWS could not make."""
    found = images_named(aws, registration.name)
    return [image["ImageId"] for image in found if image["State"] != "failed"]


@pytest.mark.parametrize("method", list(Method))
@given(
    sequence=sequences,
    paces=paces,
    is_checked=st.booleans(),
    approvals=st.sampled_from([0, 1]),
)
@example(
    sequence=[("applied-then-dropped", None, None, 50), (None, None, None, 10)],
    paces={"invisible_seconds": 100, "pending_seconds": 0, "code_lag_seconds": 0},
    is_checked=True,
    approvals=0,
).via("an image that is out of sight for longer than our patience")
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_there_is_one_image_and_the_end_is_true(  # noqa: PLR0913, PLR0917
    aws, account, engineers, method, sequence, paces, is_checked, approvals
):
    aws.reset()
    put_sources(aws)
    aws.state.pace(**paces)
    who, colleague = engineers
    Policy.objects.update_or_create(name="All eyes", defaults={"approvals": approvals})
    registration = ask(account, method, by=who)
    if is_checked:
        Registration.objects.update(step="checked")
    for moment in sequence:
        suffer(aws, registration, moment, colleague)

    run = come_to_an_end(aws, registration, colleague)

    is_approved = registration.run.decisions.filter(is_approval=True).exists()
    assert (run.state, living(aws, registration)) in (
        (RunState.SUCCEEDED, [registration.image_id]),
        (RunState.FAILED, []),
    )
    assert run.state != RunState.SUCCEEDED or run.result["verdict"] == "ok"
    assert is_approved or not approvals or sent(aws) == []


@pytest.mark.parametrize("statement", range(MOST_STATEMENTS))
@pytest.mark.parametrize("method", ONE_OF_EACH)
def test_a_worker_may_be_killed_anywhere(aws, account, method, statement):
    registration = ask(account, method)
    with killed_before(statement):
        step(registration)
    take_over_abandoned(at=timezone.now())

    run = carry_out(aws, registration)

    assert run.state == RunState.SUCCEEDED
    assert run.result["verdict"] == "ok"
    assert living(aws, registration) == [registration.image_id]


@pytest.mark.parametrize("method", list(Method))
def test_that_was_everywhere(account, method):
    registration = ask(account, method)

    with killed_before(MOST_STATEMENTS):
        run = step(registration)

    assert run.state == RunState.SUCCEEDED


@pytest.mark.parametrize("method", list(Method))
def test_nothing_is_sent_before_somebody_agrees(aws, account, engineers, method):
    who, colleague = engineers
    Policy.objects.create(name="Two eyes", approvals=1)
    registration = ask(account, method, by=who)

    held = carry_out(aws, registration).state
    before = sent(aws)
    say(registration, colleague, is_approval=True)
    run = carry_out(aws, registration)

    assert (held, before) == (RunState.HELD, [])
    assert run.state == RunState.SUCCEEDED
    assert living(aws, registration) == [registration.image_id]


@pytest.mark.parametrize("method", list(Method))
def test_what_is_declined_is_never_sent(aws, account, engineers, method):
    who, colleague = engineers
    Policy.objects.create(name="Two eyes", approvals=1)
    registration = ask(account, method, by=who)
    carry_out(aws, registration)
    say(registration, colleague, is_approval=False)

    run = carry_out(aws, registration)

    assert run.state == RunState.FAILED
    assert run.error == f"Declined by {colleague}. I looked at it."
    assert sent(aws) == []
