from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from sandbox.aws.faults import KINDS, Fault, Faults
from tests.sandbox.aws.things import (
    REGION,
    becomes,
    client,
    code_of,
    image_of,
    put_image,
    put_instance,
    put_snapshot,
    registration,
)

REFUSALS = [
    ("throttle", "ec2", "describe_regions", "RequestLimitExceeded"),
    ("throttle", "sts", "get_caller_identity", "Throttling"),
    ("throttle", "organizations", "list_accounts", "TooManyRequestsException"),
    ("throttle", "pricing", "describe_services", "ThrottlingException"),
    ("server-error", "ec2", "describe_regions", "InternalError"),
    ("server-error", "sts", "get_caller_identity", "InternalFailure"),
    ("server-error", "organizations", "list_accounts", "ServiceException"),
    ("server-error", "pricing", "describe_services", "InternalErrorException"),
    ("access-denied", "ec2", "describe_regions", "UnauthorizedOperation"),
    ("access-denied", "sts", "get_caller_identity", "AccessDenied"),
    ("access-denied", "organizations", "list_accounts", "AccessDeniedException"),
    ("access-denied", "pricing", "describe_services", "AccessDeniedException"),
]


@pytest.mark.parametrize(("kind", "service", "method", "code"), REFUSALS)
def test_each_service_refuses_in_its_own_words(aws, kind, service, method, code):
    aws.fail("*", kind)

    with pytest.raises(ClientError) as refused:
        getattr(client(aws, service), method)()

    assert code_of(refused.value) == code


@pytest.mark.parametrize("kind", ["throttle", "server-error", "access-denied"])
def test_a_refused_call_is_not_carried_out(aws, kind):
    asked = registration(put_snapshot(aws))
    aws.fail("RegisterImage", kind)

    with pytest.raises(ClientError):
        client(aws).register_image(**asked)

    assert aws.state.things["images"] == {}
    assert aws.operations_called() == ["RegisterImage"]


def test_applied_then_dropped_is_carried_out_and_the_connection_closed(aws):
    asked = registration(put_snapshot(aws))
    aws.fail("RegisterImage", "applied-then-dropped")

    with pytest.raises(ConnectionClosedError):
        client(aws).register_image(**asked)

    (image,) = aws.state.things["images"].values()
    assert image["Name"] == asked["Name"]


def test_a_hidden_retry_of_a_dropped_call_finds_the_name_taken(aws):
    asked = registration(put_snapshot(aws))
    aws.fail("RegisterImage", "applied-then-dropped")

    with pytest.raises(ClientError) as refused:
        client(aws, attempts=2).register_image(**asked)

    assert code_of(refused.value) == "InvalidAMIName.Duplicate"


@pytest.mark.parametrize("number", [1, 2, 7, 300])
def test_half_a_page_is_never_taken_for_a_whole_one(aws, number):
    for _ in range(number):
        put_image(aws)
    aws.fail("DescribeImages", "half-a-page")

    with pytest.raises(ResponseParserError):
        client(aws).describe_images(Owners=["self"])


def test_half_a_page_of_json_has_nothing_that_could_be_taken_for_a_page(aws):
    aws.state.accounts["111111111111"] = {"Name": "base"}
    aws.fail("ListAccounts", "half-a-page")

    answer = client(aws, "organizations").list_accounts()  # botocore swallows what is no JSON

    assert "Accounts" not in answer


def test_half_a_page_in_the_middle_of_a_listing_ends_it(aws):
    for _ in range(3):
        put_image(aws)
    pages = (
        client(aws)
        .get_paginator("describe_images")
        .paginate(Owners=["self"], PaginationConfig={"PageSize": 1})
    )
    found = iter(pages)
    next(found)
    aws.fail("DescribeImages", "half-a-page")

    with pytest.raises(ResponseParserError):
        next(found)


MAKING = {
    "RegisterImage": lambda aws: registration(put_snapshot(aws)),
    "CreateImage": lambda aws: {"InstanceId": put_instance(aws), "Name": "golden"},
    "CopyImage": lambda aws: {
        "SourceImageId": put_image(aws),
        "SourceRegion": REGION,
        "Name": "golden",
    },
}


