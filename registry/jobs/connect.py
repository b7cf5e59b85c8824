"""From the row of an account to AWS."""

from registry import aws
from registry.models import Account

DEFAULT_REGION = "us-east-1"


def connect(account: Account, region: str) -> aws.Ec2:
    """Return EC2 of `account` in `region`; PermissionError or AccessDenied where it must not be.

    An account without a role is asked with our own credentials: if they belong to another account,
    AWS would answer for that one.
    """
    return aws.connect(_access(account, region), region)


def connect_pricing(account: Account, partition: str) -> aws.Pricing:
    """Return the price list of a partition, asked by `account`; AwsError where there is none."""
    region = aws.pricing_region(partition)
    return aws.connect_pricing(_access(account, region), region)


def connect_bucket(account: Account, name: str) -> aws.Bucket:
    """Return a bucket as `account` sees it; refused as `connect` refuses."""
    # One that is not read any more still lies in the account's partition.
    scope = account.scopes.order_by("-is_enabled", "pk").first()
    region = scope.region if scope else DEFAULT_REGION
    return aws.connect_bucket(_access(account, region), region, name)


def _access(account: Account, region: str) -> aws.Access:
    if not account.is_synced:
        raise PermissionError(f"{account.name} is only known from a recording. Connect it first.")
    if not account.role_arn:
        own = aws.own_account(region)
        if own != account.number:
            raise aws.AccessDenied(
                f"{account.name} has no role, and the portal's credentials are of account {own}. "
                "Give the account a role."
            )
    return aws.Access(account.role_arn, account.external_id)
