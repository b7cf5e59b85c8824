"""Whatever goes wrong, in whatever order: each image has one end, and it is true."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.jobs.housekeeping import take_over_abandoned
from registry.jobs.steering import retry_failed
from registry.models import ITEM_OVER, ItemState, RunState
from tests.registration.death import killed_before
from tests.removal.elapsed import let_pass
from tests.removal.simulated import in_aws, keep_in_the_bin, name_in_template, put_image
from tests.removal.steps import ask, ask_back, carry_out, states, step

pytestmark = pytest.mark.django_db
# The statements of one image that nothing disturbs are fewer: discarded, and brought back.
MOST_STATEMENTS = 62
MOST_STATEMENTS_BACK = 40
IMAGES = 3

# botocore repeats a reading by itself, and waits before: such faults are left to other tests.
faults = st.tuples(
    st.sampled_from(["DisableImage", "DeregisterImage"]),
    st.sampled_from(
        ["throttle", "server-error", "applied-then-dropped", "half-a-page", "access-denied"]
    ),
) | st.tuples(
    st.sampled_from(["DescribeImages", "DescribeImageReferences", "DescribeImageAttribute"]),
    st.just("access-denied"),
)
deaths = st.integers(0, IMAGES * MOST_STATEMENTS)
# What others do to one of the images meanwhile.
meddling = st.tuples(
    st.sampled_from(["use", "disable", "enable", "deregister"]), st.integers(0, IMAGES - 1)
)
pauses = st.sampled_from([0, 1, 50, 4000])
moments = st.tuples(st.none() | faults, st.none() | deaths, st.none() | meddling, pauses)
sequences = st.lists(moments, max_size=4)


def suffer(aws, removal, images, moment):
    """Let others meddle, one step go wrong, and some time pass."""
    fault, statement, meddled, seconds = moment
    if meddled:
        meddle(aws, images[meddled[1]], meddled[0])
    if fault:
        aws.fail(*fault)
    with killed_before(10_000 if statement is None else statement):
        step(removal)
    take_over_abandoned(at=timezone.now())
    let_pass(aws, seconds=seconds)


def meddle(aws, row, what):
    """Let somebody else change an image, if it is still there."""
    image = in_aws(aws, row)
    if image is None:
        return
    if what == "use":
        name_in_template(aws, row, name=row.aws_id)
    elif what == "deregister":
        del aws.state.things["images"][row.aws_id]
    else:
        image["State"] = {"disable": "disabled", "enable": "available"}[what]


def is_used(aws, row):
    templates = aws.state.things["launch_templates"].values()
    return any(template["LaunchTemplateName"] == row.aws_id for template in templates)


def is_true(aws, item):
    """Say whether the row tells what was done: what others did after its end is not its matter."""
    if item.state == ItemState.DEREGISTERED:
        return in_aws(aws, item.image) is None
    is_ours = item.image.aws_id in aws.state.things["recycled"]
    is_reason = item.state != ItemState.IN_USE or is_used(aws, item.image)
    return item.state in ITEM_OVER and is_reason and not is_ours


def told(removal, row):
    """Count how often the timeline tells that an image was deregistered by this removal."""
    lines = removal.run.events.filter(subject=row.aws_id, text__startswith="Deregistered.")
    return lines.count()


def retried(aws, removal):
    """Retry what failed, now that AWS answers; return how each image ended."""
    if ItemState.FAILED in states(removal):
        retry_failed(removal, None)
        carry_out(aws, removal, minutes=10)
    return states(removal)


@given(
    sequence=sequences,
    cooling=st.sampled_from([timedelta(0), timedelta(hours=1)]),
    deletes_snapshots=st.booleans(),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_image_has_a_true_end_and_nothing_in_use_is_deregistered(
    aws, scope, sequence, cooling, deletes_snapshots
):
    aws.reset()
    images = [put_image(aws, scope) for _ in range(IMAGES)]
    keep_in_the_bin(aws, images[0])
    wanted = {"cooling": cooling, "deletes_snapshots": deletes_snapshots}
    removal = ask(*images, key=uuid4(), **wanted)
    for moment in sequence:
        suffer(aws, removal, images, moment)
    aws.heal()

    run = carry_out(aws, removal, minutes=10)

    items = list(removal.items.select_related("image__account"))
    recycled = aws.state.things["recycled"]  # what AWS has deregistered for us
    assert run.state == RunState.SUCCEEDED
    assert [item for item in items if not is_true(aws, item)] == []
    assert [row for row in images if is_used(aws, row) and row.aws_id in recycled] == []
    assert [row for row in images if told(removal, row) > 1] == []
    assert ItemState.FAILED not in retried(aws, removal)


@pytest.mark.parametrize("statement", range(MOST_STATEMENTS))
def test_a_worker_may_be_killed_anywhere(aws, scope, statement):
    image = put_image(aws, scope)
    removal = ask(image)
    with killed_before(statement):
        step(removal)
    take_over_abandoned(at=timezone.now())

    run = carry_out(aws, removal)

    assert (run.state, run.note) == (RunState.SUCCEEDED, "1 discarded")
    assert told(removal, image) == 1
    assert in_aws(aws, image) is None


@pytest.mark.parametrize("statement", range(MOST_STATEMENTS_BACK))
def test_a_worker_that_brings_an_image_back_may_be_killed_anywhere(aws, scope, statement):
    image = discarded(aws, scope)
    removal = ask_back(image)
    with killed_before(statement):
        step(removal)
    take_over_abandoned(at=timezone.now())

    run = carry_out(aws, removal)

    assert (run.state, run.note) == (RunState.SUCCEEDED, "1 restored")
    assert in_aws(aws, image)["State"] == "available"


def test_that_was_everywhere(aws, scope):
    removal = ask(put_image(aws, scope))

    with killed_before(MOST_STATEMENTS):
        run = step(removal)

    assert run.state == RunState.SUCCEEDED


def test_that_was_everywhere_on_the_way_back_too(aws, scope):
    removal = ask_back(discarded(aws, scope))

    with killed_before(MOST_STATEMENTS_BACK):
        run = step(removal)

    assert run.state == RunState.SUCCEEDED


def discarded(aws, scope):
    """Return an image that is in the Recycle Bin, disabled."""
    image = put_image(aws, scope)
    keep_in_the_bin(aws, image)
    step(ask(image))
    image.refresh_from_db()
    return image
