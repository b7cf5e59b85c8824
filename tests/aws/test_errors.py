import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError

from registry.aws import (
    AccessDenied,
    AwsError,
    NameTaken,
    NotFound,
    Throttled,
    Unreachable,
    Unsure,
)
from registry.aws.errors import translated


def answer(code, status):
    return ClientError(
        {
            "Error": {"Code": code, "Message": "Said so."},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "AnyOperation",
    )


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("UnauthorizedOperation", 403, AccessDenied),
        ("AuthFailure", 401, AccessDenied),
        ("OptInRequired", 401, AccessDenied),
        ("AccessDenied", 403, AccessDenied),
        ("ExpiredToken", 400, AccessDenied),
        ("InvalidClientTokenId", 403, AccessDenied),
        ("RequestExpired", 400, AccessDenied),
        ("RequestLimitExceeded", 503, Throttled),
        ("Throttling", 400, Throttled),
        ("InvalidAMIName.Duplicate", 400, NameTaken),
        ("InvalidAMIID.NotFound", 400, NotFound),
        ("InvalidSnapshot.NotFound", 400, NotFound),
    ],
)
@pytest.mark.parametrize("changes", [False, True])
def test_what_aws_says_has_a_name(code, status, error, changes):
    sentence = rf"^Operation: {code}\. Said so\.$"

    with (
        pytest.raises(error, match=sentence) as raised,
        translated("Operation", changes=changes),
    ):
        raise answer(code, status)

    assert raised.value.code == code


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("InternalError", 500, Unsure),
        ("Unavailable", 503, Unsure),
        ("502", 502, Unsure),
        ("InternalError", 400, Unsure),
        ("Unavailable", 200, Unsure),
        ("InvalidBlockDeviceMapping", 400, AwsError),
    ],
)
def test_a_change_is_in_doubt_where_the_server_failed(code, status, error):
    with pytest.raises(AwsError) as raised, translated("RegisterImage", changes=True):
        raise answer(code, status)

    assert type(raised.value) is error


def test_a_reading_is_never_in_doubt():
    with pytest.raises(AwsError) as raised, translated("DescribeImages"):
        raise answer("InternalError", 500)

    assert type(raised.value) is AwsError


@pytest.mark.parametrize(("changes", "error"), [(False, Unreachable), (True, Unsure)])
def test_no_answer_is_an_error(changes, error):
    with pytest.raises(error, match="Operation"), translated("Operation", changes=changes):
        raise ConnectTimeoutError(endpoint_url="https://ec2.eu-west-1.amazonaws.com")


@pytest.mark.parametrize("changes", [False, True])
def test_without_credentials_nothing_was_sent(changes):
    with (
        pytest.raises(AccessDenied, match="credentials"),
        translated("Operation", changes=changes),
    ):
        raise NoCredentialsError


def test_an_error_without_its_usual_members_is_one_still():
    with pytest.raises(AwsError, match="Operation"), translated("Operation"):
        raise ClientError({}, "AnyOperation")


def test_an_error_of_our_own_stays_what_it_is():
    with pytest.raises(KeyError), translated("Operation"):
        raise KeyError("ours")
