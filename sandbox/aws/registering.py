"""RegisterImage, and what it shares with the other ways of making an image."""

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.aws.billing import code_of_snapshot
from sandbox.aws.devices import is_root_snapshot, mapped, root_snapshot
from sandbox.aws.errors import Refused
from sandbox.aws.reading import dry
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text
from sandbox.aws.tags import specified

Params = Mapping[str, Any]
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
_LONGEST_DESCRIPTION = 255
_LONGEST_UEFI_DATA = 64_000
_HARDWARE = (
    "BootMode",
    "TpmSupport",
    "ImdsSupport",
    "UefiData",
    "SriovNetSupport",
    "KernelId",
    "RamdiskId",
)


def register_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Register an image from a snapshot, or from a manifest. No client token exists."""
    base = named(scope, params)
    if params.get("BillingProducts"):
        raise Refused("AuthFailure", "You are not authorized to use billing products.", 403)
    base["Tags"] = specified(params, "image")
    from_where = _from_manifest if params.get("ImageLocation") else _from_snapshot
    disks = from_where(scope, params)
    hardware = _hardware(params)
    dry(params)
    return {"ImageId": make(scope, {**base, **hardware, **disks})}


def named(scope: Scope, params: Params) -> Thing:
    """Return name and description of a new image; Refused if it cannot be called so."""
    name, description = params["Name"], params.get("Description", "")
    if not NAME.fullmatch(name):
        message = (
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers "
            "and ( ) [ ] space . / - ' @ _"
        )
        raise Refused("InvalidAMIName.Malformed", message)
    if len(description) > _LONGEST_DESCRIPTION:
        message = f"The description has more than {_LONGEST_DESCRIPTION} characters."
        raise Refused("InvalidParameterValue", message)
    user = _user_of(scope, name)
    if user:
        message = f"AMI name {name} is already in use by AMI {user}"
        raise Refused("InvalidAMIName.Duplicate", message)
    return {"Name": name, "Description": description}


def hold(scope: Scope, image: Thing) -> None:
    """Keep the name of an image that is gone taken for a while."""
    seconds = scope.state.name_held_seconds
    if seconds:
        until = text(scope.state.now + timedelta(seconds=seconds))
        held = {"until": until, "image_id": image["ImageId"]}
        scope.state.held[_place_of(scope, image["Name"])] = held


def _user_of(scope: Scope, name: str) -> str:
    """Return the image that has a name, or had it until a moment ago; "" where it is free."""
    for image in scope.mine("images"):
        if image["Name"] == name:
            return str(image["ImageId"])
    held = scope.state.held.get(_place_of(scope, name))
    is_held = held is not None and text(scope.state.now) < held["until"]
    return str(held["image_id"]) if held and is_held else ""


def _place_of(scope: Scope, name: str) -> str:
    return f"{scope.account} {scope.region} {name}"


def make(scope: Scope, image: Thing) -> str:
    """Let an image begin to exist: seen after a while, available after another."""
    now = scope.state.now
    image_id = scope.state.new_id("ami")
    visible = now + timedelta(seconds=scope.state.invisible_seconds)
    available = now + timedelta(seconds=scope.state.pending_seconds)
    coded = available + timedelta(seconds=scope.state.code_lag_seconds)
    base = {
        "ImageId": image_id,
        "OwnerId": scope.account,
        "CreationDate": text(now),
        "State": "pending",
        "Public": False,
        "ImageType": "machine",
        "Hypervisor": "xen",
        "ImageLocation": f"{scope.account}/{image['Name']}",
        "_visible_at": text(visible) if scope.state.invisible_seconds else "",
        "_available_at": text(available) if scope.state.pending_seconds else "",
        "_coded_at": text(coded) if scope.state.code_lag_seconds else "",
        "_fails": scope.fault == "image-fails",
    }
    scope.put("images", image_id, {**base, **image})
    return image_id


def _hardware(params: Params) -> Thing:
    # AWS's defaults, and traps: send both always.
    virtualization = params.get("VirtualizationType", "paravirtual")
    found = {
        "Architecture": params.get("Architecture", "i386"),
        "VirtualizationType": virtualization,
        **{key: params[key] for key in _HARDWARE if key in params},
    }
    if virtualization not in {"hvm", "paravirtual"}:
        message = f"Value ({virtualization}) for parameter VirtualizationType is invalid."
        raise Refused("InvalidParameterValue", message)
    if params.get("TpmSupport") and params.get("BootMode") != "uefi":
        raise Refused("InvalidParameterCombination", "TpmSupport requires BootMode uefi.")
    _check_virtualization(params, virtualization)
    _check_values(params)
    if params.get("EnaSupport"):
        found["EnaSupport"] = True
    return found


def _check_virtualization(params: Params, virtualization: str) -> None:
    # AWS documents what goes with what; that this is the code is unconfirmed.
    wanted = {
        "EnaSupport": "hvm",
        "SriovNetSupport": "hvm",
        "KernelId": "paravirtual",
        "RamdiskId": "paravirtual",
    }
    for name, needed in wanted.items():
        if params.get(name) and virtualization != needed:
            raise Refused("InvalidParameterCombination", f"{name} requires {needed}.")


def _check_values(params: Params) -> None:
    """Check what the model leaves open; AWS documents the values, the code is unconfirmed."""
    if params.get("SriovNetSupport", "simple") != "simple":
        raise Refused("InvalidParameterValue", "SriovNetSupport can only be simple.")
    if not _is_uefi_data(params.get("UefiData", "")):
        message = f"UefiData is base64 of at most {_LONGEST_UEFI_DATA} characters."
        raise Refused("InvalidParameterValue", message)


def _is_uefi_data(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return len(value) <= _LONGEST_UEFI_DATA


def _from_manifest(scope: Scope, params: Params) -> Thing:
    location, root = params["ImageLocation"], params.get("RootDeviceName")
    devices = params.get("BlockDeviceMappings", [])
    # Both codes are unconfirmed.
    if "/" not in location or not location.endswith(".manifest.xml"):
        raise Refused("InvalidManifest", f"{location} is no path of a manifest.")
    if any(is_root_snapshot(device, root) for device in devices):
        message = "An image is made of a manifest or of a root snapshot, not of both."
        raise Refused("InvalidParameterCombination", message)
    return {
        "RootDeviceType": "instance-store",
        "ImageLocation": location,
        **({"RootDeviceName": root} if root else {}),
        **({"BlockDeviceMappings": mapped(scope, devices, root or "")} if devices else {}),
        **code_of_snapshot({}),
    }


def _from_snapshot(scope: Scope, params: Params) -> Thing:
    root = params.get("RootDeviceName")
    devices = params.get("BlockDeviceMappings", [])
    if not root or not devices:
        raise Refused("InvalidRequest", "The request received was invalid.")
    snapshot = root_snapshot(scope, devices, root)
    return {
        "RootDeviceType": "ebs",
        "RootDeviceName": root,
        "BlockDeviceMappings": mapped(scope, devices, root),
        **code_of_snapshot(snapshot),
    }


OPERATIONS = {"RegisterImage": register_image}
