"""What AWS's no means, and what to do about it."""

from registry.aws import (
    SERVER_SIDE,
    AwsError,
    Malformed,
    NotFound,
    Throttled,
    Unreachable,
    Unsure,
)

# AWS has no such image, or one that is going: a look tells.
_NOT_THERE = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})
_ADVICE = {
    "UnauthorizedOperation": "Allow this to the role of the account, then retry.",
    "AccessDenied": "Check the role and the external ID of the account, then retry.",
    "AuthFailure": "Check that the image is of this account, then retry.",
    "OptInRequired": "Enable the region for this account, then retry.",
    "OperationNotPermitted": "Turn off what protects the image in EC2, then retry.",
    "InvalidAMIName.Duplicate": "Rename or discard the image that has its name now, then retry.",
}
PROTECTED = (
    "AWS protects this image from deregistration. Turn the protection off in EC2, "
    "wait for its cooldown where there is one, then retry."
)


def is_passing(error: Exception) -> bool:
    """Say whether the same question may be answered a little later."""
    if isinstance(error, (Throttled, Unreachable, Unsure, Malformed, NotFound)):
        return True
    return isinstance(error, AwsError) and error.code in SERVER_SIDE | _NOT_THERE


def is_not_there(error: AwsError) -> bool:
    """Say whether AWS says that the image is not there; nothing was carried out."""
    return error.code in _NOT_THERE


def explain(error: Exception) -> str:
    """Return what AWS said, with its own code, and what to do."""
    said = str(error).rstrip(". ")
    if not isinstance(error, AwsError):
        return f"{said}."
    advice = _ADVICE.get(error.code, "Correct this in AWS, then retry.")
    return f"AWS refused. {said}. {advice}"
