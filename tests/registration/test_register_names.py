"""Whose image it is that has the name of a request."""

import uuid

import pytest

from registry.models import Method, RegistrationStep
from registry.registration import NotOurs, check_once, register_once
from tests.factories import NOON
from tests.registration.calls import sent
from tests.registration.simulated import images_named, put_image
from tests.registration.sources import put_original, put_remains


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"Tags": []}, id="without a key"),
        pytest.param({"key": "another key"}, id="with another key"),
        pytest.param({"of": "another"}, id="of another source"),
        pytest.param({"Tags": [], "State": "disabled"}, id="disabled"),
        pytest.param({"Tags": [], "State": "failed"}, id="failed"),
    ],
)
@pytest.mark.parametrize("begin", [check_once, register_once], ids=["checked", "registered"])
def test_a_foreign_image_of_the_name_is_reported_never_adopted(
    aws, ec2, any_registration, members, begin
):
    image_id = put_remains(aws, any_registration, **members)

    with pytest.raises(NotOurs, match=f"{image_id} has the name golden"):
        begin(ec2, any_registration, at=NOON)

    any_registration.refresh_from_db()
    assert any_registration.image_id == ""
    assert sent(aws) == []


@pytest.mark.parametrize(
    ("method", "members"),
    [
        pytest.param("snapshot", {"snapshot_id": "snap-copied"}, id="of one of a snapshot"),
        pytest.param("instance", {"SourceInstanceId": ""}, id="of one of an instance"),
        pytest.param("copy", {}, id="of a copy"),
    ],
)
def test_a_copy_of_our_image_that_carries_our_tag_is_not_adopted(
    aws, ec2, registered_by, method, members
):
    registration = registered_by(method)
    put_remains(aws, registration, **members | {"SourceImageId": "ami-0a"})

    with pytest.raises(NotOurs):
        register_once(ec2, registration, at=NOON)

    assert registration.image_id == ""


def test_a_copy_under_another_name_is_no_obstacle(aws, ec2, checked):
    copy = put_remains(aws, checked, of="another", Name="golden-copy")

    register_once(ec2, checked, at=NOON)

    assert checked.image_id not in {"", copy}


def test_a_copy_is_ours_though_the_tags_of_its_source_came_along(aws, ec2, registered_by):
    theirs = [{"Key": "amiportal:registration", "Value": str(uuid.uuid4())}]
    put_original(aws, Tags=theirs)
    registration = registered_by(Method.COPY, step=RegistrationStep.CHECKED)
    aws.fail("CopyImage", "applied-then-dropped")

    register_once(ec2, registration, at=NOON)

    [image] = images_named(aws, "golden")
    assert theirs[0] in image["Tags"]
    assert registration.image_id == image["ImageId"]


def test_the_copy_of_a_copy_is_not_taken_for_the_first(aws, ec2, registered_by):
    registration = registered_by(Method.COPY)
    register_once(ec2, registration, at=NOON)
    other = registered_by(
        Method.COPY,
        source_image_id=registration.image_id,
        source_region=registration.region,
        name="golden again",
    )

    register_once(ec2, other, at=NOON)

    [image] = images_named(aws, "golden again")
    assert other.image_id == image["ImageId"] != registration.image_id
    assert {tag["Value"] for tag in image["Tags"]} == {str(registration.key), str(other.key)}


@pytest.mark.parametrize("begin", [check_once, register_once], ids=["checked", "registered"])
def test_a_name_taken_by_what_nobody_sees_is_said(aws, ec2, any_registration, begin):
    put_image(aws, _visible_at="2999")

    with pytest.raises(NotOurs, match="taken by an AMI that AWS does not show: one deregistered"):
        begin(ec2, any_registration, at=NOON)

    any_registration.refresh_from_db()
    assert any_registration.submitted_at is None
    assert len(images_named(aws, "golden")) == 1


@pytest.fixture
def just_deregistered(aws, ec2):
    """AWS keeps the name golden for a while, though its image is gone."""
    aws.state.name_held_seconds = 60
    ec2.deregister_image(put_image(aws), deletes_snapshots=False)


@pytest.mark.usefixtures("just_deregistered")
def test_a_name_of_an_image_deregistered_a_moment_ago_is_said(aws, ec2, any_registration):
    with pytest.raises(NotOurs, match="one deregistered a moment ago"):
        check_once(ec2, any_registration, at=NOON)

    assert sent(aws) == []


@pytest.mark.usefixtures("just_deregistered")
def test_a_name_that_was_held_is_free_after_a_while(aws, ec2, any_registration):
    aws.state.advance(seconds=61)

    register_once(ec2, any_registration, at=NOON)

    [image] = images_named(aws, "golden")
    assert any_registration.image_id == image["ImageId"]
