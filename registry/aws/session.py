"""The way to an account: our own credentials, or the role of the account."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session

from registry.aws.ec2 import Ec2
from registry.aws.errors import translated
from registry.aws.files import Bucket
from registry.aws.members import identity, words
from registry.aws.pricing import Pricing
from registry.aws.reads import listed

_TIMES = {"connect_timeout": 5, "read_timeout": 60}
READS = Config(retries={"total_max_attempts": 4, "mode": "standard"}, **_TIMES)
# A hidden retry turns our own success into "name taken": what changes something is sent once.
CHANGES = Config(retries={"total_max_attempts": 1}, **_TIMES)


@dataclass(frozen=True, slots=True)
class Access:
    """How an account is reached. Without a role: with the credentials of this process."""

    role_arn: str = ""
    external_id: str = ""


def connect(access: Access, region: str) -> Ec2:
    """Return EC2 in `region` as seen through `access`."""
    session = _session(access, region)
    reads: Any = session.client("ec2", region_name=region, config=READS)
    changes: Any = session.client("ec2", region_name=region, config=CHANGES)
    return Ec2(reads, changes)


def connect_bucket(access: Access, region: str, name: str) -> Bucket:
    """Return a bucket as seen through `access`; S3 says itself where it is in another region."""
    return Bucket(_session(access, region).client("s3", region_name=region, config=READS), name)


def connect_pricing(access: Access, region: str) -> Pricing:
    """Return the price list, asked in the region of `pricing_region`, as seen through `access`."""
    return Pricing(_session(access, region).client("pricing", region_name=region, config=READS))


def own_account(region: str) -> str:
    """Return the number of the account that the credentials of this process belong to."""
    client: Any = _session(Access(), region).client("sts", config=READS)
    with translated("GetCallerIdentity"):
        return str(client.get_caller_identity()["Account"])


def list_accounts(access: Access, region: str) -> list[tuple[str, str]]:
    """Return number and name of every active account of the organization.

    Unreachable where the answer is cut in the middle, Malformed where an account is none.
    """
    client: Any = _session(access, region).client("organizations", config=READS)
    with translated("ListAccounts"):
        pages = client.get_paginator("list_accounts").paginate()
        found = [item for page in pages for item in listed("ListAccounts", page, "Accounts")]
    active = [item for item in found if words(item, "State") in {"ACTIVE", ""}]
    return [(identity(item, "Id"), words(item, "Name")) for item in active]


@lru_cache(maxsize=256)
def _session(access: Access, region: str) -> boto3.Session:
    if not access.role_arn:
        return boto3.Session(region_name=region)
    core = get_session()
    core._credentials = RefreshableCredentials.create_from_metadata(
        metadata=_assume(access, region),
        refresh_using=lambda: _assume(access, region),
        method="sts-assume-role",
    )
    return boto3.Session(botocore_session=core, region_name=region)


def _assume(access: Access, region: str) -> dict[str, str]:
    # The regional endpoint: tokens of the global one fail in regions one has to opt in to.
    sts: Any = boto3.client("sts", region_name=region, config=READS)
    asked = {"RoleArn": access.role_arn, "RoleSessionName": "amiportal"}
    if access.external_id:
        asked["ExternalId"] = access.external_id
    with translated("AssumeRole"):
        keys = sts.assume_role(**asked)["Credentials"]
    return {
        "access_key": keys["AccessKeyId"],
        "secret_key": keys["SecretAccessKey"],
        "token": keys["SessionToken"],
        "expiry_time": keys["Expiration"].isoformat(),
    }
