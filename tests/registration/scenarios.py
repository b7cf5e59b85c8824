"""For each platform and kind of snapshot: what is in the simulated AWS, and in a synced mirror."""

from typing import Any

from registry.aws import Access, Ec2, connect
from registry.models import Account, Method, Scope
from registry.sync import sync_scope
from sandbox.aws.billing import code
from sandbox.aws.catalog import RED_HAT_MARKETPLACE
from sandbox.aws.images import snapshots_of
from sandbox.aws.scope import Scope as Place
from sandbox.aws.server import SimulatedAws
from tests.conftest import BASE_ACCOUNT
from tests.factories import NOON
from tests.registration.simulated import SNAPSHOT_ID, put_snapshot
from tests.registration.sources import FIELDS, HERE, INSTANCE_ID, THERE, put_instance, put_original

WITH, WITHOUT, COPIED, ENCRYPTED, SOLD = "with", "without", "copied", "encrypted", "marketplace"
KINDS = (WITH, WITHOUT, COPIED, ENCRYPTED, SOLD)
METHOD_OF = {
    "RegisterImage": Method.SNAPSHOT,
    "CreateImage": Method.INSTANCE,
    "CopyImage": Method.COPY,
}
_PRODUCT = [{"ProductCodeId": RED_HAT_MARKETPLACE, "ProductCodeType": "marketplace"}]
_VOLUME, _ROOT_THERE = "vol-0123456789abcdef0", "snap-0a0a0a0a0a0a0a0a0"


def put_scenario(aws: SimulatedAws, ec2: Ec2, platform: str, kind: str) -> str:
    """Let there be a source of each method; return the id of the snapshot.

    An instance carries the code `platform`, a snapshot of its root volume is of the kind, and so is
    that of an image in another region, which carries the code.
    """
    product = {"ProductCodes": _PRODUCT} if kind == SOLD else {}
    put_instance(aws, **code(platform), **product)
    _put_volume(aws, is_encrypted=kind == ENCRYPTED)
    root = _root(platform, kind)
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": _ROOT_THERE}}
    put_snapshot(aws, SnapshotId=_ROOT_THERE, region=THERE, **root)
    put_original(aws, BlockDeviceMappings=[device], **code(platform), **product)
    if kind not in {WITH, COPIED}:
        put_snapshot(aws, **root)
        return SNAPSHOT_ID
    first = ec2.make_image("CreateImage", {"Name": "first", "InstanceId": INSTANCE_ID})
    (snapshot_id,) = snapshots_of(aws.state.things["images"][first.image_id])
    if kind == WITH:
        return snapshot_id
    put_snapshot(aws, **root | {"Description": f"[Copied {snapshot_id} from {HERE}]"})
    return SNAPSHOT_ID


def _root(platform: str, kind: str) -> dict[str, Any]:
    """Return a root snapshot: whether it has the metadata of the code, no API shows."""
    copied = {"VolumeId": "vol-ffffffff", "Description": "[Copied snap-0b from eu-central-1]"}
    roots: dict[str, dict[str, Any]] = {
        WITH: {"billing": platform},
        WITHOUT: {"billing": None, "Description": "Restored by the backup vault"},
        COPIED: {"billing": None, **copied},
        ENCRYPTED: {"billing": platform, "Encrypted": True},
        SOLD: {"billing": None, "_product_codes": _PRODUCT},
    }
    return roots[kind]


def _put_volume(aws: SimulatedAws, *, is_encrypted: bool) -> None:
    volume = {
        "VolumeId": _VOLUME,
        "Size": 8,
        "VolumeType": "gp3",
        "State": "in-use",
        "SnapshotId": "",
        "Encrypted": is_encrypted,
        "CreateTime": "2026-11-01T00:00:00.000Z",
        "AvailabilityZone": f"{HERE}a",
        "Attachments": [
            {"InstanceId": INSTANCE_ID, "Device": "/dev/xvda", "State": "attached"},
        ],
        "Tags": [],
    }
    Place(aws.state, BASE_ACCOUNT, HERE).put("volumes", _VOLUME, volume)


def read_all(account: Account) -> None:
    """Let the mirror be what AWS shows in both regions."""
    for region in (HERE, THERE):
        scope, _ = Scope.objects.get_or_create(account=account, region=region)
        sync_scope(connect(Access(), region), scope, at=NOON)


def wish(api: str, platform: str, kind: str, snapshot_id: str) -> dict[str, Any]:
    """Return the fields of a request for an image that is billed as `platform`."""
    method = METHOD_OF[api]
    fields = {
        "region": HERE,
        "name": f"golden by {api}",
        "expected_usage_operation": platform,
        "reason": "It is one of the scenarios.",
        **FIELDS[method],
    }
    if method == Method.SNAPSHOT:
        fields["snapshot_id"] = snapshot_id
    if method == Method.COPY:
        fields["is_encrypted"] = kind == ENCRYPTED
    return fields
