import uuid
from datetime import timedelta

import pytest

from registry.models import RegistrationStep
from registry.registration import Declined, NotOurs, Wait, check_once, register_once
from registry.registration.register import LOOKING, PATIENCE, UNSEEN
from registry.registration.spec import TAG
from tests.factories import NOON
from tests.registration.simulated import images_named, put_image, put_snapshot


def texts(registration):
    return list(registration.events.order_by("pk").values_list("text", flat=True))


def make(ec2, registration, *, at):
    """Let AWS check the request, then make it."""
    return check_once(ec2, registration, at=at) or register_once(ec2, registration, at=at)


def sent(aws):
    """Return the requests for an image that were meant."""
    calls = [call.params for call in aws.calls if call.operation == "RegisterImage"]
    return [params for params in calls if not params.get("DryRun")]


@pytest.fixture
def checked(registration):
    """A registration that AWS would accept: the next request is meant."""
    registration.step = RegistrationStep.CHECKED
    registration.save()
    return registration


@pytest.fixture
def in_doubt(aws, ec2, checked):
    """A registration that AWS carried out without an answer, and whose image it does not show."""
    aws.state.invisible_seconds = 3600
    aws.fail("RegisterImage", "applied-then-dropped")
    register_once(ec2, checked, at=NOON)
    aws.state.invisible_seconds = 0
    return checked


def show(aws):
    """Let AWS show what it has made."""
    aws.state.advance(seconds=3600)


def forget(aws):
    """Let the image not have been made."""
    aws.state.things["images"].clear()


def test_one_request_makes_the_image(aws, ec2, registration):
    pause = make(ec2, registration, at=NOON)

    [image] = images_named(aws, "golden")
    registration.refresh_from_db()
    assert pause is None
    assert registration.image_id == image["ImageId"]
    assert registration.step == RegistrationStep.SUBMITTED
    assert registration.submitted_at == NOON
    assert aws.operations_called() == ["DescribeImages", "RegisterImage"] + ["DescribeImages", "RegisterImage"]


def test_the_image_carries_the_key(aws, ec2, registration):
    registration.tags = {"team": "erp"}

    register_once(ec2, registration, at=NOON)

    [image] = images_named(aws, "golden")
    assert image["Tags"] == [
        {"Key": "team", "Value": "erp"},
        {"Key": TAG, "Value": str(registration.key)},
    ]


def test_what_aws_makes_of_it_can_be_started(aws, ec2, registration):
    register_once(ec2, registration, at=NOON)

    [image] = images_named(aws, "golden")
    assert image["Architecture"] == "x86_64"
    assert image["VirtualizationType"] == "hvm"
    assert image["EnaSupport"] is True


def test_the_timeline_names_the_request_for_the_support_of_aws(ec2, registration):
    make(ec2, registration, at=NOON)

    checked, registered = registration.events.order_by("pk")
    assert checked.text == "Checked: AWS would accept the request."
    assert registered.text == f"RegisterImage returned {registration.image_id}."
    assert uuid.UUID(registered.request_id)
    assert registered.at == NOON


def test_it_looks_first(aws, ec2, registration):
    image_id = put_image(aws, key=registration.key)

    pause = register_once(ec2, registration, at=NOON)

    assert pause is None
    assert registration.image_id == image_id
    assert sent(aws) == []
    assert texts(registration) == [f"Found {image_id} under the registration's key."]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="without a key"),
        pytest.param({"key": "another key"}, id="with another key"),
        pytest.param({"snapshot_id": "snap-another"}, id="of another snapshot"),
        pytest.param({"State": "disabled"}, id="disabled"),
    ],
)
def test_a_foreign_image_of_the_name_is_reported_never_adopted(aws, ec2, registration, members):
    image_id = put_image(aws, **members)

    with pytest.raises(NotOurs, match=f"{image_id} has the name golden"):
        register_once(ec2, registration, at=NOON)

    registration.refresh_from_db()
    assert registration.image_id == ""
    assert sent(aws) == []


