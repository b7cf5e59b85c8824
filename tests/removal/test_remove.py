from datetime import timedelta

import pytest
from django.db import connection

from registry.models import Image, ItemState, RemovalItem, RunState
from registry.removal import Turn, advance
from registry.removal.advice import PROTECTED
from registry.removal.ledger import DOUBT, LONGEST_PAUSE, MOST_TRIES, UNSEEN
from registry.removal.remove import GONE_FOR_GOOD
from registry.removal.uses import LAUNCH_TEMPLATE, PERMISSION, Use, known_uses
from tests.factories import LATER, NOON, make_instance, make_removal, make_removal_item, make_run
from tests.removal.simulated import (
    SHARED,
    applied,
    in_aws,
    keep_in_the_bin,
    launch,
    name_in_template,
    place,
    put_image,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def mark(image, *, uses_shown=(), permissions=(), **wanted):
    """Return the item of a removal that a worker is at."""
    run = make_run(kind="remove", state=RunState.RUNNING, attempt=1)
    removal = make_removal(run=run, **wanted)
    shown = [use.json for use in uses_shown]
    return make_removal_item(
        removal=removal, image=image, uses_shown=shown, permissions=list(permissions)
    )


def mark_disabled(image, aws, *, submitted_at=NOON, **wanted):
    """Return an item whose image we have disabled at noon."""
    in_aws(aws, image)["State"] = "disabled"
    item = mark(image, **wanted)
    item.state, item.disabled_at, item.submitted_at = ItemState.DISABLED, NOON, submitted_at
    item.save()
    return item


def act(ec2, item, at=LATER, barred=""):
    """Let a worker take one step; return the row as it is then."""
    row = RemovalItem.objects.select_related("image__account", "removal__run").get(pk=item.pk)
    advance(ec2, Turn(row, row.removal.run, at, barred))
    item.refresh_from_db()
    return item


def texts(item):
    return list(item.removal.run.events.order_by("pk").values_list("text", flat=True))


def test_a_marked_image_is_disabled_and_then_cools_down(aws, ec2, image):
    item = act(ec2, mark(image, cooling=DAY))

    [event] = item.removal.run.events.all()
    assert item.state == ItemState.DISABLED
    assert (item.disabled_at, item.act_at) == (LATER, LATER + DAY)
    assert in_aws(aws, image)["State"] == "disabled"
    assert (event.text, event.subject) == ("Disabled.", image.aws_id)
    assert event.request_id


def test_the_mirror_shows_at_once_that_an_image_is_disabled(ec2, image):
    Image.objects.update(digest="as before", is_public=True)

    act(ec2, mark(image, is_forced=True, uses_shown=[Use(PERMISSION, "all")]))

    image.refresh_from_db()
    assert (image.state, image.is_public, image.digest) == ("disabled", False, "")
    assert image.last_seen_at == LATER
    assert image.gone_at is None


def test_a_disabled_image_is_deregistered_and_its_snapshots_stay(aws, ec2, image):
    item = act(ec2, mark_disabled(image, aws))

    image.refresh_from_db()
    assert item.state == ItemState.DEREGISTERED
    assert item.deregistered_at == LATER
    assert item.note == "Deregistered. Its snapshots were kept."
    assert in_aws(aws, image) is None
    assert len(aws.state.things["snapshots"]) == 1
    assert image.gone_at == LATER


def test_what_aws_did_with_each_snapshot_is_kept(aws, ec2, image):
    snapshot_id = image.root_snapshot_id

    item = act(ec2, mark_disabled(image, aws, deletes_snapshots=True))

    assert item.snapshots == [{"id": snapshot_id, "code": "success"}]
    assert item.note == f"Deregistered. Deleted {snapshot_id}."
    assert aws.state.things["snapshots"] == {}


def test_a_snapshot_of_a_disabled_ami_is_not_orphaned(aws, ec2, scope, image):
    devices = in_aws(aws, image)["BlockDeviceMappings"]
    put_image(aws, scope, State="disabled", BlockDeviceMappings=devices)

    item = act(ec2, mark_disabled(image, aws, deletes_snapshots=True))

    snapshot_id = image.root_snapshot_id
    assert item.snapshots == [{"id": snapshot_id, "code": "skipped"}]
    assert item.note == f"Deregistered. No snapshot was deleted. Left: {snapshot_id} (skipped)."
    assert snapshot_id in aws.state.things["snapshots"]


def after_the_request(what):
    """Do `what` as soon as it is written down that the image was deregistered."""

    def do_it_then(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "registry_event"'):
            what()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(do_it_then)


def test_an_image_is_not_called_gone_where_aws_can_not_be_asked(aws, ec2, image):
    item = mark_disabled(image, aws)

    with after_the_request(lambda: aws.fail("DescribeImages", "access-denied")):
        act(ec2, item)

    image.refresh_from_db()
    assert item.state == ItemState.DEREGISTERED
    assert image.gone_at is None


def test_an_image_is_not_called_gone_while_aws_still_shows_it(aws, ec2, image):
    item = mark_disabled(image, aws)
    shown = in_aws(aws, image) | {"State": "deregistered"}

    with after_the_request(lambda: place(aws, image).put("images", image.aws_id, shown)):
        act(ec2, item)

    image.refresh_from_db()
    assert item.state == ItemState.DEREGISTERED
    assert image.gone_at is None


@pytest.mark.parametrize("use", [launch, name_in_template], ids=["instance", "launch template"])
@pytest.mark.parametrize("mark_it", [lambda image, aws: mark(image), mark_disabled])
def test_running_a_job_again_never_discards_what_is_in_use(aws, ec2, image, use, mark_it):
    item = mark_it(image, aws)
    used_by = use(aws, image)
    before = in_aws(aws, image)["State"]

    item = act(ec2, item)

    assert item.state == ItemState.IN_USE
    assert used_by in item.note
    assert [seen["aws_id"] for seen in item.uses] == [used_by]
    assert in_aws(aws, image)["State"] == before


def test_running_a_job_again_never_deregisters_what_came_into_use_while_it_cooled(aws, ec2, image):
    item = act(ec2, mark(image))
    launch(aws, image)

    item = act(ec2, item, at=LATER + DAY)

    assert item.state == ItemState.IN_USE
    assert "It stays disabled; bring it back" in item.note
    assert applied(aws, "DeregisterImage", image) == 0


def test_an_image_that_an_instance_of_another_account_runs_is_kept(ec2, image):
    instance = make_instance(image_id=image.aws_id)

    item = act(ec2, mark(image))

    assert item.state == ItemState.IN_USE
    assert instance.aws_id in item.note


def test_a_shared_image_is_kept(aws, ec2, scope):
    image = put_image(aws, scope, _permissions=SHARED)

    item = act(ec2, mark(image))

    assert item.state == ItemState.IN_USE
    assert item.note == (
        "Kept: in use by launch permission of 111111111111, launch permission of all."
    )


def test_many_uses_are_counted_not_all_named(aws, ec2, image):
    for number in range(7):
        launch(aws, image, instance_id=f"i-0000000000000000{number}")

    item = act(ec2, mark(image))

    assert len(item.uses) == 7
    assert item.note.endswith("i-00000000000000004, 2 more.")


def test_a_forced_removal_goes_on_where_the_use_was_shown(aws, ec2, image):
    template_id = name_in_template(aws, image)
    item = mark(image, is_forced=True, uses_shown=[Use(LAUNCH_TEMPLATE, template_id)])

    item = act(ec2, item)

    assert item.state == ItemState.DISABLED
    assert [use["aws_id"] for use in item.uses] == [template_id]


def test_a_use_that_was_shown_is_no_leave_without_force(aws, ec2, image):
    template_id = name_in_template(aws, image)
    item = mark(image, uses_shown=[Use(LAUNCH_TEMPLATE, template_id)])

    assert act(ec2, item).state == ItemState.IN_USE


def test_a_forced_removal_stops_at_a_use_that_nobody_was_shown(aws, ec2, image):
    template_id = name_in_template(aws, image)
    launch(aws, image, instance_id="i-0000000000000000a")
    item = mark(image, is_forced=True, uses_shown=[Use(LAUNCH_TEMPLATE, template_id)])

    item = act(ec2, item)

    assert item.state == ItemState.IN_USE
    assert item.note == "Kept: in use by more than was shown: instance i-0000000000000000a."


def test_what_one_look_saw_can_be_accepted_in_the_next_request(aws, ec2, image):
    name_in_template(aws, image)
    act(ec2, mark(image))
    shown = known_uses([image])[image.pk]

    item = act(ec2, mark(image, is_forced=True, uses_shown=shown))

    assert item.state == ItemState.DISABLED


@pytest.mark.parametrize("operation", ["DescribeImageReferences", "DescribeImageAttribute"])
def test_an_image_whose_use_can_not_be_read_is_kept(aws, ec2, image, operation):
    aws.fail(operation, "access-denied")

    item = act(ec2, mark(image, is_forced=True))

    assert item.state == ItemState.FAILED
    assert item.error.startswith("It is not known who uses the image, so it was kept.")
    assert operation in item.error
    assert in_aws(aws, image)["State"] == "available"


def test_launch_permissions_are_kept_before_aws_takes_them_away(aws, ec2, scope):
    image = put_image(aws, scope, _permissions=SHARED)
    shown = [Use(PERMISSION, "111111111111"), Use(PERMISSION, "all")]

    item = act(ec2, mark(image, is_forced=True, uses_shown=shown))

    assert item.permissions == SHARED
    assert item.note == "Disabled. AWS took the launch permissions away: 111111111111, all."


def test_launch_permissions_that_are_gone_already_do_not_replace_those_kept(aws, ec2, image):
    item = mark(image, is_forced=True, permissions=SHARED)
    item.submitted_at = NOON
    item.save()

    assert act(ec2, item).permissions == SHARED


def test_an_image_that_was_disabled_already_goes_on(aws, ec2, image):
    in_aws(aws, image)["State"] = "disabled"

    item = act(ec2, mark(image))

    assert item.state == ItemState.DISABLED
    assert item.note == "It was disabled already."
    assert item.submitted_at is None
    assert applied(aws, "DisableImage", image) == 0


@pytest.mark.parametrize("state", ["failed", "error", "invalid"])
def test_an_image_that_can_not_be_launched_needs_no_disabling(aws, ec2, image, state):
    in_aws(aws, image)["State"] = state

    item = act(ec2, mark(image))

    image.refresh_from_db()
    assert item.state == ItemState.DISABLED
    assert item.note == f"It is {state}: it needs no disabling."
    assert image.state == state
    assert applied(aws, "DisableImage", image) == 0


def test_an_image_that_is_pending_is_waited_for(aws, ec2, image):
    in_aws(aws, image).update({"State": "pending", "_available_at": "9"})

    item = act(ec2, mark(image))

    assert (item.state, item.note) == (ItemState.MARKED, "The image is pending.")
    assert item.act_at > LATER


@pytest.mark.parametrize("mark_it", [lambda image, aws: mark(image), mark_disabled])
def test_an_image_that_somebody_else_deregistered_is_said_to_be(aws, ec2, image, mark_it):
    item = mark_it(image, aws)
    aws.state.things["images"].clear()

    item = act(ec2, item)

    image.refresh_from_db()
    assert item.state == ItemState.DEREGISTERED
    assert item.note == "Somebody else deregistered it."
    assert image.gone_at == LATER


def test_an_image_that_aws_shows_as_deregistered_is_not_gone_from_the_mirror(aws, ec2, image):
    in_aws(aws, image)["State"] = "deregistered"

    item = act(ec2, mark(image))

    image.refresh_from_db()
    assert item.state == ItemState.DEREGISTERED
    assert (image.state, image.gone_at) == ("deregistered", None)


def test_an_image_that_somebody_enabled_again_is_kept(aws, ec2, image):
    item = mark_disabled(image, aws)
    in_aws(aws, image)["State"] = "available"

    item = act(ec2, item)

    image.refresh_from_db()
    assert item.state == ItemState.KEPT
    assert item.note == "Somebody enabled it again while it cooled down. It was kept."
    assert image.state == "available"


def test_an_image_that_aws_does_not_show_as_disabled_yet_is_looked_at_again(aws, ec2, image):
    item = mark_disabled(image, aws)
    in_aws(aws, image)["State"] = "available"

    item = act(ec2, item, at=NOON + UNSEEN - timedelta(seconds=1))

    assert item.state == ItemState.DISABLED
    assert item.act_at > NOON + UNSEEN


@pytest.mark.parametrize("mark_it", [lambda image, aws: mark(image), mark_disabled])
def test_what_aws_protects_is_not_touched(aws, ec2, image, mark_it):
    item = mark_it(image, aws)
    in_aws(aws, image)["DeregistrationProtection"] = "enabled-with-cooldown"

    item = act(ec2, item)

    assert (item.state, item.error) == (ItemState.FAILED, PROTECTED)
    assert applied(aws, "DisableImage", image) == 0
    assert applied(aws, "DeregisterImage", image) == 0


def test_a_protection_that_is_still_cooling_down_fails_with_what_to_do(aws, ec2, image):
    item = mark_disabled(image, aws)
    in_aws(aws, image).update({"DeregistrationProtection": "disabled", "_protected_until": "9"})

    act(ec2, item)

    assert item.state == ItemState.FAILED
    assert "OperationNotPermitted" in item.error
    assert item.error.endswith("Turn off what protects the image in EC2, then retry.")


def test_what_aws_protects_from_deregistration_can_be_disabled(aws, ec2, image):
    in_aws(aws, image)["DeregistrationProtection"] = "enabled-with-cooldown"

    assert act(ec2, mark(image, only_disables=True)).state == ItemState.DISABLED


@pytest.mark.parametrize("mark_it", [lambda image, aws: mark(image), mark_disabled])
def test_nothing_is_sent_for_somebody_who_may_not_any_more(aws, ec2, image, mark_it):
    item = mark_it(image, aws)

    item = act(ec2, item, barred="erin may not do this any more.")

    assert (item.state, item.error) == (ItemState.FAILED, "erin may not do this any more.")
    assert applied(aws, "DisableImage", image) == 0
    assert applied(aws, "DeregisterImage", image) == 0


def test_a_disabled_image_that_can_not_be_deregistered_is_said_to_stay_disabled(aws, ec2, image):
    aws.fail("DeregisterImage", "access-denied")

    item = act(ec2, mark_disabled(image, aws))

    assert item.state == ItemState.FAILED
    assert item.note == "It stays disabled."


def test_a_refusal_fails_with_the_words_of_aws_and_what_to_do(aws, ec2, image):
    aws.fail("DisableImage", "access-denied")

    item = act(ec2, mark(image))

    assert item.state == ItemState.FAILED
    assert item.submitted_at is None
    assert item.error == (
        "AWS refused. DisableImage: UnauthorizedOperation. You are not authorized to perform this "
        "operation. Allow this to the role of the account, then retry."
    )


def test_throttling_is_no_doubt(aws, ec2, image):
    aws.fail("DisableImage", "throttle")

    item = act(ec2, mark(image))

    assert item.state == ItemState.MARKED
    assert item.submitted_at is None
    assert item.tries == 1
    assert item.act_at == LATER + timedelta(seconds=10)


@pytest.mark.parametrize("fault", ["server-error", "applied-then-dropped", "half-a-page"])
@pytest.mark.parametrize(
    ("mark_it", "aim"),
    [
        (lambda image, aws: mark(image), ItemState.DISABLED),
        (mark_disabled, ItemState.DEREGISTERED),
    ],
    ids=["disabling", "deregistering"],
)
def test_a_lost_answer_is_looked_into(aws, ec2, image, fault, mark_it, aim):
    item = mark_it(image, aws)
    aws.fail("DisableImage", fault)
    aws.fail("DeregisterImage", fault)

    act(ec2, item)
    before = (item.submitted_at, item.act_at)
    act(ec2, item, at=LATER + DOUBT)

    assert before == (LATER, LATER + DOUBT)
    assert item.state == aim
    assert "Somebody else" not in item.note


def test_snapshots_after_a_lost_answer_are_said_to_be_not_known(aws, ec2, image):
    item = mark_disabled(image, aws, deletes_snapshots=True)
    aws.fail("DeregisterImage", "applied-then-dropped")
    act(ec2, item)

    act(ec2, item, at=LATER + DOUBT)

    assert item.state == ItemState.DEREGISTERED
    assert "it is not known which snapshots were deleted" in item.note
    assert item.snapshots == []


def test_a_worker_that_died_while_sending_is_waited_for(aws, ec2, image):
    item = mark_disabled(image, aws, submitted_at=LATER)

    act(ec2, item, at=LATER + DOUBT - timedelta(seconds=1))

    assert item.state == ItemState.DISABLED
    assert applied(aws, "DeregisterImage", image) == 0


def test_the_request_to_disable_is_no_doubt_about_deregistering(aws, ec2, image):
    item = mark_disabled(image, aws, submitted_at=NOON)

    act(ec2, item, at=NOON + timedelta(seconds=1))

    assert item.state == ItemState.DEREGISTERED


def test_a_clock_that_goes_back_makes_no_request_look_like_an_older_one(aws, ec2, image):
    item = mark_disabled(image, aws)
    aws.fail("DeregisterImage", "server-error")

    act(ec2, item, at=NOON - DAY)

    assert item.submitted_at > item.disabled_at


def test_a_clock_that_goes_back_makes_no_request_look_like_the_next_one(aws, ec2, image):
    in_aws(aws, image)["State"] = "disabled"
    item = mark(image)
    item.submitted_at = LATER + DAY
    item.save()

    act(ec2, item)

    assert item.submitted_at == item.disabled_at == LATER


def test_a_refusal_soon_after_a_doubt_is_not_the_end(aws, ec2, image):
    item = mark_disabled(image, aws, submitted_at=LATER)
    aws.fail("DeregisterImage", "access-denied")

    act(ec2, item, at=LATER + DOUBT)

    assert item.state == ItemState.DISABLED
    assert item.submitted_at == LATER


def test_a_refusal_long_after_a_doubt_is(aws, ec2, image):
    item = mark_disabled(image, aws, submitted_at=LATER)
    aws.fail("DeregisterImage", "access-denied")

    act(ec2, item, at=LATER + UNSEEN)

    assert item.state == ItemState.FAILED
    assert item.note == "A request was sent and its end is not known. Retry to look again."


def test_a_read_that_fails_for_the_moment_is_tried_again(aws, ec2, image):
    aws.fail("DescribeImageReferences", "throttle", times=None)

    item = act(ec2, mark(image))

    assert item.state == ItemState.MARKED
    assert item.note.startswith("AWS can't be asked now: DescribeImageReferences")


def test_an_answer_of_no_use_is_asked_for_again(aws, ec2, image):
    in_aws(aws, image)["CreationDate"] = "yesterday"

    item = act(ec2, mark(image))

    assert item.state == ItemState.MARKED
    assert "CreationDate" in item.note


def test_pauses_grow_but_not_beyond_a_quarter_of_an_hour(aws, ec2, image):
    in_aws(aws, image)["CreationDate"] = "yesterday"
    item = mark(image)
    item.tries = MOST_TRIES - 2
    item.save()

    act(ec2, item)

    assert item.act_at == LATER + LONGEST_PAUSE


def test_trouble_that_does_not_pass_is_a_failure_in_the_end(aws, ec2, image):
    aws.fail("DisableImage", "throttle")
    item = mark(image)
    item.tries = MOST_TRIES - 1
    item.save()

    act(ec2, item)

    assert item.state == ItemState.FAILED
    assert item.error.endswith("Tried 10 times. Retry when AWS answers again.")
    assert item.tries == 0


def test_a_step_that_succeeds_forgets_the_tries_before(ec2, image):
    item = mark(image)
    item.tries = 5
    item.save()

    assert act(ec2, item).tries == 0


def test_an_item_that_somebody_kept_meanwhile_is_left_alone(aws, ec2, image):
    item = mark(image)
    row = RemovalItem.objects.select_related("image__account", "removal__run").get(pk=item.pk)
    RemovalItem.objects.update(state=ItemState.KEPT)

    advance(ec2, Turn(row, row.removal.run, LATER))

    item.refresh_from_db()
    assert item.state == ItemState.KEPT
    assert in_aws(aws, image)["State"] == "available"


def test_nothing_is_sent_while_the_removal_is_paused(aws, ec2, image):
    item = act(ec2, mark(image, is_paused=True))

    assert item.state == ItemState.MARKED
    assert applied(aws, "DisableImage", image) == 0


@pytest.mark.parametrize(
    "fields", [{"attempt": 2}, {"state": RunState.QUEUED}], ids=["taken over", "given back"]
)
def test_a_worker_that_was_declared_dead_sends_nothing(aws, ec2, image, fields):
    item = mark(image)
    row = RemovalItem.objects.select_related("image__account", "removal__run").get(pk=item.pk)
    type(row.removal.run).objects.update(**fields)

    advance(ec2, Turn(row, row.removal.run, LATER))

    assert applied(aws, "DisableImage", image) == 0


def test_a_failure_of_a_row_that_changed_is_not_written(aws, ec2, image):
    item = mark(image)
    row = RemovalItem.objects.select_related("image__account", "removal__run").get(pk=item.pk)
    RemovalItem.objects.update(state=ItemState.KEPT)
    aws.fail("DescribeImages", "access-denied")

    advance(ec2, Turn(row, row.removal.run, LATER))

    item.refresh_from_db()
    assert (item.state, item.error) == (ItemState.KEPT, "")


def test_a_disabled_image_is_brought_back(aws, ec2, image):
    in_aws(aws, image)["State"] = "disabled"
    Image.objects.update(state="disabled")

    item = act(ec2, mark(image, is_undo=True))

    image.refresh_from_db()
    assert (item.state, item.note) == (ItemState.RESTORED, "Enabled.")
    assert in_aws(aws, image)["State"] == image.state == "available"


def test_an_image_comes_back_from_the_recycle_bin_and_is_enabled(aws, ec2, image):
    keep_in_the_bin(aws, image)
    in_aws(aws, image)["State"] = "disabled"
    ec2.deregister_image(image.aws_id, deletes_snapshots=False)
    Image.objects.update(gone_at=NOON)
    item = mark(image, is_undo=True)

    act(ec2, item)
    first = (item.state, item.note)
    act(ec2, item)

    image.refresh_from_db()
    assert first == (ItemState.MARKED, "Restored from the Recycle Bin.")
    assert item.state == ItemState.RESTORED
    assert in_aws(aws, image)["State"] == "available"
    assert (image.state, image.gone_at) == ("available", None)


def test_an_image_that_is_not_in_the_bin_is_gone_for_good(aws, ec2, image):
    aws.state.things["images"].clear()

    item = act(ec2, mark(image, is_undo=True))

    assert (item.state, item.error) == (ItemState.FAILED, GONE_FOR_GOOD)


def test_a_bin_that_can_not_be_read_is_not_empty(aws, ec2, image):
    aws.state.things["images"].clear()
    aws.fail("ListImagesInRecycleBin", "access-denied")

    item = act(ec2, mark(image, is_undo=True))

    assert item.state == ItemState.FAILED
    assert item.error.startswith("AWS refused. ListImagesInRecycleBin")


def test_a_restored_image_may_show_late(aws, ec2, image):
    item = mark(image, is_undo=True)
    item.submitted_at = NOON
    item.save()
    aws.state.things["images"].clear()

    act(ec2, item)

    assert item.state == ItemState.MARKED
    assert item.note == "AWS does not show the restored image yet."


def test_an_image_whose_name_is_taken_does_not_come_back(aws, ec2, scope, image):
    keep_in_the_bin(aws, image)
    ec2.deregister_image(image.aws_id, deletes_snapshots=False)
    put_image(aws, scope, Name=image.aws_id)

    item = act(ec2, mark(image, is_undo=True))

    assert item.state == ItemState.FAILED
    assert "InvalidAMIName.Duplicate" in item.error
    assert item.error.endswith("Rename or discard the image that has its name now, then retry.")


def test_an_image_that_is_there_already_is_restored(ec2, image):
    item = act(ec2, mark(image, is_undo=True))

    assert (item.state, item.note) == (ItemState.RESTORED, "It was available already.")


def test_what_does_not_come_back_is_named(aws, ec2, image):
    in_aws(aws, image)["State"] = "disabled"

    item = act(ec2, mark(image, is_undo=True, permissions=SHARED))

    assert item.note == (
        "Enabled. Launch permissions do not come back by themselves: 111111111111, all."
    )


def test_an_image_that_failed_does_not_come_back(aws, ec2, image):
    in_aws(aws, image)["State"] = "failed"

    item = act(ec2, mark(image, is_undo=True))

    assert item.error == "The image is failed. AWS does not bring such an image back."


def test_an_image_that_is_on_its_way_back_is_waited_for(aws, ec2, image):
    in_aws(aws, image).update({"State": "pending", "_available_at": "9"})

    assert act(ec2, mark(image, is_undo=True)).state == ItemState.MARKED


@pytest.mark.parametrize("is_gone", [False, True], ids=["disabled", "gone"])
def test_nothing_is_brought_back_for_somebody_who_may_not_any_more(aws, ec2, image, is_gone):
    keep_in_the_bin(aws, image)
    in_aws(aws, image)["State"] = "disabled"
    if is_gone:
        ec2.deregister_image(image.aws_id, deletes_snapshots=False)

    item = act(ec2, mark(image, is_undo=True), barred="erin may not do this any more.")

    assert item.error == "erin may not do this any more."
    assert applied(aws, "EnableImage", image) == 0
    assert applied(aws, "RestoreImageFromRecycleBin", image) == 0


@pytest.mark.parametrize("fault", ["server-error", "applied-then-dropped", "half-a-page"])
@pytest.mark.parametrize("operation", ["EnableImage", "RestoreImageFromRecycleBin"])
def test_a_lost_answer_to_bringing_back_is_looked_into(aws, ec2, image, fault, operation):
    keep_in_the_bin(aws, image)
    in_aws(aws, image)["State"] = "disabled"
    ec2.deregister_image(image.aws_id, deletes_snapshots=False)
    aws.fail(operation, fault)
    item = mark(image, is_undo=True)

    for minutes in range(3):
        act(ec2, item, at=LATER + timedelta(minutes=minutes))

    assert item.state == ItemState.RESTORED
    assert in_aws(aws, image)["State"] == "available"


def test_what_may_have_been_sent_is_looked_for_also_where_aws_denies_the_look(aws, ec2, image):
    item = mark_disabled(image, aws, submitted_at=LATER)
    aws.fail("DescribeImages", "access-denied")

    act(ec2, item, at=LATER + DOUBT)

    assert item.state == ItemState.DISABLED
    assert item.act_at > LATER + DOUBT


def test_the_names_of_another_account_are_not_told(aws, ec2, image):
    instance = make_instance(image_id=image.aws_id, name="payroll")

    item = act(ec2, mark(image))

    assert item.note == f"Kept: in use by instance {instance.aws_id}."
    assert texts(item) == [item.note]
