"""What an image is to be made of, and what the mirror knows of it: rows → prospect."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.db.models import F, Q

from registry.audit.images import code_of
from registry.audit.inventory import read_on_demand
from registry.billing import descriptions
from registry.billing.codes import parts, recorded_code
from registry.billing.expectation import Link
from registry.billing.lineage import ImageNode, trace
from registry.billing.prediction import (
    AWS_BACKUP,
    COPY,
    COPY_IMAGE,
    CREATE_IMAGE,
    INSTANCE,
    REGISTER_IMAGE,
    SNAPSHOT,
    UNKNOWN,
    VM_IMPORT,
    LiveInstance,
    Prospect,
    Sibling,
    writer_of,
)
from registry.billing.rules import MARKETPLACE
from registry.models import Account, Image, Instance, Mirror, MirrorQuerySet, Snapshot

_PLANNED = "planned"  # the id of the image that is not there yet
_GONE = "gone"
_LIVE = ("running", "stopped")
_M = TypeVar("_M", bound=Mirror)
# What is the same all along a lineage, and what an image says only of itself.
_LASTING = ("architecture", "virtualization_type", "root_device_name", "ena_support")
_OWN = ("boot_mode", "tpm_support", "imds_support")
# What AWS sets where a registration names nothing: it says nothing of the source.
_DANGEROUS = {"architecture": "i386", "virtualization_type": "paravirtual", "ena_support": False}


class Default(NamedTuple):
    """A value that the source has, and the id of the thing that it was read from."""

    value: str | bool
    aws_id: str


@dataclass(frozen=True, slots=True)
class _Origin:
    """The rows behind a prospect. `siblings` have the same root snapshot, newest first."""

    snapshot: Snapshot | None = None
    instance: Instance | None = None
    image: Image | None = None
    siblings: tuple[Image, ...] = ()
    links: tuple[Link, ...] = ()


def prospect(  # noqa: PLR0913 - each is one thing that a person chooses
    account: Account,
    region: str,
    *,
    method: str,
    expected: str,
    snapshot_id: str = "",
    instance_id: str = "",
    image_id: str = "",
    source_region: str = "",
) -> Prospect:
    """Return what the mirror knows of the thing that an image is to be made of."""
    if method == SNAPSHOT:
        origin = _origin_of_snapshot(account, region, snapshot_id)
        return _of_snapshot(account, region, expected, snapshot_id, origin)
    if method == INSTANCE:
        origin = _origin_of_instance(account, region, instance_id)
        return _of_instance(account, region, expected, instance_id, origin)
    if method == COPY:
        place = source_region or region
        origin = _origin_of_copy(account, place, image_id)
        return _of_copy(account, place, expected, image_id, origin)
    return Prospect(method, expected)


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
        return _defaults(_origin_of_snapshot(account, region, snapshot_id))
    if method == INSTANCE:
        return _defaults(_origin_of_instance(account, region, instance_id))
    if method == COPY:
        return _defaults(_origin_of_copy(account, source_region or region, image_id))
    return {}


def _of_snapshot(
    account: Account, region: str, expected: str, snapshot_id: str, origin: _Origin
) -> Prospect:
    snapshot = origin.snapshot
    launched_from = [image.aws_id for image in origin.siblings]
    return Prospect(
        SNAPSHOT,
        expected,
        source_id=snapshot_id,
        writer=writer_of(snapshot.description, snapshot.tags) if snapshot else UNKNOWN,
        links=origin.links,
        siblings=tuple(
            Sibling(image.aws_id, code_of(image), _made_by(image, snapshot))
            for image in origin.siblings
        ),
        product_codes=_product_codes(origin.siblings or _nearest(origin.links)),
        is_encrypted=snapshot.is_encrypted if snapshot else None,
        is_foreign=_is_from_elsewhere(account, snapshot) if snapshot else False,
        instances=_live(account, region, expected, origin.links, launched_from),
    )


def _of_instance(
    account: Account, region: str, expected: str, instance_id: str, origin: _Origin
) -> Prospect:
    row = origin.instance
    return Prospect(
        INSTANCE,
        expected,
        source_id=instance_id,
        source_usage_operation=_code_of_instance(row) if row else None,
        source_state=_state(row),
        links=origin.links,
        product_codes=_product_codes([row] if row else []),
        instances=_live(account, region, expected, origin.links),
    )


def _of_copy(
    account: Account, region: str, expected: str, image_id: str, origin: _Origin
) -> Prospect:
    row = origin.image
    return Prospect(
        COPY,
        expected,
        source_id=image_id,
        source_usage_operation=code_of(row) if row else None,
        source_state=_state(row),
        links=origin.links,
        product_codes=_product_codes([row] if row else []),
        is_foreign=_is_foreign(account, row) if row else False,
        instances=_live(account, region, expected, origin.links, [image_id]),
    )


# Where it came from.


def _origin_of_snapshot(account: Account, region: str, snapshot_id: str) -> _Origin:
    snapshot = _row(Snapshot, account, region, snapshot_id)
    siblings = _siblings(snapshot_id)
    is_root = snapshot is None or _is_root(snapshot)
    planned = ImageNode(_PLANNED, root_snapshot_id=snapshot_id)
    return _Origin(
        snapshot=snapshot,
        siblings=siblings,
        links=_links(planned) if snapshot_id and is_root else (),
    )


def _origin_of_instance(account: Account, region: str, instance_id: str) -> _Origin:
    row = _of_account(Instance, account, region, instance_id)
    links = _links(ImageNode(_PLANNED, source_instance_id=instance_id)) if row else ()
    return _Origin(instance=row, links=links)


def _origin_of_copy(account: Account, region: str, image_id: str) -> _Origin:
    row = _row(Image, account, region, image_id)
    links = _links(ImageNode(_PLANNED, source_image_id=image_id)) if row else ()
    return _Origin(image=row, links=links)


def _links(planned: ImageNode) -> tuple[Link, ...]:
    return trace(_PLANNED, read_on_demand(planned=[planned])).links


def _of_account(model: type[_M], account: Account, region: str, aws_id: str) -> _M | None:
    rows: MirrorQuerySet[_M] = MirrorQuerySet(model)
    return rows.filter(account=account, region=region, aws_id=aws_id).first()


def _row(model: type[_M], account: Account, region: str, aws_id: str) -> _M | None:
    """Return the row of the account; else that of another account, if it is in this region."""
    rows: MirrorQuerySet[_M] = MirrorQuerySet(model)
    found = rows.filter(region=region, aws_id=aws_id).order_by(
        F("gone_at").desc(nulls_first=True), "pk"
    )
    return next((row for row in found if row.account_id == account.pk), found.first())


def _siblings(snapshot_id: str) -> tuple[Image, ...]:
    if not snapshot_id:
        return ()
    found = _by_id(Image.objects.filter(root_snapshot_id=snapshot_id))
    return tuple(
        sorted(
            found.values(),
            key=lambda image: (image.created_at is not None, image.created_at, image.aws_id),
            reverse=True,
        )
    )


def _by_id(rows: MirrorQuerySet[_M]) -> dict[str, _M]:
    # The present last: of two rows with one id, the one that AWS still shows counts.
    return {row.aws_id: row for row in rows.order_by(F("gone_at").asc(nulls_last=True), "pk")}


def _is_root(snapshot: Snapshot) -> bool:
    """Say whether a snapshot is of a root volume, as far as is known.

    CreateImage and CopyImage make one of each volume; only the root's has to do with the code.
    """
    match = _made_for(snapshot)
    if not match:
        return True
    roots = Image.objects.filter(aws_id=match).exclude(root_snapshot_id="")
    known = set(roots.values_list("root_snapshot_id", flat=True))
    return not known or snapshot.aws_id in known


def _made_for(snapshot: Snapshot) -> str:
    """Return the id of the image that AWS made together with a snapshot, by its description."""
    if match := descriptions.CREATED.match(snapshot.description):
        return match[2]
    match = descriptions.COPIED_IMAGE.match(snapshot.description)
    return match[1] if match else ""


def _made_by(image: Image, snapshot: Snapshot | None) -> str:
    """Return what made an image of a snapshot; RegisterImage where nothing else is recorded."""
    if image.source_instance_id:
        return CREATE_IMAGE
    if image.source_image_id:
        return COPY_IMAGE
    if image.owner_alias == "aws-backup-vault" or image.name.startswith("AwsBackup_"):
        return AWS_BACKUP
    if snapshot is None:
        return UNKNOWN
    if _made_for(snapshot) == image.aws_id:
        return CREATE_IMAGE if descriptions.CREATED.match(snapshot.description) else COPY_IMAGE
    imported = descriptions.IMPORTED.match(snapshot.description)
    return VM_IMPORT if imported and imported[1] == image.name else REGISTER_IMAGE


# What is known of it.


def _code_of_instance(row: Instance) -> str | None:
    return recorded_code(row.usage_operation, row.platform_details)


def _state(row: Image | Instance | None) -> str:
    if row is None:
        return ""
    return _GONE if row.is_gone else row.state


def _is_foreign(account: Account, row: Image | Snapshot) -> bool:
    """Say whether a thing belongs to another account."""
    return (row.owner_id or row.account.number) != account.number


def _is_from_elsewhere(account: Account, snapshot: Snapshot) -> bool:
    """Say whether a snapshot, or what it is a copy of, belongs to another account."""
    if _is_foreign(account, snapshot):
        return True
    if match := descriptions.COPIED_SNAPSHOT.match(snapshot.description):
        return _are_foreign(account, Snapshot.objects.filter(aws_id=match[1]))
    if match := descriptions.COPIED_IMAGE.match(snapshot.description):
        return _are_foreign(account, Image.objects.filter(aws_id=match[2]))
    return False


def _are_foreign(account: Account, rows: MirrorQuerySet[Any]) -> bool:
    found = list(rows.select_related("account"))
    return bool(found) and all(_is_foreign(account, row) for row in found)


def _product_codes(rows: Iterable[Image | Instance]) -> tuple[str, ...]:
    found = {
        code["id"]: None
        for row in rows
        for code in row.product_codes
        if code["type"] == MARKETPLACE
    }
    return tuple(found)


def _nearest(links: Sequence[Link]) -> list[Image | Instance]:
    """Return the row of the nearest link."""
    return [row for _, row in _rows(links[:1])]


def _rows(links: Sequence[Link]) -> Iterator[tuple[str, Image | Instance]]:
    """Yield the row of each link, nearest first."""
    ids = [link.aws_id for link in links]
    if not ids:
        return
    images = _by_id(Image.objects.filter(aws_id__in=ids))
    instances = _by_id(Instance.objects.filter(aws_id__in=ids))
    for aws_id in ids:
        row = images.get(aws_id) or instances.get(aws_id)
        if row:
            yield aws_id, row


def _live(
    account: Account,
    region: str,
    expected: str,
    links: Sequence[Link],
    launched_from: Sequence[str] = (),
) -> tuple[LiveInstance, ...]:
    """Return the instances with the expected code of which CreateImage can make the image.

    Those that are on the way to it come first, then those that were launched from an image that
    has the same root snapshot.
    """
    wanted = parts(expected)
    ids = [link.aws_id for link in links if link.kind == "instance"]
    if wanted is None:
        return ()
    rows = (
        Instance.objects.present()
        .filter(account=account, region=region, state__in=_LIVE)
        .filter(Q(aws_id__in=ids) | Q(image_id__in=launched_from))
        .order_by("pk")
    )
    found = [row for row in rows if parts(_code_of_instance(row)) == wanted]
    found.sort(key=lambda row: ids.index(row.aws_id) if row.aws_id in ids else len(ids))
    return tuple(LiveInstance(row.aws_id, row.name, _code_of_instance(row)) for row in found)


# What the form may propose.


def _defaults(origin: _Origin) -> dict[str, Default]:
    sources = list(_sources(origin))
    found = {field: _first(field, sources) for field in _LASTING}
    found |= {field: _first(field, _up_to_image(sources)) for field in _OWN}
    known = {field: value for field, value in found.items() if value is not None}
    # AWS refuses a TPM with any other way to boot.
    if "tpm_support" in known and ("boot_mode" not in known or known["boot_mode"].value != "uefi"):
        del known["tpm_support"]
    return known


_Values = tuple[str, Image | Instance, Mapping[str, Any]]  # and which values say nothing


def _sources(origin: _Origin) -> Iterator[_Values]:
    """Yield what shows the hardware, the nearest first; what somebody registered, at last."""
    registered = []
    for image in origin.siblings:
        if _made_by(image, origin.snapshot) in {REGISTER_IMAGE, UNKNOWN}:
            registered.append(image)
        else:
            yield image.aws_id, image, {}
    for aws_id, row in _rows(origin.links):
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
