from itertools import count

import pytest

from registry.aws import (
    Access,
    AccessDenied,
    Malformed,
    Throttled,
    Unreachable,
    connect,
    list_accounts,
)
from tests.data.items import image_item, put

# Sessions are kept for as long as the process lives: every test has a role of its own.
_numbers = count(200_000_000_001)


@pytest.fixture
def access(aws):
    """The way to an account of its own, with one image in each of two regions."""
    number = str(next(_numbers))
    role, external_id = f"arn:aws:iam::{number}:role/portal", "our-secret-7"
    aws.state.accounts[number] = {"Name": "prod", "RoleArn": role, "ExternalId": external_id}
    put(aws, image_item(1), account=number)
    put(aws, image_item(2), account=number, region="us-east-1")
    return Access(role, external_id)


def number_of(access):
    return access.role_arn.split(":")[4]


def test_an_account_is_reached_through_its_role(aws, access):
    connect(access, "us-east-1").list_volumes()

    assert aws.operations_called() == ["AssumeRole", "DescribeVolumes"]
    assert aws.calls[1].account == number_of(access)
    assert aws.calls[1].region == "us-east-1"


def test_a_role_is_taken_in_the_region_itself(aws, access):
    connect(access, "us-east-1")

    assert aws.calls[0].region == "us-east-1"


def test_without_a_role_the_credentials_of_the_process_do(aws):
    connect(Access(), "eu-west-1").list_volumes()

    assert [call.account for call in aws.calls] == ["999999999999"]


def test_a_role_is_taken_once(aws, access):
    connect(access, "eu-west-1").list_volumes()
    connect(access, "eu-west-1").list_volumes()

    assert aws.operations_called() == ["AssumeRole", "DescribeVolumes", "DescribeVolumes"]


@pytest.mark.parametrize("external_id", ["", "another"])
def test_a_wrong_external_id_opens_nothing(aws, access, external_id):
    with pytest.raises(AccessDenied, match="AssumeRole") as raised:
        connect(Access(access.role_arn, external_id), "eu-west-1")

    assert raised.value.code == "AccessDenied"


def test_a_role_that_was_refused_is_tried_again(aws, access):
    aws.fail("AssumeRole", "access-denied")
    with pytest.raises(AccessDenied):
        connect(access, "eu-west-1")

    assert connect(access, "eu-west-1").list_volumes() == []


def test_a_corrected_external_id_is_used_at_once(aws, access):
    connect(access, "eu-west-1")
    aws.state.accounts[number_of(access)]["ExternalId"] = "rotated"

    connect(Access(access.role_arn, "rotated"), "eu-west-1").list_volumes()

    assert aws.calls[-2].params["ExternalId"] == "rotated"


def test_keys_that_run_out_soon_are_renewed(aws, access):
    aws.state.advance(minutes=-55)  # the keys that are given now have five minutes left
    ec2 = connect(access, "eu-west-1")
    aws.state.moved *= 0

    ec2.list_volumes()
    ec2.list_volumes()

    assert aws.operations_called() == [
        "AssumeRole",
        "AssumeRole",
        "DescribeVolumes",
        "DescribeVolumes",
    ]


def test_a_role_that_is_taken_away_meanwhile_is_told(aws, access):
    aws.state.advance(minutes=-55)
    ec2 = connect(access, "eu-west-1")
    aws.state.accounts.clear()

    with pytest.raises(AccessDenied, match="AssumeRole"):
        ec2.list_volumes()


def test_a_registration_without_keys_was_never_sent(aws, access):
    aws.state.advance(minutes=-55)
    ec2 = connect(access, "eu-west-1")
    aws.state.accounts.clear()

    with pytest.raises(AccessDenied):
        ec2.make_image("RegisterImage", {"Name": "golden", "ImageLocation": "bucket/manifest"})

    assert "RegisterImage" not in aws.operations_called()


@pytest.mark.parametrize(
    ("fault", "error"), [("throttle", Throttled), ("applied-then-dropped", Unreachable)]
)
def test_a_role_that_cannot_be_taken_now_is_an_error(aws, access, fault, error):
    aws.fail("AssumeRole", fault, times=None)

    with pytest.raises(error, match="AssumeRole"):
        connect(access, "eu-west-1")


def test_no_credentials_at_all_is_an_error_of_ours(aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(AccessDenied, match="credentials"):
        connect(Access(), "ap-south-1").list_volumes()


def test_every_account_of_the_organization_is_listed(aws):
    aws.state.accounts |= {
        str(number): {"Name": f"account {number}", "RoleArn": "", "ExternalId": ""}
        for number in range(300_000_000_000, 300_000_000_045)
    }

    found = list_accounts(Access(), "us-east-1")

    assert len(found) == 45
    assert found[0] == ("300000000000", "account 300000000000")
    assert aws.operations_called() == ["ListAccounts"] * 3


def test_an_organization_that_is_not_ours_to_read_is_told(aws):
    aws.fail("ListAccounts", "access-denied")

    with pytest.raises(AccessDenied, match="ListAccounts"):
        list_accounts(Access(), "us-east-1")


def test_half_a_page_of_an_organization_is_not_taken_for_all_of_it(aws):
    aws.state.accounts["300000000000"] = {"Name": "base"}
    aws.fail("ListAccounts", "half-a-page")

    with pytest.raises(Unreachable, match="ListAccounts: the answer has no Accounts"):
        list_accounts(Access(), "us-east-1")


def test_an_account_without_a_number_is_no_account(aws):
    aws.state.accounts[""] = {"Name": "base"}

    with pytest.raises(Malformed, match="Id is missing"):
        list_accounts(Access(), "us-east-1")
