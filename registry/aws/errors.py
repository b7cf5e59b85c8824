"""What AWS may answer instead of an answer, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
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
    "OptInRequired": AccessDenied,
    "UnauthorizedOperation": AccessDenied,
    "DryRunOperation": DryRunSucceeded,
    "InvalidAMIID.NotFound": NotFound,
    "InvalidAMIName.Duplicate": NameTaken,
    "InvalidSnapshot.NotFound": NotFound,
    "RequestLimitExceeded": Throttled,
    "Throttling": Throttled,
}
_SERVER_SIDE = 500


@contextmanager
def translated(operation: str, *, changes: bool = False) -> Iterator[None]:
    """Raise botocore's errors as ours; the original stays attached as the cause.

    A lost answer to an operation that `changes` something leaves it unsure.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        kind = _BY_CODE.get(code, AwsError)
        if kind is AwsError and changes and status >= _SERVER_SIDE:
            kind = Unsure
        message = error.response["Error"].get("Message", "")
        raised = kind(f"{operation}: {code}. {message}")
        raised.code = code
        raise raised from error
    except (BotoCoreError, ResponseParserError) as error:
        lost = Unsure if changes else Unreachable
        raise lost(f"{operation}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
