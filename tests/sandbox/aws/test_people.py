from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import ACCOUNT, OTHER_ACCOUNT, client, code_of, put_image

ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/amiportal"


def trust(aws, **members):
    aws.state.accounts[OTHER_ACCOUNT] = {"Name": "other", "RoleArn": ROLE, **members}


def assume(aws, **changes):
    asked = {"RoleArn": ROLE, "RoleSessionName": "portal", "ExternalId": "northwind", **changes}
    keys = asked.pop("keys", {})
    asked = {name: value for name, value in asked.items() if value is not None}
    return client(aws, "sts", **keys).assume_role(**asked)


def refusal(act, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        act(*args, **kwargs)
    return code_of(error.value)


def keys_of(answer):
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return {name: answer["Credentials"][name] for name in names}


# STS


def test_the_keys_of_a_role_are_those_of_its_account(aws):
    trust(aws, ExternalId="northwind")
    image_id = put_image(aws, place={"account": OTHER_ACCOUNT})

    keys = keys_of(assume(aws))

    (image,) = client(aws, **keys).describe_images(Owners=["self"])["Images"]
    assert image["ImageId"] == image_id
    assert (aws.calls[0].account, aws.calls[1].account) == (ACCOUNT, OTHER_ACCOUNT)


def test_keys_last_as_long_as_was_asked(aws):
    trust(aws, ExternalId="northwind")

    hour = assume(aws)["Credentials"]["Expiration"] - aws.state.now
    day = assume(aws, DurationSeconds=43_200)["Credentials"]["Expiration"] - aws.state.now

    assert timedelta(minutes=59) < hour <= timedelta(hours=1)
    assert timedelta(hours=11, minutes=59) < day <= timedelta(hours=12)


@pytest.mark.parametrize("external_id", ["wrong-one", None], ids=["wrong", "missing"])
def test_who_does_not_know_the_external_id_gets_no_keys(aws, external_id):
    trust(aws, ExternalId="northwind")

    assert refusal(assume, aws, ExternalId=external_id) == "AccessDenied"


def test_a_role_without_condition_asks_for_no_external_id(aws):
    trust(aws)

    assert assume(aws, ExternalId=None)["Credentials"]


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param(f"arn:aws:iam::{OTHER_ACCOUNT}:role/other", id="another role"),
        pytest.param("arn:aws:iam::777777777777:role/amiportal", id="an unknown account"),
        pytest.param("nonsense-of-twenty-letters", id="no ARN"),
        pytest.param(f"{ROLE}/..", id="more than the ARN"),
    ],
)
def test_a_role_that_is_not_there_gives_no_keys(aws, arn):
    trust(aws, ExternalId="northwind")

    assert refusal(assume, aws, RoleArn=arn) == "AccessDenied"


def test_an_account_without_a_role_gives_no_keys(aws):
    aws.state.accounts[OTHER_ACCOUNT] = {"Name": "other"}

    assert refusal(assume, aws) == "AccessDenied"


def test_one_is_the_user_whose_keys_one_has(aws):
    answer = client(aws, "sts").get_caller_identity()

    assert (answer["Account"], answer["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/portal")


def test_with_the_keys_of_a_role_one_is_the_role(aws):
    trust(aws, ExternalId="northwind")
    answer = assume(aws)

    identity = client(aws, "sts", **keys_of(answer)).get_caller_identity()

    assert identity["Account"] == OTHER_ACCOUNT
    assert identity["Arn"] == f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/amiportal/portal"
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_a_role_taken_through_a_role_lasts_an_hour(aws):
    trust(aws, ExternalId="northwind")
    keys = keys_of(assume(aws))

    chained = assume(aws, keys=keys, DurationSeconds=3600)

    assert chained["Credentials"]
    assert refusal(assume, aws, keys=keys, DurationSeconds=3601) == "ValidationError"


# Organizations


def test_accounts_are_listed_with_their_state(aws):
    aws.state.accounts[ACCOUNT] = {"Name": "base", "IsManagement": True}
    aws.state.accounts[OTHER_ACCOUNT] = {"Name": "other", "State": "SUSPENDED"}

    accounts = client(aws, "organizations").list_accounts()["Accounts"]

    assert [(item["Id"], item["Name"], item["State"]) for item in accounts] == [
        (ACCOUNT, "base", "ACTIVE"),
        (OTHER_ACCOUNT, "other", "SUSPENDED"),
    ]
    assert accounts[1]["Arn"].startswith(f"arn:aws:organizations::{ACCOUNT}:account/o-")
    assert "Status" not in accounts[0]


def test_only_the_management_account_may_list_them(aws):
    aws.state.accounts[OTHER_ACCOUNT] = {"Name": "other", "IsManagement": True}

    code = refusal(client(aws, "organizations").list_accounts)

    assert code == "AccessDeniedException"


def test_accounts_come_twenty_at_a_time(aws):
    for number in range(45):
        aws.state.accounts[f"{number:012d}"] = {"Name": f"account-{number}"}

    pages = list(client(aws, "organizations").get_paginator("list_accounts").paginate())

    assert [len(page["Accounts"]) for page in pages] == [20, 20, 5]
    assert len({item["Id"] for page in pages for item in page["Accounts"]}) == 45


def test_pages_of_accounts_can_be_smaller(aws):
    aws.state.accounts |= {f"{number:012d}": {"Name": "x"} for number in range(3)}
    organizations = client(aws, "organizations")

    first = organizations.list_accounts(MaxResults=2)
    second = organizations.list_accounts(MaxResults=2, NextToken=first["NextToken"])

    assert (len(first["Accounts"]), len(second["Accounts"])) == (2, 1)
    assert "NextToken" not in second