def test_a_copy_of_our_image_that_carries_our_tag_is_not_adopted(aws, ec2, registration):
    put_image(aws, key=registration.key, snapshot_id="snap-copied")

    with pytest.raises(NotOurs):
        register_once(ec2, registration, at=NOON)

    assert registration.image_id == ""


def test_a_copy_under_another_name_is_no_obstacle(aws, ec2, registration):
    copy = put_image(aws, key=registration.key, snapshot_id="snap-copied", name="golden-copy")

    register_once(ec2, registration, at=NOON)

    assert registration.image_id not in {"", copy}


def test_a_name_taken_by_what_nobody_sees_is_said(aws, ec2, registration):
    put_image(aws, _visible_at="2999")

    with pytest.raises(NotOurs, match="taken by an AMI that AWS does not show: one deregistered"):
        make(ec2, registration, at=NOON)

    assert sent(aws) == []


def test_a_name_taken_between_the_check_and_the_request_is_said(aws, ec2, checked):
    put_image(aws, _visible_at="2999")

    with pytest.raises(NotOurs, match="taken by an AMI that AWS does not show: one deregistered"):
        register_once(ec2, checked, at=NOON)

    checked.refresh_from_db()
    assert checked.submitted_at is None


@pytest.mark.parametrize(
    ("snapshot", "advice"),
    [
        pytest.param(None, "Sync the account, then choose a snapshot", id="snapshot deleted"),
        pytest.param({"State": "error"}, "Wait until the snapshot is completed", id="in error"),
        pytest.param({"StorageTier": "archive"}, "in the standard tier", id="archived"),
    ],
)
def test_a_no_of_the_check_says_what_to_change(aws, ec2, registration, snapshot, advice):
    aws.state.things["snapshots"].clear()
    if snapshot is not None:
        put_snapshot(aws, **snapshot)

    with pytest.raises(Declined, match=advice):
        make(ec2, registration, at=NOON)

    registration.refresh_from_db()
    assert sent(aws) == []
    assert registration.submitted_at is None


def test_a_denied_check_names_the_permission(aws, ec2, registration):
    aws.fail("RegisterImage", "access-denied")

    with pytest.raises(Declined, match="Allow ec2:RegisterImage and ec2:CreateTags to the role"):
        make(ec2, registration, at=NOON)


def test_a_denied_request_leaves_nothing_behind(aws, ec2, checked):
    aws.fail("RegisterImage", "access-denied")

    with pytest.raises(Declined, match="UnauthorizedOperation"):
        register_once(ec2, checked, at=NOON)

    checked.refresh_from_db()
    assert checked.submitted_at is None
    assert images_named(aws, "golden") == []


def test_a_check_that_aws_slows_is_asked_again(aws, ec2, registration):
    aws.fail("RegisterImage", "throttle", times=4)

    pause = register_once(ec2, registration, at=NOON)

    registration.refresh_from_db()
    assert isinstance(pause, Wait)
    assert registration.submitted_at is None
    assert registration.step == RegistrationStep.REQUESTED


def test_a_request_that_aws_slows_was_not_carried_out(aws, ec2, checked):
    aws.fail("RegisterImage", "throttle")

    pause = register_once(ec2, checked, at=NOON)

    checked.refresh_from_db()
    assert pause is not None
    assert pause.note == "AWS is slowing requests"
    assert checked.submitted_at is None
    assert len(sent(aws)) == 1


def test_a_request_is_sent_once(aws, ec2, checked):
    aws.fail("RegisterImage", "server-error", times=None)

    register_once(ec2, checked, at=NOON)

    assert len(sent(aws)) == 1


def test_a_lost_answer_is_resolved_by_looking(aws, ec2, checked):
    aws.fail("RegisterImage", "applied-then-dropped")

    pause = register_once(ec2, checked, at=NOON)

    [image] = images_named(aws, "golden")
    assert pause is None
    assert checked.image_id == image["ImageId"]
    assert texts(checked)[0].startswith("No answer of AWS. RegisterImage: ")


def test_half_an_answer_is_no_answer(aws, ec2, checked):
    aws.fail("RegisterImage", "half-a-page")

    register_once(ec2, checked, at=NOON)

    [image] = images_named(aws, "golden")
    assert checked.image_id == image["ImageId"]


