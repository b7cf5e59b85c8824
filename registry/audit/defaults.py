"""The hardware that the source of an image has: safe defaults, and what to compare with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from registry.audit.origins import (
    Origin,
    made_by,
    origin_of_copy,
    origin_of_instance,
    origin_of_snapshot,
    rows_of,
)
from registry.billing.prospect import (
    COPY,
    INSTANCE,
    REGISTER_IMAGE,
    SNAPSHOT,
    UNKNOWN,
)
from registry.models import Account, Image, Instance

# What is the same all along a lineage, and what an image says only of itself.
_LASTING = ("architecture", "virtualization_type", "root_device_name", "ena_support")
_OWN = ("boot_mode", "tpm_support", "imds_support")
# What AWS sets where a registration names nothing: it says nothing of the source.
_DANGEROUS = {"architecture": "i386", "virtualization_type": "paravirtual", "ena_support": False}


class Default(NamedTuple):
    """A value that the source has, and the id of the thing that it was read from."""

    value: str | bool
    aws_id: str


def defaults(  # noqa: PLR0913 - each is one thing that a person chooses
    account: Account,
    region: str,
    *,
    method: str,
    snapshot_id: str = "",
    instance_id: str = "",
    image_id: str = "",
    source_region: str = "",
) -> dict[str, Default]:
    """Return, by field, what the source has, and where that was read; not what is not known."""
    if method == SNAPSHOT:
        return _defaults(origin_of_snapshot(account, region, snapshot_id))
    if method == INSTANCE:
        return _defaults(origin_of_instance(account, region, instance_id))
    if method == COPY:
        return _defaults(origin_of_copy(account, source_region or region, image_id))
    return {}


def _defaults(origin: Origin) -> dict[str, Default]:
    sources = list(_sources(origin))
    found = {field: _first(field, sources) for field in _LASTING}
    found |= {field: _first(field, _up_to_image(sources)) for field in _OWN}
    known = {field: value for field, value in found.items() if value is not None}
    # AWS refuses a TPM with any other way to boot.
    if "tpm_support" in known and ("boot_mode" not in known or known["boot_mode"].value != "uefi"):
        del known["tpm_support"]
    return known


_Values = tuple[str, Image | Instance, Mapping[str, Any]]  # and which values say nothing


def _sources(origin: Origin) -> Iterator[_Values]:
    """Yield what shows the hardware, the nearest first; what somebody registered, at last."""
    registered = []
    for image in origin.siblings:
        if made_by(image, origin.snapshot) in {REGISTER_IMAGE, UNKNOWN}:
            registered.append(image)
        else:
            yield image.aws_id, image, {}
    for aws_id, row in rows_of(origin.links):
        yield aws_id, row, {}
    for image in registered:
        yield image.aws_id, image, _DANGEROUS


def _up_to_image(sources: Sequence[_Values]) -> Iterator[_Values]:
    """Yield the sources up to the nearest image: what a farther one had, it may have given up."""
    for source in sources:
        yield source
        if isinstance(source[1], Image):
            return


def _first(field: str, sources: Iterable[_Values]) -> Default | None:
    for aws_id, row, meaningless in sources:
        value: str | bool | None = getattr(row, field, None)
        if value is None or value in {"", meaningless.get(field)}:
            continue
        return Default(value, aws_id)
    return None
