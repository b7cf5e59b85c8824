"""From the row of an account to AWS."""

from registry import aws
from registry.models import Account


def connect(account: Account, region: str) -> aws.Ec2:
    """Return EC2 of `account` in `region`; PermissionError where AWS must not be asked.

    An account that is only known from a recording has no role. Asked with our own credentials, AWS
    would answer for another account.
    """
    if not account.is_synced:
        raise PermissionError(f"{account.name} is only known from a recording. Connect it first.")
    return aws.connect(aws.Access(account.role_arn, account.external_id), region)
