"""What an image can be made of, by method: in the simulated AWS, in the mirror, in a request."""

from typing import Any

from registry.models import Account, Method, Registration
from registry.registration.spec import mark
from sandbox.aws.billing import code
from sandbox.aws.scope import Scope
from sandbox.aws.server import SimulatedAws
from sandbox.aws.state import Thing
from tests.conftest import BASE_ACCOUNT
from tests.factories import make_image, make_instance, make_snapshot
from tests.registration.simulated import RHEL, SNAPSHOT_ID, put_image, put_snapshot

HERE, THERE = "eu-west-1", "us-east-1"
INSTANCE_ID = "i-0123456789abcdef0"
IMAGE_ID = "ami-0123456789abcdef0"
LOCATION = "my-bucket/golden/image.manifest.xml"
# The fields of a request that name the source.
FIELDS: dict[str, dict[str, Any]] = {
    Method.SNAPSHOT: {"method": "snapshot", "snapshot_id": SNAPSHOT_ID},
    Method.INSTANCE: {"method": "instance", "snapshot_id": "", "source_instance_id": INSTANCE_ID},
    Method.COPY: {
        "method": "copy",
        "snapshot_id": "",
        "source_image_id": IMAGE_ID,
        "source_region": THERE,
    },
    Method.MANIFEST: {"method": "manifest", "snapshot_id": "", "image_location": LOCATION},
}
# The member of an image that names its source.
_REMAINS = {
    Method.SNAPSHOT: ("snapshot_id", SNAPSHOT_ID),
    Method.INSTANCE: ("SourceInstanceId", INSTANCE_ID),
    Method.COPY: ("SourceImageId", IMAGE_ID),
    Method.MANIFEST: ("ImageLocation", LOCATION),
}
_HARDWARE: dict[str, Any] = {
    "Architecture": "x86_64",
    "VirtualizationType": "hvm",
    "EnaSupport": True,
}


def put_sources(aws: SimulatedAws, *, billing: str = RHEL) -> None:
    """Let there be a snapshot, an instance, and in another region an image, with one code."""
    put_snapshot(aws, billing=billing)
    put_instance(aws, **code(billing))
    put_original(aws, **code(billing))


def put_instance(aws: SimulatedAws, **members: Any) -> Thing:
    """Let there be an instance of an image that is gone."""
    instance = {
        "InstanceId": INSTANCE_ID,
        "ImageId": "ami-0d1e5e1f00000001",
        "InstanceType": "m5.large",
        "State": {"Code": 16, "Name": "running"},
        "Placement": {"AvailabilityZone": f"{HERE}a", "Tenancy": "default"},
        "RootDeviceName": "/dev/xvda",
        "RootDeviceType": "ebs",
        "LaunchTime": "2026-11-01T00:00:00.000Z",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-0123456789abcdef0"}}
        ],
        "Tags": [],
        **_HARDWARE,
        **code(RHEL),
    }
    scope = Scope(aws.state, BASE_ACCOUNT, HERE)
    return scope.put("instances", INSTANCE_ID, instance | members)


def put_original(aws: SimulatedAws, **members: Any) -> Thing:
    """Let there be an image that can be copied from the other region."""
    put_image(aws, name="original", region=THERE, **{"ImageId": IMAGE_ID} | _HARDWARE | members)
    return aws.state.things["images"][IMAGE_ID]


def mirror_sources(account: Account) -> None:
    """Let the mirror have what `put_sources` puts into AWS."""
    here: dict[str, Any] = {"account": account, "region": HERE}
    make_snapshot(aws_id=SNAPSHOT_ID, **here)
    make_instance(aws_id=INSTANCE_ID, usage_operation=RHEL, **here)
    make_image(
        aws_id=IMAGE_ID,
        account=account,
        region=THERE,
        name="original",
        usage_operation=RHEL,
        ena_support=True,
    )


def put_remains(
    aws: SimulatedAws,
    registration: Registration,
    *,
    key: object = None,
    of: str = "",
    **members: Any,
) -> str:
    """Let there be what an attempt of `registration` left, or one of another key or source.

    Return its id.
    """
    member, source = _REMAINS[Method(registration.method)]
    tags = [{"Key": mark(registration), "Value": str(key or registration.key)}]
    found = {"Tags": tags, member: of or source}
    return put_image(aws, name=registration.name, **found | members)