@pytest.mark.parametrize("operation", MAKING)
def test_an_image_that_fails_is_made_and_fails_in_its_time(aws, operation):
    aws.state.pending_seconds = 60
    asked = MAKING[operation](aws)
    aws.fail(operation, "image-fails")

    image_id = client(aws)._make_api_call(operation, asked)["ImageId"]
    before = image_of(aws, image_id)
    aws.state.advance(seconds=61)
    after = image_of(aws, image_id)

    assert before["State"] == "pending"
    assert "StateReason" not in before
    assert after["State"] == "failed"
    assert sorted(after["StateReason"]) == ["Code", "Message"]


def test_a_failed_image_keeps_its_name_until_it_is_deregistered(aws):
    asked = registration(put_snapshot(aws))
    ec2 = client(aws)
    aws.fail("RegisterImage", "image-fails")
    image_id = ec2.register_image(**asked)["ImageId"]

    with pytest.raises(ClientError) as refused:
        ec2.register_image(**asked)
    ec2.deregister_image(ImageId=image_id)
    again = ec2.register_image(**asked)["ImageId"]

    assert code_of(refused.value) == "InvalidAMIName.Duplicate"
    assert image_of(aws, again)["State"] == "available"


@pytest.mark.parametrize("operation", ["DeregisterImage", "*"])
def test_what_makes_no_image_makes_none_that_fails(operation):
    with pytest.raises(ValueError, match=r"makes no image\. CopyImage, CreateImage"):
        Fault(operation, "image-fails")


def test_a_slow_answer_comes_after_all(aws):
    aws.fail("DescribeRegions", "slow", seconds=0.05)

    assert client(aws).describe_regions()["Regions"]


def test_a_call_that_nobody_waits_for_is_carried_out_all_the_same(aws):
    image_id = put_image(aws)
    aws.fail("DisableImage", "slow", seconds=0.3)

    with pytest.raises(ReadTimeoutError):
        client(aws, read_timeout=0.1).disable_image(ImageId=image_id)

    assert becomes(lambda: aws.state.things["images"][image_id]["State"] == "disabled")


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"slow", "image-fails"}))
def test_the_same_client_goes_on_after_a_fault(aws, kind):
    image_id = put_image(aws)
    ec2 = client(aws)
    ec2.describe_images(ImageIds=[image_id])
    aws.fail("DescribeImages", kind)

    with pytest.raises((ClientError, ConnectionClosedError, ResponseParserError)):
        ec2.describe_images(ImageIds=[image_id])

    assert ec2.describe_images(ImageIds=[image_id])["Images"]


@pytest.mark.parametrize("kind", ["throttle", "server-error", "applied-then-dropped"])
def test_boto3_gets_over_a_passing_fault(aws, kind):
    image_id = put_image(aws)
    aws.fail("DescribeImages", kind)

    found = client(aws, attempts=2).describe_images(ImageIds=[image_id])

    assert len(found["Images"]) == 1
    assert aws.operations_called() == ["DescribeImages"] * 2


def test_a_fault_of_another_operation_is_not_met(aws):
    aws.fail("RegisterImage", "throttle")

    assert client(aws).describe_regions()["Regions"]


@pytest.mark.parametrize(
    ("options", "meets"),
    [
        pytest.param({}, True, id="everywhere"),
        pytest.param({"account": "999999999999"}, True, id="this account"),
        pytest.param({"account": "888888888888"}, False, id="another account"),
        pytest.param({"region": "eu-west-1"}, True, id="this region"),
        pytest.param({"region": "us-east-1"}, False, id="another region"),
        pytest.param({"times": 0}, False, id="never"),
    ],
)
def test_a_fault_can_be_of_one_place(options, meets):
    faults = Faults()
    faults.add(Fault("*", "throttle", **options))

    found = faults.take("DescribeImages", "999999999999", "eu-west-1")

    assert (found is not None) == meets


def test_a_fault_is_met_as_often_as_it_says():
    faults = Faults()
    faults.add(Fault("*", "throttle", times=2))

    met = [faults.take("X", "", "") is not None for _ in range(4)]

    assert met == [True, True, False, False]


def test_a_fault_without_number_lasts_until_it_is_healed():
    faults = Faults()
    faults.add(Fault("*", "throttle", times=None))
    met = [faults.take("X", "", "") is not None for _ in range(5)]

    faults.heal()

    assert met == [True] * 5
    assert faults.take("X", "", "") is None


def test_many_at_once_meet_a_fault_as_often_as_it_says():
    faults = Faults()
    faults.add(Fault("*", "throttle", times=500))

    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: faults.take("X", "", ""), range(2000)))

    assert sum(fault is not None for fault in met) == 500


def test_a_fault_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"explode is no fault\. There are: access-denied"):
        Fault("X", "explode")
