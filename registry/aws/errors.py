"""What AWS may answer instead of an answer, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError


class AwsError(Exception):
    """AWS answered with an error; `code` is AWS's own."""

    code = ""


class AccessDenied(AwsError):
    """The role may not do this, or may not be taken."""


class NameTaken(AwsError):
    """An AMI of the account and region has the name already."""


class NotFound(AwsError):
    """There is no such thing, or none yet."""


class Throttled(AwsError):
    """AWS is slowing requests."""


class Unreachable(AwsError):
    """There was no whole answer: no connection, a time-out, or an answer cut in the middle."""


class Unsure(AwsError):
    """A call that changes something got no answer: it may have been carried out."""


class DryRunSucceeded(AwsError):
    """The request would have succeeded."""


_BY_CODE: dict[str, type[AwsError]] = {
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "AuthFailure": AccessDenied,
    "ExpiredToken": AccessDenied,
    "ExpiredTokenException": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "InvalidClientTokenId": AccessDenied,
    "OptInRequired": AccessDenied,
    "RegionDisabledException": AccessDenied,
    "RequestExpired": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "UnauthorizedOperation": AccessDenied,
    "DryRunOperation": DryRunSucceeded,
    "InvalidAMIID.NotFound": NotFound,
    "InvalidAMIName.Duplicate": NameTaken,
    "InvalidSnapshot.NotFound": NotFound,
    "NoSuchBucket": NotFound,
    "NoSuchKey": NotFound,
    "RequestLimitExceeded": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequestsException": Throttled,
}
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_SERVER_SIDE = 500
# Trouble of AWS's own, by code: the HTTP status beside it differs.
SERVER_SIDE = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"})


@contextmanager
def translated(operation: str, *, changes: bool = False) -> Iterator[None]:
    """Raise botocore's errors as ours; the original stays attached as the cause.

    A lost answer to an operation that `changes` something leaves it unsure.
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(operation, error, changes=changes) from error
    except _NO_CREDENTIALS as error:
        raise AccessDenied(f"{operation}: {_first_line(error)}") from error
    except ParamValidationError as error:  # it was never sent
        raise AwsError(f"{operation}: {' '.join(str(error).split())}") from error
    except (BotoCoreError, ResponseParserError) as error:
        lost = Unsure if changes else Unreachable
        raise lost(f"{operation}: {_first_line(error)}") from error


def _of_answer(operation: str, error: ClientError, *, changes: bool) -> AwsError:
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = _BY_CODE.get(code, AwsError)
    is_server_side = status >= _SERVER_SIDE or code in SERVER_SIDE
    if kind is AwsError and changes and is_server_side:
        kind = Unsure
    raised = kind(f"{operation}: {code}. {said.get('Message', '')}")
    raised.code = code
    return raised


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
