"""What an image is to be made of, and what the mirror knows of it: rows → prospect."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q

from registry.audit.facts import code_of
from registry.audit.origins import (
    Origin,
    made_by,
    origin_of_copy,
    origin_of_instance,
    origin_of_snapshot,
    rows_of,
)
from registry.billing import descriptions
from registry.billing.clues import Link
from registry.billing.codes import parts, recorded_code
from registry.billing.prospect import (
    COPY,
    INSTANCE,
    SNAPSHOT,
    UNKNOWN,
    LiveInstance,
    Prospect,
    Sibling,
    writer_of,
)
from registry.billing.rules import is_marketplace_code, sold_with
from registry.models import Account, Image, Instance, MirrorQuerySet, Snapshot

_GONE = "gone"
_LIVE = ("running", "stopped")


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
        origin = origin_of_snapshot(account, region, snapshot_id)
        return _of_snapshot(account, region, expected, snapshot_id, origin)
    if method == INSTANCE:
        origin = origin_of_instance(account, region, instance_id)
        return _of_instance(account, region, expected, instance_id, origin)
    if method == COPY:
        place = source_region or region
        origin = origin_of_copy(account, place, image_id)
        return _of_copy(account, place, expected, image_id, origin)
    return Prospect(method, expected)


def _of_snapshot(
    account: Account, region: str, expected: str, snapshot_id: str, origin: Origin
) -> Prospect:
    snapshot = origin.snapshot
    launched_from = [image.aws_id for image in origin.siblings]
    products = _product_codes(origin.siblings or _nearest(origin.links))
    return Prospect(
        SNAPSHOT,
        expected,
        source_id=snapshot_id,
        writer=writer_of(snapshot.description, snapshot.tags) if snapshot else UNKNOWN,
        links=origin.links,
        siblings=tuple(
            Sibling(image.aws_id, code_of(image), made_by(image, snapshot))
            for image in origin.siblings
        ),
        product_codes=products,
        sold_with=sold_with(origin.links, frozenset(products), _products_on),
        is_encrypted=snapshot.is_encrypted if snapshot else None,
        is_foreign=_is_from_elsewhere(account, snapshot) if snapshot else False,
        instances=_live(account, region, expected, origin.links, launched_from),
    )


def _of_instance(
    account: Account, region: str, expected: str, instance_id: str, origin: Origin
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
    account: Account, region: str, expected: str, image_id: str, origin: Origin
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
        if is_marketplace_code(code["id"], code.get("type", ""))
    }
    return tuple(found)


def _products_on(instance_id: str) -> frozenset[str]:
    rows = rows_of([Link("instance", instance_id, None)])
    return frozenset(_product_codes(row for _, row in rows))


def _nearest(links: Sequence[Link]) -> list[Image | Instance]:
    """Return the row of the nearest link."""
    return [row for _, row in rows_of(links[:1])]


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
