"""What to change when AWS says no."""

from registry.aws import SERVER_SIDE, AwsError, Throttled, Unreachable

_ADVICE = {
    "UnauthorizedOperation": (
        "Allow ec2:{operation} and ec2:CreateTags to the role of this account, then repeat."
    ),
    "AccessDenied": "Check the role and the external ID of this account, then repeat.",
    "AuthFailure": "Check that the credentials may use this region, then repeat.",
    "OptInRequired": "Enable the region for this account, then repeat.",
    "InvalidAMIName.Malformed": "Choose a name of letters, digits and ( ) . / - _.",
    "InvalidSnapshot.NotFound": "Sync the account, then choose a snapshot of this region.",
    "InvalidSnapshotID.Malformed": "Choose a snapshot of this region.",
    "InvalidInstanceID.NotFound": "Sync the account, then choose an instance of this region.",
    "InvalidAMIID.NotFound": "Sync the account, then choose an image that is there.",
    "InvalidAMIID.Unavailable": "Wait until the image is available.",
    "IdempotentParameterMismatch": "Repeat it as a new request.",
    "InvalidBlockDeviceMapping": "Check the root device and the type of its volume.",
    "IncorrectState": "Wait until the snapshot is completed and in the standard tier.",
    "InvalidState": "Wait until the snapshot is completed and in the standard tier.",
    "ResourceLimitExceeded": "Discard AMIs that nobody uses, or ask AWS for a higher quota.",
}
_OF_ONE_OPERATION = {
    ("CreateImage", "IncorrectState"): (
        "Start or stop the instance, or choose another, then repeat the request."
    ),
    ("CopyImage", "InvalidRequest"): (
        "An image of another account that carries a license may not be copied. Launch an instance "
        "from it and create an image of that."
    ),
}


def is_passing(error: AwsError) -> bool:
    """Say whether the same question may be answered a little later."""
    return isinstance(error, (Throttled, Unreachable)) or error.code in SERVER_SIDE


def explain(error: AwsError, operation: str) -> str:
    """Return what AWS said, with its own code, and what to change."""
    advice = _OF_ONE_OPERATION.get((operation, error.code)) or _ADVICE.get(
        error.code, "Correct the request and repeat it."
    )
    advice = advice.format(operation=operation)
    return f"AWS refused. {str(error).rstrip('. ')}. {advice}"
