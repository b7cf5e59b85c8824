import uuid
from datetime import timedelta

import pytest

from registry.models import RegistrationStep
from registry.registration import Declined, Wait, check_once, operation, register_once
from registry.registration.spec import mark
from tests.factories import NOON
from tests.registration.calls import sent, texts
from tests.registration.simulated import images_named, put_snapshot
from tests.registration.sources import put_instance, put_original, put_remains


def make(ec2, registration, *, at=NOON):
    """Let AWS check the request, then make it."""
    return check_once(ec2, registration, at=at) or register_once(ec2, registration, at=at)


def test_one_request_makes_the_image(aws, ec2, any_registration):
    pause = make(ec2, any_registration)

    [image] = images_named(aws, "golden")
    any_registration.refresh_from_db()
    assert pause is None
    assert any_registration.image_id == image["ImageId"]
    assert any_registration.step == RegistrationStep.SUBMITTED
    assert any_registration.submitted_at == NOON
    assert aws.operations_called() == ["DescribeImages", operation(any_registration)] * 2


def test_the_image_carries_the_key(aws, ec2, any_registration):
    any_registration.tags = {"team": "erp"}

    register_once(ec2, any_registration, at=NOON)

    [image] = images_named(aws, "golden")
    assert image["Tags"] == [
        {"Key": "team", "Value": "erp"},
        {"Key": mark(any_registration), "Value": str(any_registration.key)},
    ]


def test_what_aws_makes_of_it_can_be_started(aws, ec2, any_registration):
    register_once(ec2, any_registration, at=NOON)

    [image] = images_named(aws, "golden")
    assert image["Architecture"] == "x86_64"
    assert image["VirtualizationType"] == "hvm"
    assert image["EnaSupport"] is True


def test_the_timeline_names_the_request_for_the_support_of_aws(ec2, any_registration):
    make(ec2, any_registration)

    checked, registered = any_registration.events.order_by("pk")
    assert checked.text == "Checked: AWS would accept the request."
    assert registered.text == f"{operation(any_registration)} returned {any_registration.image_id}."
    assert uuid.UUID(registered.request_id)
    assert registered.at == NOON


def test_it_looks_first(aws, ec2, any_registration):
    image_id = put_remains(aws, any_registration)

    pause = register_once(ec2, any_registration, at=NOON)

    assert pause is None
    assert any_registration.image_id == image_id
    assert sent(aws) == []
    assert texts(any_registration) == [f"Found {image_id} under the registration's key."]


def test_an_image_of_which_aws_does_not_say_the_source_yet_is_ours(aws, ec2, checked):
    source = {"snapshot_id": "", "SourceInstanceId": "", "SourceImageId": "", "ImageLocation": ""}
    image_id = put_remains(aws, checked, **source)

    register_once(ec2, checked, at=NOON)

    assert checked.image_id == image_id


def drop(aws, kind):
    aws.state.things[kind].clear()


@pytest.mark.parametrize(
    ("method", "ruin", "advice"),
    [
        pytest.param(
            "snapshot",
            lambda aws: drop(aws, "snapshots"),
            "Sync the account, then choose a snapshot",
            id="snapshot deleted",
        ),
        pytest.param(
            "snapshot",
            lambda aws: put_snapshot(aws, State="error"),
            "Wait until the snapshot is completed",
            id="snapshot in error",
        ),
        pytest.param(
            "snapshot",
            lambda aws: put_snapshot(aws, StorageTier="archive"),
            "in the standard tier",
            id="snapshot archived",
        ),
        pytest.param(
            "instance",
            lambda aws: drop(aws, "instances"),
            "Sync the account, then choose an instance",
            id="instance gone",
        ),
        pytest.param(
            "instance",
            lambda aws: put_instance(aws, State={"Code": 48, "Name": "terminated"}),
            "Start or stop the instance",
            id="instance terminated",
        ),
        pytest.param(
            "copy",
            lambda aws: drop(aws, "images"),
            "Sync the account, then choose an image that is there",
            id="image gone",
        ),
        pytest.param(
            "copy",
            lambda aws: put_original(aws, State="disabled"),
            "Wait until the image is available",
            id="image disabled",
        ),
        pytest.param(
            "copy",
            lambda aws: put_original(aws, OwnerId="222222222222").update(
                _account="222222222222", Public=True
            ),
            "Launch an instance from it and create an image of that",
            id="image of another account with a license",
        ),
    ],
)
def test_a_no_of_the_check_says_what_to_change(aws, ec2, registered_by, method, ruin, advice):
    registration = registered_by(method)
    ruin(aws)

    with pytest.raises(Declined, match=advice):
        make(ec2, registration)

    registration.refresh_from_db()
    assert sent(aws) == []
    assert registration.submitted_at is None


def test_a_denied_check_names_the_permission(aws, ec2, any_registration):
    asked = operation(any_registration)
    aws.fail(asked, "access-denied")

    with pytest.raises(Declined, match=f"Allow ec2:{asked} and ec2:CreateTags to the role"):
        make(ec2, any_registration)


def test_a_denied_request_leaves_nothing_behind(aws, ec2, checked):
    aws.fail(operation(checked), "access-denied")

    with pytest.raises(Declined, match="UnauthorizedOperation"):
        register_once(ec2, checked, at=NOON)

    checked.refresh_from_db()
    assert checked.submitted_at is None
    assert images_named(aws, "golden") == []


@pytest.mark.parametrize("fault", ["throttle", "server-error"])
def test_a_check_that_aws_can_not_answer_is_asked_again(aws, ec2, any_registration, fault):
    aws.fail(operation(any_registration), fault, times=4)

    pause = make(ec2, any_registration)

    any_registration.refresh_from_db()
    assert isinstance(pause, Wait)
    assert pause.note.startswith("AWS can't check the request now: ")
    assert any_registration.submitted_at is None
    assert any_registration.step == RegistrationStep.REQUESTED


def test_a_request_that_aws_slows_was_not_carried_out(aws, ec2, checked):
    aws.fail(operation(checked), "throttle")

    pause = register_once(ec2, checked, at=NOON)

    checked.refresh_from_db()
    assert pause == Wait(timedelta(seconds=5), "AWS is slowing requests")
    assert checked.submitted_at is None
    assert len(sent(aws)) == 1


def test_a_request_is_sent_once(aws, ec2, checked):
    aws.fail(operation(checked), "server-error", times=None)

    register_once(ec2, checked, at=NOON)

    assert len(sent(aws)) == 1
