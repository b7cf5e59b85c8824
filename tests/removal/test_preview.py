import pytest

from registry.models import Role
from registry.removal import Use, Wish, preview
from registry.removal.preview import (
    BIN,
    NOT_PERMITTED,
    PERMISSIONS_GO,
    SNAPSHOTS_GO,
)
from registry.removal.uses import LAUNCH_TEMPLATE
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_instance,
    make_removal_item,
    make_user,
)

pytestmark = pytest.mark.django_db
KEEPS = "--no-delete-associated-snapshots"


def look(*images, by=None, **wish):
    return preview(images, Wish(**wish), by=by)


def the_line(image, **wish):
    [line] = look(image, **wish).lines
    return line


def test_the_calls_of_a_removal_are_shown_as_they_will_be_made():
    image = make_image(aws_id="ami-1", region="eu-west-1")

    line = the_line(image)

    assert line.calls == (
        "aws ec2 disable-image --region eu-west-1 --image-id ami-1",
        f"aws ec2 deregister-image --region eu-west-1 --image-id ami-1 {KEEPS}",
    )
    assert line.undo == (
        "aws ec2 restore-image-from-recycle-bin --region eu-west-1 --image-id ami-1",
        "aws ec2 enable-image --region eu-west-1 --image-id ami-1",
    )
    assert line.happens == "Disabled, then deregistered."


def test_snapshots_that_go_are_in_the_call():
    line = the_line(make_image(), deletes_snapshots=True)

    assert line.calls[-1].endswith(" --delete-associated-snapshots")


def test_what_is_only_disabled_is_only_enabled_again():
    line = the_line(make_image(), only_disables=True)

    assert [call.split()[2] for call in line.calls] == ["disable-image"]
    assert [call.split()[2] for call in line.undo] == ["enable-image"]
    assert line.happens == "Disabled."


@pytest.mark.parametrize("state", ["disabled", "failed"])
def test_what_needs_no_disabling_is_deregistered(state):
    line = the_line(make_image(state=state))

    assert [call.split()[2] for call in line.calls] == ["deregister-image"]
    assert line.happens == "Deregistered."


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        ({"state": "disabled"}, ["enable-image"]),
        ({"gone_at": NOON}, ["restore-image-from-recycle-bin", "enable-image"]),
    ],
    ids=["disabled", "gone"],
)
def test_the_calls_of_an_undo_are_shown(fields, calls):
    line = the_line(make_image(**fields), is_undo=True)

    assert [call.split()[2] for call in line.calls] == calls


def test_everything_is_disabled_before_anything_is_deregistered():
    found = look(make_image(), make_image())

    assert [call.split()[2] for call in found.calls] == [
        "disable-image",
        "disable-image",
        "deregister-image",
        "deregister-image",
    ]


def test_an_obstacle_is_a_reason_to_skip_and_makes_no_calls():
    gone = make_image(gone_at=NOON)

    found = look(gone, make_image())

    assert [line.image for line in found.skipped] == [gone]
    assert found.skipped[0].happens == "AWS does not show it any more."
    assert len(found.acting) == 1
    assert len(found.calls) == 2
    assert len(found.undo) == 2


def test_what_one_may_not_discard_is_skipped():
    found = look(make_image(), by=make_user(Role.FINOPS))

    assert found.lines[0].obstacle == NOT_PERMITTED


def test_an_image_in_use_would_be_kept():
    image = make_image()
    uses = [make_instance(image_id=image.aws_id, name="").aws_id for _ in range(5)]

    line = the_line(image)

    assert line.kept == (
        f"Kept unless this ends before: in use by instance {uses[0]}, instance {uses[1]}, "
        f"instance {uses[2]} and 2 more."
    )
    assert line.obstacle == ""


def test_an_image_in_use_goes_where_it_is_forced():
    image = make_image()
    make_instance(image_id=image.aws_id)

    line = the_line(image, is_forced=True)

    assert line.skipped == ""
    assert len(line.uses) == 1


def test_the_blast_radius_names_who_is_hit():
    image, other = make_image(), make_account()
    instance = make_instance(image_id=image.aws_id, account=other)
    template = Use(LAUNCH_TEMPLATE, "lt-1")
    make_removal_item(image=image, state="in_use", uses=[template.json])

    found = look(image)

    assert [use.aws_id for use in found.instances] == [instance.aws_id]
    assert found.launch_templates == [template]
    assert found.accounts == sorted([image.account.number, other.number])


def test_forced_removal_does_not_forget_regional_copies():
    image = make_image()
    copy = make_image(source_image_id=image.aws_id, region="us-east-1")
    chosen = make_image(source_image_id=image.aws_id, region="us-east-2")

    found = look(image, chosen, is_forced=True)

    assert found.copies_left == [copy]
    assert found.lines[0].copies == (copy,)


def test_a_chosen_copy_that_can_not_go_is_left_behind():
    image = make_image()
    copy = make_image(source_image_id=image.aws_id, account=make_account(is_synced=False))

    assert look(image, copy).copies_left == [copy]


def test_a_snapshot_that_another_image_stands_on_is_left():
    image = make_image(
        root_snapshot_id="snap-1",
        block_devices=[{"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-2"}}],
    )
    make_image(state="disabled", root_snapshot_id="snap-1")

    line = the_line(image, deletes_snapshots=True)

    assert (line.deleted_snapshots, line.shared_snapshots) == (("snap-2",), ("snap-1",))


def test_a_snapshot_that_only_the_chosen_stand_on_goes_with_the_last():
    images = [make_image(root_snapshot_id="snap-1") for _ in range(2)]

    found = look(*images, deletes_snapshots=True)

    assert [line.deleted_snapshots for line in found.lines] == [("snap-1",), ("snap-1",)]


def test_no_snapshot_goes_unless_asked():
    line = the_line(make_image(root_snapshot_id="snap-1"))

    assert (line.deleted_snapshots, line.shared_snapshots) == ((), ())


@pytest.mark.parametrize(
    ("wish", "said", "unsaid"),
    [
        ({}, {PERMISSIONS_GO, BIN}, {SNAPSHOTS_GO}),
        ({"only_disables": True}, {PERMISSIONS_GO}, {BIN, SNAPSHOTS_GO}),
        ({"deletes_snapshots": True}, {PERMISSIONS_GO, BIN, SNAPSHOTS_GO}, set()),
        ({"is_undo": True}, {PERMISSIONS_GO, BIN}, {SNAPSHOTS_GO}),
    ],
    ids=["discard", "disable", "with snapshots", "undo"],
)
def test_says_what_can_not_be_undone(wish, said, unsaid):
    warnings = set(look(make_image(), **wish).warnings)

    assert said <= warnings
    assert not unsaid & warnings


def test_takes_the_same_queries_for_any_number_of_images(django_assert_num_queries):
    user = make_user(Role.DEVELOPER)
    for number in range(12):
        image = make_image(root_snapshot_id=f"snap-{number}")
        make_instance(image_id=image.aws_id)
        make_image(source_image_id=image.aws_id)
    images = list(type(image).objects.all())

    with django_assert_num_queries(15):
        found = preview(images, Wish(deletes_snapshots=True), by=user)

    assert len(found.lines) == 24


def test_the_names_of_an_account_that_one_may_not_read_are_not_told():
    image = make_image()
    instance = make_instance(image_id=image.aws_id, name="payroll")

    [line] = look(image, by=make_user(Role.ENGINEER, account=image.account)).lines

    assert [str(use) for use in line.uses] == [f"instance {instance.aws_id}"]
    assert "payroll" not in line.kept