def test_a_doubt_that_can_not_be_looked_into_is_waited_out(aws, ec2, checked):
    aws.fail("RegisterImage", "applied-then-dropped")
    aws.fail("DescribeImages", "slow", seconds=0)  # the look before
    aws.fail("DescribeImages", "access-denied")

    pause = register_once(ec2, checked, at=NOON)

    assert pause == Wait(PATIENCE, LOOKING)


def test_a_doubt_is_written_down_before_it_can_arise(in_doubt):
    in_doubt.refresh_from_db()

    assert in_doubt.submitted_at == NOON
    assert in_doubt.image_id == ""


def test_nothing_is_sent_while_an_image_may_be_out_of_sight(aws, ec2, in_doubt):
    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE - timedelta(seconds=1))

    assert pause is not None
    assert pause.note == LOOKING
    assert len(sent(aws)) == 1


def test_a_foreign_image_that_shows_in_the_doubt_is_not_believed_at_once(aws, ec2, in_doubt):
    forget(aws)
    put_image(aws)

    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE - timedelta(seconds=1))

    assert pause is not None


def test_a_foreign_image_that_still_shows_after_the_doubt_is_reported(aws, ec2, in_doubt):
    forget(aws)
    image_id = put_image(aws)

    with pytest.raises(NotOurs, match=image_id):
        register_once(ec2, in_doubt, at=NOON + PATIENCE)


def test_an_image_that_shows_late_is_found(aws, ec2, in_doubt):
    show(aws)

    pause = register_once(ec2, in_doubt, at=NOON + timedelta(minutes=3))

    [image] = images_named(aws, "golden")
    assert pause is None
    assert in_doubt.image_id == image["ImageId"]
    assert len(sent(aws)) == 1


def test_a_request_that_was_lost_is_sent_again(aws, ec2, in_doubt):
    forget(aws)

    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE)

    [image] = images_named(aws, "golden")
    assert pause is None
    assert in_doubt.image_id == image["ImageId"]


@pytest.mark.parametrize("fault", [None, "access-denied"], ids=["name taken", "denied"])
def test_a_no_after_a_doubt_may_come_from_our_own_image(aws, ec2, in_doubt, fault):
    if fault:
        aws.fail("RegisterImage", fault)

    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE)

    in_doubt.refresh_from_db()
    assert pause == Wait(PATIENCE, LOOKING)
    assert in_doubt.submitted_at == NOON
    assert texts(in_doubt)[-1].startswith("AWS refuses now. RegisterImage: ")


def test_an_image_out_of_sight_longer_than_our_patience_is_found(aws, ec2, in_doubt):
    register_once(ec2, in_doubt, at=NOON + PATIENCE)
    show(aws)

    register_once(ec2, in_doubt, at=NOON + 2 * PATIENCE)

    [image] = images_named(aws, "golden")
    assert in_doubt.image_id == image["ImageId"]


def test_an_image_that_never_shows_is_left_to_a_person(ec2, in_doubt):
    with pytest.raises(NotOurs, match="Look for golden in EC2 before you repeat the request"):
        register_once(ec2, in_doubt, at=NOON + UNSEEN)


def test_a_denial_long_after_a_doubt_is_final(aws, ec2, in_doubt):
    forget(aws)
    aws.fail("RegisterImage", "access-denied")

    with pytest.raises(Declined, match="UnauthorizedOperation"):
        register_once(ec2, in_doubt, at=NOON + UNSEEN)


def test_who_may_no_longer_send_still_finds_what_was_sent(aws, ec2, in_doubt):
    show(aws)

    register_once(ec2, in_doubt, at=NOON + PATIENCE, may_send=False)

    assert in_doubt.image_id != ""


def test_who_may_no_longer_send_does_not_send_again(aws, ec2, in_doubt):
    forget(aws)

    with pytest.raises(Declined, match="may not make images here any more"):
        register_once(ec2, in_doubt, at=NOON + PATIENCE, may_send=False)

    assert images_named(aws, "golden") == []
