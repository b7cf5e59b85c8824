"""An image that is wanted, as it is sent: every field, its type and its length."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from pydantic import Discriminator, Field, Tag

from registry.access import Action, accounts, may
from registry.api.problems import MANY, ONE, STORABLE, Body, Key, Unfit
from registry.forms.many import MOST_LINES
from registry.forms.registration import FIELDS, SOURCES
from registry.models import Account, Method
from registry.registration import Wish
from registry.registration.hardware import LONGEST_UEFI_DATA
from registry.registration.volumes import MOST_DEVICES

LARGEST_NUMBER = 2**31 - 1  # that the database holds
_EVERYWHERE = ("key", "account", "region", "method")
_BESIDES: Mapping[str, tuple[str, ...]] = {
    Method.SNAPSHOT: ("block_devices",),
    Method.MANIFEST: ("block_devices",),
    Method.COPY: ("source_region",),
}
Short = Annotated[str, Field(max_length=64), STORABLE]
Number = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Tags = dict[
    Annotated[str, Field(max_length=127), STORABLE], Annotated[str, Field(max_length=256), STORABLE]
]


class VolumeBody(Body):
    """A volume of a further device, as AWS names its members."""

    SnapshotId: Short | None = None
    VolumeSize: Number | None = None
    VolumeType: Short | None = None
    Iops: Number | None = None
    Throughput: Number | None = None
    DeleteOnTermination: bool | None = None
    Encrypted: bool | None = None


class DeviceBody(Body):
    """A further block device, as AWS names its members."""

    DeviceName: Short | None = None
    VirtualName: Short | None = None
    NoDevice: Short | None = None
    Ebs: VolumeBody | None = None


class WishBody(Body):
    """One image. What is left out is as the source has it, or as AWS has it by itself."""

    key: Key | None = None
    account: Short | None = None
    region: Annotated[str, Field(max_length=32), STORABLE] | None = None
    method: Literal["snapshot", "instance", "copy", "manifest"] = "snapshot"
    name: Annotated[str, Field(max_length=128), STORABLE] | None = None
    description: Annotated[str, Field(max_length=255), STORABLE] | None = None
    tags: Tags | None = None
    snapshot_tags: Tags | None = None
    expected_usage_operation: Short | None = None
    reason: Annotated[str, Field(max_length=2_000), STORABLE] | None = None
    snapshot_id: Short | None = None
    root_device_name: Short | None = None
    volume_type: Short | None = None
    volume_size: Number | None = None
    iops: Number | None = None
    throughput: Number | None = None
    delete_on_termination: bool | None = None
    block_devices: Annotated[list[DeviceBody], Field(max_length=MOST_DEVICES)] | None = None
    image_location: Annotated[str, Field(max_length=1_024), STORABLE] | None = None
    architecture: Short | None = None
    virtualization_type: Short | None = None
    boot_mode: Short | None = None
    ena_support: bool | None = None
    sriov_net_support: Short | None = None
    tpm_support: Short | None = None
    imds_support: Short | None = None
    uefi_data: Annotated[str, Field(max_length=LONGEST_UEFI_DATA), STORABLE] | None = None
    kernel_id: Short | None = None
    ramdisk_id: Short | None = None
    source_instance_id: Short | None = None
    no_reboot: bool | None = None
    source_image_id: Short | None = None
    source_region: Annotated[str, Field(max_length=32), STORABLE] | None = None
    copies_tags: bool | None = None
    is_encrypted: bool | None = None
    kms_key_id: Annotated[str, Field(max_length=2_048), STORABLE] | None = None


Bodies = Annotated[
    Annotated[WishBody, Tag(ONE)]
    | Annotated[list[WishBody], Field(min_length=1, max_length=MOST_LINES), Tag(MANY)],
    Discriminator(lambda sent: MANY if isinstance(sent, list) else ONE),
]


def read_wishes(sent: WishBody | list[WishBody], *, by: User, key: UUID | None) -> list[Wish]:
    """Return what is wanted; `key` is that of a single wish, where its own names none.

    Raises Unfit where it can't be a request, PermissionDenied where `by` may not register.
    """
    bodies = sent if isinstance(sent, list) else [sent]
    readable = {account.number: account for account in accounts(by)}
    problems = {n: _problems(body, readable) for n, body in enumerate(bodies)}
    _note_keys(bodies, key, problems, is_list=isinstance(sent, list))
    wrong = {n: found for n, found in problems.items() if found}
    if wrong:
        raise Unfit(wrong if isinstance(sent, list) else wrong[0])
    wishes = [_wish(body, readable, key) for body in bodies]
    for account in {wish.account for wish in wishes}:
        if not may(by, Action.REGISTER, account):
            raise PermissionDenied(f"You may not register images in {account.name}.")
    return wishes


def asked_fields(method: str) -> list[str]:
    """Return the fields that a wish of this method may have, without its place and its key."""
    return [*FIELDS[method], *_BESIDES.get(method, ())]


def _problems(body: WishBody, readable: Mapping[str, Account]) -> dict[str, str]:
    given = body.given()
    allowed = {*_EVERYWHERE, *asked_fields(body.method)}
    unfit = f"Leave it out: the method {body.method} has no such field."
    found = dict.fromkeys(given.keys() - allowed, unfit)
    needed = ["account", "region", "name", "expected_usage_operation", SOURCES[body.method]]
    if body.method == Method.COPY.value:
        needed.append("source_region")
    found |= {name: "This field is needed." for name in needed if not given.get(name)}
    if "account" not in found and given["account"] not in readable:
        found["account"] = "There is no such account."
    return found


def _note_keys(
    bodies: Sequence[WishBody],
    key: UUID | None,
    problems: Mapping[int, dict[str, str]],
    *,
    is_list: bool,
) -> None:
    seen = set()
    for n, body in enumerate(bodies):
        if key and is_list:
            problems[n]["key"] = "Idempotency-Key is for a single wish. Give each its own key."
        elif key and body.key not in {None, key}:
            problems[n]["key"] = "Idempotency-Key says another key."
        if body.key and body.key in seen:
            problems[n]["key"] = "Another wish of this request has this key."
        seen.add(body.key)


def _wish(body: WishBody, readable: Mapping[str, Account], key: UUID | None) -> Wish:
    fields: dict[str, Any] = {"method": body.method, **body.given()}
    account = readable[fields.pop("account")]
    return Wish(fields.pop("key", None) or key or uuid.uuid4(), account, fields)
