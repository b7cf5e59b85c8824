"""The contract of every simulated operation, however different they are."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.server import OPERATIONS
from tests.sandbox.aws.things import (
    REGION,
    ask_organizations,
    client,
    code_of,
    put_image,
    put_instance,
    put_reserved,
    put_snapshot,
    put_volume,
    query,
    registration,
)

ROLE = "arn:aws:iam::999999999999:role/amiportal"


class Estate:
    """One of each thing, for the operations that need one."""

    def __init__(self, aws):
        self.snapshot = put_snapshot(aws)
        self.image = put_image(aws, snapshots=(self.snapshot,))
        self.instance = put_instance(aws, ImageId=self.image)
        self.volume = put_volume(aws)
        self.reserved = put_reserved(aws)
        self.disabled = put_image(aws, State="disabled")
        self.recycled = put_image(aws)
        aws.state.accounts["999999999999"] = {
            "Name": "base",
            "RoleArn": ROLE,
            "ExternalId": "northwind",
            "RecycleBin": True,
        }
        client(aws).deregister_image(ImageId=self.recycled)


# What a valid call of each operation needs.
EC2: dict[str, Any] = {
    "RegisterImage": lambda has: registration(has.snapshot),
    "CreateImage": lambda has: {"InstanceId": has.instance, "Name": "golden"},
    "CopyImage": lambda has: {
        "SourceImageId": has.image,
        "SourceRegion": REGION,
        "Name": "copy",
        "ClientToken": "one",
    },
    "DeregisterImage": lambda has: {"ImageId": has.image, "DeleteAssociatedSnapshots": True},
    "DisableImage": lambda has: {"ImageId": has.image},
    "EnableImage": lambda has: {"ImageId": has.disabled},
    "EnableImageDeregistrationProtection": lambda has: {"ImageId": has.image},
    "DisableImageDeregistrationProtection": lambda has: {"ImageId": has.image},
    "CreateTags": lambda has: {"Resources": [has.image], "Tags": [{"Key": "a", "Value": "b"}]},
    "ModifyImageAttribute": lambda has: {"ImageId": has.image, "Description": {"Value": "new"}},
    "DescribeImages": lambda has: {"Owners": ["self"]},
    "DescribeImageAttribute": lambda has: {"ImageId": has.image, "Attribute": "productCodes"},
    "DescribeSnapshots": lambda has: {"OwnerIds": ["self"]},
    "DescribeSnapshotAttribute": lambda has: {
        "SnapshotId": has.snapshot,
        "Attribute": "productCodes",
    },
    "DescribeInstances": lambda has: {},
    "DescribeVolumes": lambda has: {},
    "DescribeReservedInstances": lambda has: {},
    "DescribeReservedInstancesModifications": lambda has: {},
    "GetImageAncestry": lambda has: {"ImageId": has.image},
    "DescribeImageReferences": lambda has: {
        "ImageIds": [has.image],
        "IncludeAllResourceTypes": True,
    },
    "DescribeInstanceImageMetadata": lambda has: {},
    "DescribeRegions": lambda has: {},
    "GetEbsEncryptionByDefault": lambda has: {},
    "ListImagesInRecycleBin": lambda has: {},
    "RestoreImageFromRecycleBin": lambda has: {"ImageId": has.recycled},
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "AssumeRole": (
        "sts",
        {"RoleArn": ROLE, "RoleSessionName": "portal", "ExternalId": "northwind"},
    ),
    "GetCallerIdentity": ("sts", {}),
    "ListAccounts": ("organizations", {}),
    "GetProducts": ("pricing", {"ServiceCode": "AmazonEC2"}),
}
CHANGING = [
    "RegisterImage",
    "CreateImage",
    "CopyImage",
    "DeregisterImage",
    "DisableImage",
    "EnableImage",
    "EnableImageDeregistrationProtection",
    "DisableImageDeregistrationProtection",
    "CreateTags",
    "ModifyImageAttribute",
    "RestoreImageFromRecycleBin",
]
NEVER_DRY = ["DescribeReservedInstancesModifications"]  # it has no such parameter
# One page each with two of three things.
PAGED = {
    "DescribeImages": ("Images", {"Owners": ["self"]}),
    "DescribeSnapshots": ("Snapshots", {"OwnerIds": ["self"]}),
    "DescribeInstances": ("Reservations", {}),
    "DescribeVolumes": ("Volumes", {}),
    "DescribeInstanceImageMetadata": ("InstanceImageMetadata", {}),
    "ListImagesInRecycleBin": ("Images", {}),
}


def call(aws, operation, **parameters):
    service = OTHERS[operation][0] if operation in OTHERS else "ec2"
    region = "us-east-1" if service == "pricing" else REGION
    return client(aws, service, region=region)._make_api_call(operation, parameters)


def everything(aws):
    return json.dumps(aws.state.things, sort_keys=True)


def test_simulates_exactly_the_operations_that_have_a_contract():
    assert sorted(OPERATIONS) == sorted([*EC2, *OTHERS])


@pytest.mark.parametrize("operation", EC2)
def test_ec2_answers_a_valid_call(aws, operation):
    has = Estate(aws)

    answer = call(aws, operation, **EC2[operation](has))

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("operation", OTHERS)
def test_the_other_services_answer_a_valid_call(aws, operation):
    Estate(aws)

    answer = call(aws, operation, **OTHERS[operation][1])

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("operation", [name for name in EC2 if name not in NEVER_DRY])
def test_a_dry_run_says_that_it_would_succeed_and_changes_nothing(aws, operation):
    has = Estate(aws)
    before = everything(aws)

    with pytest.raises(ClientError) as refused:
        call(aws, operation, DryRun=True, **EC2[operation](has))

    assert code_of(refused.value) == "DryRunOperation"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert everything(aws) == before


@pytest.mark.parametrize("operation", CHANGING)
def test_a_real_run_changes_something(aws, operation):
    has = Estate(aws)
    before, version = everything(aws), aws.state.version

    call(aws, operation, **EC2[operation](has))

    assert everything(aws) != before
    assert aws.state.version > version


@pytest.mark.parametrize("operation", [name for name in EC2 if name not in CHANGING])
def test_a_read_changes_nothing(aws, operation):
    has = Estate(aws)
    before = everything(aws)

    call(aws, operation, **EC2[operation](has))

    assert everything(aws) == before


@pytest.mark.parametrize("operation", EC2)
def test_ec2_refuses_a_parameter_that_the_model_does_not_know(aws, operation):
    answer = query(aws, operation, Colour="blue")

    assert "<Code>UnknownParameter</Code>" in answer
    assert "Colour" in answer


@pytest.mark.parametrize("operation", ["AssumeRole", "GetCallerIdentity"])
def test_sts_refuses_a_parameter_that_the_model_does_not_know(aws, operation):
    answer = query(aws, operation, service="sts", Colour="blue")

    assert "<Code>ValidationError</Code>" in answer
    assert "Colour" in answer


def test_organizations_refuses_a_parameter_that_the_model_does_not_know(aws):
    answer = ask_organizations(aws, '{"Colour": "blue"}')

    assert answer["__type"] == "InvalidInputException"
    assert "Colour" in answer["message"]


@pytest.mark.parametrize("operation", PAGED)
def test_pages_come_one_after_another_until_there_is_no_more(aws, operation):
    key, parameters = PAGED[operation]
    aws.state.accounts["999999999999"] = {"Name": "base", "RecycleBin": True}
    deleted = [put_image(aws) for _ in range(3)]
    put_three(aws)
    put_deregistered(aws, deleted)

    first = call(aws, operation, MaxResults=2, **parameters)
    second = call(aws, operation, MaxResults=2, NextToken=first["NextToken"], **parameters)

    assert len(first[key]) == 2
    assert len(second[key]) == 1
    assert second[key][0] not in first[key]
    assert "NextToken" not in second


@pytest.mark.parametrize("operation", PAGED)
def test_without_a_size_everything_comes_at_once(aws, operation):
    key, parameters = PAGED[operation]
    aws.state.accounts["999999999999"] = {"Name": "base", "RecycleBin": True}
    deleted = [put_image(aws) for _ in range(3)]
    put_three(aws)
    put_deregistered(aws, deleted)

    answer = call(aws, operation, **parameters)

    assert len(answer[key]) == 3
    assert "NextToken" not in answer


@pytest.mark.parametrize("operation", PAGED)
@pytest.mark.parametrize("token", ["nonsense", "ZnJvbSAtMQ==", "ZnJvbQ=="], ids=str)
def test_a_token_that_was_never_given_is_refused(aws, operation, token):
    with pytest.raises(ClientError) as refused:
        call(aws, operation, NextToken=token)

    assert code_of(refused.value) == "InvalidParameterValue"


@pytest.mark.parametrize("operation", ["DescribeImages", "DescribeSnapshots", "DescribeVolumes"])
@pytest.mark.parametrize("size", [0, -1])
def test_a_page_has_at_least_one_thing(aws, operation, size):
    with pytest.raises(ClientError) as refused:
        call(aws, operation, MaxResults=size)

    assert code_of(refused.value) == "InvalidParameterValue"


def put_three(aws):
    for _ in range(3):
        put_snapshot(aws)
        put_instance(aws)
        put_image(aws)


def put_deregistered(aws, images):
    for image_id in images:
        client(aws).deregister_image(ImageId=image_id)
