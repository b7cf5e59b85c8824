"""Things in the simulated AWS, and the ways to ask it: a test names only what it is about."""

import http.client
import json
import time
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.aws.billing import code
from sandbox.aws.protocol import service as model_of
from sandbox.aws.server import SimulatedAws
from sandbox.aws.state import Thing, text

ACCOUNT = "999999999999"
OTHER_ACCOUNT = "888888888888"
REGION = "eu-west-1"
RHEL = "RunInstances:0010"
_numbers = count(1)


class Reachable(Protocol):
    @property
    def url(self) -> str: ...


def client(
    aws: Reachable,
    name: str = "ec2",
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    attempts: int = 1,
    read_timeout: float = 10,
    **keys: str,
) -> Any:
    """Return a real boto3 client; but for `attempts`, it tells every error at once."""
    keys = {"AccessKeyId": f"AKIA{account}", "SecretAccessKey": "not-a-secret", **keys}
    config = (attempts, read_timeout)
    return _made(name, aws.url, region, config, tuple(sorted(keys.items())))


@cache  # to make one takes longer than most tests
def _made(
    name: str,
    url: str,
    region: str,
    config: tuple[int, float],
    keys: tuple[tuple[str, str], ...],
) -> Any:
    attempts, read_timeout = config
    given = dict(keys)
    return boto3.client(
        name,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given.get("SessionToken"),
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            connect_timeout=5,
            read_timeout=read_timeout,
            max_pool_connections=40,
        ),
    )


def becomes(is_so: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Say whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def send(
    aws: SimulatedAws, body: bytes | str, *, service: str = "ec2", **headers: str
) -> tuple[int, str]:
    """Send a signed request that no boto3 would make; return status and text of the answer."""
    request = AWSRequest("POST", aws.url, data=body, headers=headers)
    SigV4Auth(Credentials(f"AKIA{ACCOUNT}", "not-a-secret"), service, REGION).add_auth(request)
    host = aws.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("POST", "/", body=body, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def query(aws: SimulatedAws, action: str, *, service: str = "ec2", **params: str) -> str:
    """Send a hand-made query and return the text of the answer."""
    version = model_of(service).metadata["apiVersion"]
    pairs = {"Action": action, "Version": version, **params}
    form = "application/x-www-form-urlencoded"
    return send(aws, urlencode(pairs), service=service, **{"Content-Type": form})[1]


def ask_organizations(aws: SimulatedAws, body: str, action: str = "ListAccounts") -> dict[str, Any]:
    """Send a hand-made JSON request and return the answer."""
    target = f"AWSOrganizationsV20161128.{action}"
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    answer: dict[str, Any] = json.loads(send(aws, body, service="organizations", **headers)[1])
    return answer


def _put(aws: SimulatedAws, kind: str, thing: Thing, place: dict[str, str]) -> str:
    name = {"images": "ImageId", "snapshots": "SnapshotId", "volumes": "VolumeId"}
    aws_id = str(thing[name.get(kind, "InstanceId")])
    account, region = place.get("account", ACCOUNT), place.get("region", REGION)
    aws.state.put(kind, aws_id, thing, account, region)
    return aws_id


def _id(prefix: str) -> str:
    return f"{prefix}-{next(_numbers):017x}"


def put_snapshot(aws: SimulatedAws, *, place: dict[str, str] | None = None, **members: Any) -> str:
    place = place or {}
    defaults = {
        "SnapshotId": _id("snap"),
        "OwnerId": place.get("account", ACCOUNT),
        "VolumeId": "vol-ffffffff",
        "VolumeSize": 8,
        "State": "completed",
        "Progress": "100%",
        "StorageTier": "standard",
        "StartTime": text(aws.state.now),
        "Description": "",
        "Encrypted": False,
    }
    return _put(aws, "snapshots", {**defaults, **members}, place)


def put_image(
    aws: SimulatedAws,
    usage_operation: str = "RunInstances",
    *,
    snapshots: tuple[str, ...] = (),
    place: dict[str, str] | None = None,
    **members: Any,
) -> str:
    place = place or {}
    names = ("/dev/xvda", "/dev/sdb", "/dev/sdc")
    defaults = {
        "ImageId": _id("ami"),
        "Name": f"image-{next(_numbers)}",
        "OwnerId": place.get("account", ACCOUNT),
        "State": "available",
        "Public": False,
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "RootDeviceName": "/dev/xvda",
        "CreationDate": text(aws.state.now),
        "BlockDeviceMappings": [
            {"DeviceName": name, "Ebs": {"SnapshotId": snapshot, "VolumeSize": 8}}
            for name, snapshot in zip(names, snapshots, strict=False)
        ],
        **code(usage_operation),
    }
    return _put(aws, "images", {**defaults, **members}, place)


def put_volume(aws: SimulatedAws, *, place: dict[str, str] | None = None, **members: Any) -> str:
    defaults = {"VolumeId": _id("vol"), "Size": 8, "VolumeType": "gp3", "State": "in-use"}
    return _put(aws, "volumes", {**defaults, "Encrypted": False, **members}, place or {})


def put_instance(
    aws: SimulatedAws,
    usage_operation: str = "RunInstances",
    *,
    place: dict[str, str] | None = None,
    **members: Any,
) -> str:
    volume_id = put_volume(aws, place=place)
    defaults = {
        "InstanceId": _id("i"),
        "ImageId": "ami-0123",
        "InstanceType": "m5.large",
        "State": {"Code": 16, "Name": "running"},
        "Placement": {
            "AvailabilityZone": f"{REGION}a",
            "AvailabilityZoneId": "euw1-az2",
            "Tenancy": "default",
        },
        "Architecture": "x86_64",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": volume_id}}],
        "LaunchTime": "2026-11-01T08:00:00.000Z",
        "UsageOperationUpdateTime": "2026-11-01T08:00:00.000Z",
        **code(usage_operation),
    }
    return _put(aws, "instances", {**defaults, **members}, place or {})


def put_reserved(aws: SimulatedAws, **members: Any) -> str:
    aws_id = f"00000000-0000-4000-8000-{next(_numbers):012d}"
    defaults = {
        "ReservedInstancesId": aws_id,
        "InstanceType": "m5.large",
        "InstanceCount": 2,
        "ProductDescription": "Linux/UNIX",
        "Scope": "Region",
        "OfferingClass": "standard",
        "OfferingType": "No Upfront",
        "Start": "2026-01-01T00:00:00.000Z",
        "End": "2027-01-01T00:00:00.000Z",
        "FixedPrice": 0.0,
        "UsagePrice": 0.0,
        "RecurringCharges": [{"Amount": 0.05, "Frequency": "Hourly"}],
        "State": "active",
    }
    aws.state.put("reserved_instances", aws_id, {**defaults, **members}, ACCOUNT, REGION)
    return aws_id


def registration(snapshot_id: str, **changes: Any) -> dict[str, Any]:
    """Return the parameters of a RegisterImage that succeeds."""
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}
    parameters = {
        "Name": f"golden-{next(_numbers)}",
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [device],
    }
    return parameters | changes


def image_of(
    aws: SimulatedAws, image_id: str, *, account: str = ACCOUNT, region: str = REGION
) -> dict[str, Any]:
    """Return an image as boto3 shows it."""
    ec2 = client(aws, account=account, region=region)
    (found,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    return dict(found)
