from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.aws import protocol
from sandbox.aws.errors import Refused
from tests.sandbox.aws.things import (
    ask_organizations,
    client,
    code_of,
    image_of,
    put_image,
    put_instance,
    put_reserved,
    put_snapshot,
    query,
    registration,
    send,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = [
    pytest.param("<script>alert('1')</script> & \"co\"", id="markup"),
    pytest.param("]]> <!-- &amp; &#0;", id="entities"),
    pytest.param("\u202egnp.egami \u200b \ufeff", id="direction"),
    pytest.param("漢字 \U0001f4bf e\u0301", id="unicode"),
    pytest.param("line\nline\ttab\r\nline\rend", id="line ends"),
    pytest.param("  blanks  ", id="blanks"),
    pytest.param("a+b=c&d%20e;f", id="as in a query"),
    pytest.param("x" * 100_000, id="very long"),
    pytest.param("", id="empty"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back_as_it_is(aws, text):
    image_id = put_image(aws, Description=text)

    assert image_of(aws, image_id)["Description"] == text


@pytest.mark.parametrize("text", [value for value in HOSTILE if value.id != "very long"])
def test_hostile_text_is_taken_as_it_is(aws, text):
    image_id = put_image(aws)

    client(aws).create_tags(Resources=[image_id], Tags=[{"Key": "k", "Value": text}])

    assert aws.state.things["images"][image_id]["Tags"] == [{"Key": "k", "Value": text}]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_text_that_xml_can_hold_makes_the_round_trip(aws, text):
    image_id = put_image(aws, Description=text)

    assert image_of(aws, image_id)["Description"] == text


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1b", "\ud800", "\uffff"], ids=ascii)
def test_what_xml_cannot_hold_leaves_a_mark(aws, character):
    image_id = put_image(aws, Description=f"a{character}b")

    assert image_of(aws, image_id)["Description"] == "a\ufffdb"


def test_hostile_text_survives_in_an_error(aws):
    with pytest.raises(ClientError) as refused:
        client(aws).create_tags(Resources=["<x> & ' é"], Tags=[{"Key": "a", "Value": "b"}])

    assert refused.value.response["Error"] == {
        "Code": "InvalidID",
        "Message": "The ID '<x> & ' é' is not valid",
    }


def test_an_account_with_a_hostile_name_comes_back_as_it_is(aws):
    aws.state.accounts["111111111111"] = {"Name": 'a"<\\ \u202e\x01'}

    answer = client(aws, "organizations").list_accounts()

    assert [account["Name"] for account in answer["Accounts"]] == ['a"<\\ \u202e\x01']


def test_times_are_moments_in_utc(aws):
    put_instance(aws, LaunchTime="2026-03-01T02:03:04.000Z")

    (reservation,) = client(aws).describe_instances()["Reservations"]

    assert reservation["Instances"][0]["LaunchTime"].isoformat() == "2026-03-01T02:03:04+00:00"


def test_a_time_in_json_is_a_number_of_seconds():
    operation = protocol.service("organizations").operation_model("ListAccounts")
    account = {"Id": "1", "JoinedTimestamp": "1970-01-01T00:01:00.000Z", "_secret": 1}

    written = protocol.write(operation, {"Accounts": [account]}, "")

    assert written == b'{"Accounts": [{"Id": "1", "JoinedTimestamp": 60.0}]}'


def test_numbers_and_booleans_keep_their_types(aws):
    put_reserved(aws, FixedPrice=60.25, InstanceCount=3)
    image_id = put_image(aws, Public=False, EnaSupport=True)

    (bought,) = client(aws).describe_reserved_instances()["ReservedInstances"]
    image = image_of(aws, image_id)

    assert (bought["FixedPrice"], bought["InstanceCount"]) == (60.25, 3)
    assert (image["Public"], image["EnaSupport"]) == (False, True)


def test_what_aws_keeps_to_itself_is_not_told(aws):
    put_snapshot(aws, _billing="RunInstances:0010")

    assert "0010" not in query(aws, "DescribeSnapshots")


def test_an_empty_member_is_there_and_a_missing_one_is_not(aws):
    image_id = put_image(aws, "", Description="")

    image = image_of(aws, image_id)

    assert image["PlatformDetails"] == image["UsageOperation"] == image["Description"] == ""
    assert "Platform" not in image


@pytest.mark.parametrize(
    ("action", "pairs", "code"),
    [
        pytest.param("Nonsense", {}, "InvalidAction", id="no such action"),
        pytest.param("", {}, "InvalidAction", id="no action"),
        pytest.param("RunInstances", {}, "MissingParameter", id="a parameter is missing"),
        pytest.param("DescribeVpcs", {}, "InvalidAction", id="not simulated"),
        pytest.param("DescribeImages", {"MaxResults": "x"}, "InvalidParameterValue", id="number"),
        pytest.param("DescribeImages", {"DryRun": "maybe"}, "InvalidParameterValue", id="boolean"),
        pytest.param("DescribeImages", {"Owner": "self"}, "InvalidParameterValue", id="list"),
        pytest.param("DescribeImages", {"Owner.x": "self"}, "InvalidParameterValue", id="position"),
        pytest.param("DescribeImages", {"DryRun.1": "true"}, "InvalidParameterValue", id="plain"),
        pytest.param("DescribeImages", {"Filter.1": "x"}, "InvalidParameterValue", id="structure"),
        pytest.param("DescribeImages", {"Filter.1.Colour": "x"}, "UnknownParameter", id="nested"),
        pytest.param(
            "DescribeImages", {"DryRun": "true", "DryRun.1": "x"}, "MalformedQueryString", id="both"
        ),
        pytest.param(
            "RegisterImage",
            {"Name": "abc", "BootMode": "floppy"},
            "InvalidParameterValue",
            id="not one of the values",
        ),
        pytest.param(
            "DescribeInstanceImageMetadata",
            {"MaxResults": "1001"},
            "InvalidParameterValue",
            id="more than the model allows",
        ),
        pytest.param(
            "DescribeImageReferences",
            {"IncludeAllResourceTypes": "true", **{f"ImageId.{n}": "ami-1" for n in range(11)}},
            "InvalidParameterValue",
            id="a longer list than the model allows",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(aws, action, pairs, code):
    assert f"<Code>{code}</Code>" in query(aws, action, **pairs)


def test_items_of_a_list_come_in_the_order_of_their_numbers(aws):
    ids = [put_snapshot(aws) for _ in range(11)]

    query(aws, "DescribeSnapshots", **{f"SnapshotId.{n}": aws_id for n, aws_id in enumerate(ids)})

    assert aws.calls[-1].params == {"SnapshotIds": ids}


@pytest.mark.parametrize("body", [b"Action=%ff", b"\xff\xfe"], ids=["escaped", "raw"])
def test_a_body_that_is_no_text_is_refused(aws, body):
    status, answer = send(aws, body, **FORM)

    assert (status, "<Code>MalformedQueryString</Code>" in answer) == (400, True)


def test_a_service_that_does_not_exist_is_refused(aws):
    assert "<Code>InvalidAction</Code>" in send(aws, b"Action=x", service="nonsense")[1]


def test_a_service_with_another_protocol_is_refused(aws):
    assert "<Code>InvalidAction</Code>" in send(aws, b"Action=x", service="s3")[1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param("{", "SerializationException", id="no JSON"),
        pytest.param("[" * 100_000, "SerializationException", id="too deep"),
        pytest.param("[]", "InvalidInputException", id="no object"),
        pytest.param('{"MaxResults": "5"}', "SerializationException", id="text for a number"),
        pytest.param('{"MaxResults": true}', "SerializationException", id="boolean for a number"),
        pytest.param('{"MaxResults": 21}', "InvalidInputException", id="too many"),
        pytest.param('{"NextToken": 5}', "SerializationException", id="number for a text"),
    ],
)
def test_json_that_makes_no_sense_is_refused(aws, body, code):
    assert ask_organizations(aws, body)["__type"] == code


def test_an_operation_that_organizations_does_not_have_is_refused(aws):
    assert ask_organizations(aws, "{}", "Nonsense")["__type"] == "InvalidAction"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        pytest.param("RoleSessionName", "a b", id="a blank in the session name"),
        pytest.param("RoleSessionName", "x" * 65, id="a long session name"),
        pytest.param("ExternalId", "x", id="a short external id"),
        pytest.param("ExternalId", "ü-ü", id="a letter that no external id has"),
        pytest.param("DurationSeconds", "899", id="a short session"),
        pytest.param("DurationSeconds", "43201", id="a long session"),
    ],
)
def test_sts_checks_what_its_model_says(aws, member, value):
    role = {"RoleArn": "arn:aws:iam::999999999999:role/x", "RoleSessionName": "portal"}

    answer = query(aws, "AssumeRole", service="sts", **{**role, member: value})

    assert "<Code>ValidationError</Code>" in answer
    assert member in answer


def test_a_request_without_keys_is_refused(aws):
    with pytest.raises(ClientError) as refused:
        client(aws, AccessKeyId="AKIANOBODY").describe_regions()

    assert code_of(refused.value) == "AuthFailure"


def test_an_unsigned_request_is_refused(aws):
    answer = aws.answer({}, urlencode({"Action": "DescribeRegions"}).encode())

    assert (answer.status, b"AuthFailure" in answer.body) == (401, True)


def test_register_image_has_no_client_token(aws):
    parameters = {"Name": "abc", "ClientToken": "one"}

    assert "<Code>UnknownParameter</Code>" in query(aws, "RegisterImage", **parameters)


def test_a_nested_request_arrives_as_boto3_made_it(aws):
    asked = registration(put_snapshot(aws), EnaSupport=True)

    client(aws).register_image(**asked)

    assert aws.calls[-1].params == asked


def test_the_reader_says_where_a_nested_parameter_is_wrong():
    model = protocol.service("ec2")
    body = b"Action=RegisterImage&Name=abc&BlockDeviceMapping.1.Ebs.Iops=many"

    with pytest.raises(Refused, match=r"BlockDeviceMapping\.Ebs\.Iops|Ebs\.Iops"):
        protocol.read(model, {}, body)
