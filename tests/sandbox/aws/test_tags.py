import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import (
    client,
    code_of,
    image_of,
    put_image,
    put_instance,
    put_reserved,
    put_snapshot,
    put_volume,
)


def tag(aws, *resources, **tags):
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    client(aws).create_tags(Resources=list(resources), Tags=listed)


def refused(aws, *resources, **tags):
    with pytest.raises(ClientError) as error:
        tag(aws, *resources, **tags)
    return code_of(error.value)


def tags_of(aws, image_id):
    return {item["Key"]: item["Value"] for item in image_of(aws, image_id).get("Tags", [])}


def test_tags_are_added_and_overwritten(aws):
    image_id = put_image(aws, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])

    tag(aws, image_id, b="3", c="4")

    assert tags_of(aws, image_id) == {"a": "1", "b": "3", "c": "4"}


@pytest.mark.parametrize(
    ("put", "kind"),
    [
        (put_image, "images"),
        (put_snapshot, "snapshots"),
        (put_volume, "volumes"),
        (put_instance, "instances"),
        (put_reserved, "reserved_instances"),
    ],
)
def test_everything_can_be_tagged(aws, put, kind):
    aws_id = put(aws)

    tag(aws, aws_id, team="web")

    assert aws.state.things[kind][aws_id]["Tags"] == [{"Key": "team", "Value": "web"}]


@pytest.mark.parametrize(
    ("aws_id", "code"),
    [
        ("ami-0123", "InvalidAMIID.NotFound"),
        ("snap-0123", "InvalidSnapshot.NotFound"),
        ("vol-0123", "InvalidVolume.NotFound"),
        ("i-0123", "InvalidInstanceID.NotFound"),
        ("ami-xyz", "InvalidAMIID.Malformed"),
        ("nonsense", "InvalidID"),
    ],
)
def test_where_one_is_missing_none_is_tagged(aws, aws_id, code):
    image_id = put_image(aws)

    assert refused(aws, image_id, aws_id, team="web") == code
    assert tags_of(aws, image_id) == {}


def test_an_image_that_nobody_sees_yet_cannot_be_tagged(aws):
    image_id = put_image(aws, _visible_at="9")

    assert refused(aws, image_id, team="web") == "InvalidAMIID.NotFound"


def test_what_belongs_to_others_cannot_be_tagged(aws):
    image_id = put_image(aws, place={"account": "888888888888"}, Public=True)

    assert refused(aws, image_id, team="web") == "InvalidAMIID.NotFound"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("aws:made", "", id="of AWS"),
        pytest.param("AWS:made", "", id="of AWS in capitals"),
        pytest.param("", "x", id="empty key"),
        pytest.param("k" * 128, "", id="long key"),
        pytest.param("k", "v" * 257, id="long value"),
    ],
)
def test_a_tag_cannot_be(aws, key, value):
    assert refused(aws, put_image(aws), **{key: value}) == "InvalidParameterValue"


def test_a_tag_can_be_as_long_as_this(aws):
    image_id = put_image(aws)

    tag(aws, image_id, **{"k" * 127: "v" * 256})

    assert tags_of(aws, image_id) == {"k" * 127: "v" * 256}


def test_a_key_comes_once_in_a_request(aws):
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]

    with pytest.raises(ClientError) as error:
        client(aws).create_tags(Resources=[put_image(aws)], Tags=twice)

    assert code_of(error.value) == "InvalidParameterValue"


def test_a_thing_has_at_most_fifty_tags(aws):
    image_id = put_image(aws)
    tag(aws, image_id, **{f"k{number}": "" for number in range(50)})

    assert refused(aws, image_id, one_more="") == "TagLimitExceeded"
    assert len(tags_of(aws, image_id)) == 50
