"""A registration as a request to AWS: which operation, and its parameters.

Source of names and traps: the API reference of RegisterImage, CreateImage and CopyImage.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from registry.aws import ImageRecord
from registry.models import Method, Registration
from registry.registration.volumes import DEFAULT_TYPE

TAG = "amiportal:registration"
# CopyImage takes the tags of its source along, also our mark on it. A copy has one of its own.
_COPY_TAG = "amiportal:copy-of:"
OPERATIONS: Mapping[str, str] = {
    Method.SNAPSHOT: "RegisterImage",
    Method.MANIFEST: "RegisterImage",
    Method.INSTANCE: "CreateImage",
    Method.COPY: "CopyImage",
}


def operation(registration: Registration) -> str:
    """Return the operation of AWS that makes the image."""
    return OPERATIONS[registration.method]


def request(registration: Registration) -> dict[str, Any]:
    """Return all that is sent: the parameters, with the tags of the image and its snapshots."""
    kinds = [("image", tags(registration))]
    if registration.method in {Method.INSTANCE, Method.COPY}:  # RegisterImage makes no snapshot
        kinds.append(("snapshot", registration.snapshot_tags))
    specifications = [
        {"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in pairs.items()]}
        for kind, pairs in kinds
        if pairs
    ]
    return {**parameters(registration), "TagSpecifications": specifications}


def parameters(registration: Registration) -> dict[str, Any]:
    """Return the parameters of the operation, without the tags. What is empty is left to AWS."""
    found = {
        "Name": registration.name,
        "Description": registration.description,
        **_BY_METHOD[registration.method](registration),
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def tags(registration: Registration) -> dict[str, str]:
    """Return the tags of the image; ours is the mark by which it is found again."""
    return {**registration.tags, mark(registration): str(registration.key)}


def mark(registration: Registration) -> str:
    """Return the key of the tag that says by its value which registration made the image."""
    if registration.method == Method.COPY:
        return f"{_COPY_TAG}{registration.source_image_id}"
    return TAG


def as_command(registration: Registration) -> str:
    """Return the call as a line for the AWS command line, to be read or compared."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", operation(registration)).lower()
    asked = json.dumps(request(registration), indent=2)
    return f"aws ec2 {name} --region {registration.region} --cli-input-json {shlex.quote(asked)}"


def is_ours(registration: Registration, image: ImageRecord) -> bool:
    """Say whether an image is what an attempt of this registration left: key and source agree.

    A copy of our image carries our tag as well.
    """
    if image.tags.get(mark(registration)) != str(registration.key):
        return False
    # AWS says of what CreateImage made which instance it is of; of a copy only which image.
    if registration.method == Method.INSTANCE and not image.source_instance_id:
        return not image.source_image_id
    wanted, found = {
        Method.SNAPSHOT: (registration.snapshot_id, image.root_snapshot_id),
        Method.MANIFEST: (registration.image_location, image.image_location),
        Method.INSTANCE: (registration.source_instance_id, image.source_instance_id),
        Method.COPY: (registration.source_image_id, image.source_image_id),
    }[Method(registration.method)]
    return found in {wanted, ""}


def _from_snapshot(registration: Registration) -> dict[str, Any]:
    """Encryption is never named: with a snapshot, the call would fail whatever the value."""
    ebs = {
        "SnapshotId": registration.snapshot_id,
        "VolumeType": registration.volume_type,
        "VolumeSize": registration.volume_size,
        "Iops": registration.iops,
        "Throughput": registration.throughput,
        "DeleteOnTermination": registration.delete_on_termination,
    }
    ebs = {name: value for name, value in ebs.items() if value not in ("", None)}
    root = {"DeviceName": registration.root_device_name, "Ebs": ebs}
    return {
        **_hardware(registration),
        "RootDeviceName": registration.root_device_name,
        "BlockDeviceMappings": [root, *map(_typed, registration.block_devices)],
    }


def _from_manifest(registration: Registration) -> dict[str, Any]:
    return {
        **_hardware(registration),
        "ImageLocation": registration.image_location,
        "BlockDeviceMappings": list(map(_typed, registration.block_devices)) or None,
    }


def _typed(device: Mapping[str, Any]) -> dict[str, Any]:
    """Name the type of a volume for which nobody chose one: it is checked as this type."""
    if "Ebs" not in device:
        return dict(device)
    return {**device, "Ebs": {"VolumeType": DEFAULT_TYPE, **device["Ebs"]}}


def _hardware(registration: Registration) -> dict[str, Any]:
    """Architecture and virtualization are always named: AWS's defaults are i386, paravirtual."""
    return {
        "Architecture": registration.architecture,
        "VirtualizationType": registration.virtualization_type,
        "EnaSupport": registration.ena_support or None,
        "SriovNetSupport": registration.sriov_net_support,
        "BootMode": registration.boot_mode,
        "TpmSupport": registration.tpm_support,
        "ImdsSupport": registration.imds_support,
        "UefiData": registration.uefi_data,
        "KernelId": registration.kernel_id,
        "RamdiskId": registration.ramdisk_id,
    }


def _from_instance(registration: Registration) -> dict[str, Any]:
    return {
        "InstanceId": registration.source_instance_id,
        "NoReboot": registration.no_reboot,
        "BootModeOverride": registration.boot_mode,
    }


def _as_copy(registration: Registration) -> dict[str, Any]:
    """The token lets AWS itself make the copy once."""
    return {
        "SourceImageId": registration.source_image_id,
        "SourceRegion": registration.source_region,
        "CopyImageTags": registration.copies_tags,
        "Encrypted": registration.is_encrypted or None,
        "KmsKeyId": registration.kms_key_id,
        "ClientToken": str(registration.key),
    }


_BY_METHOD: Mapping[str, Callable[[Registration], dict[str, Any]]] = {
    Method.SNAPSHOT: _from_snapshot,
    Method.MANIFEST: _from_manifest,
    Method.INSTANCE: _from_instance,
    Method.COPY: _as_copy,
}
