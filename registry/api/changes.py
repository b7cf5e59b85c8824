"""Changes that would let idle Reserved Instances be used, as they are answered."""

from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.models import User
from ninja import Router

from registry.access import accounts, visible
from registry.api.door import ApiRequest
from registry.api.paging import PageQuery, page_of
from registry.api.problems import query
from registry.audit.answer import money
from registry.audit.changes import changes_for
from registry.audit.proposals import kept
from registry.audit.told import Reach, Row, Sum, Sums, rows_of
from registry.billing.price import monthly
from registry.models import Image, ReservedInstance
from registry.triage import readable

router = Router()


class ChangeQuery(PageQuery):
    account: str = ""
    region: str = ""
    kind: Literal["image", "cause", "region", "sharing", ""] = ""


@router.get("", url_name="changes")
def list_changes(request: ApiRequest) -> Any:
    """Return what the last audit says that one change would do, and all of them together.

    The sums are those of all kinds, whichever is asked for; before the first audit there are none.
    """
    asked = query(ChangeQuery, request)
    found = kept()
    reach = _reach(request.user, account=asked.account, region=asked.region)
    every = rows_of(found.proposals if found else (), reach)
    rows = [row for row in every if asked.kind in {"", row.found.kind}]
    return page_of(rows, asked, lambda row: _listed(row, request)) | {
        "audited_at": found.at if found else None,
        "sums": _sums(Sums.of(every)) if found else None,
    }


def changes_of(row: ReservedInstance, user: User, *, at: datetime) -> list[dict[str, Any]]:
    """Return what would let more of an active purchase be used, what uses most of it first.

    Left out is what is about something that the person may not read.
    """
    if row.state != "active" or not row.idle_units or row.is_gone:
        return []
    return [
        _change(each) | {"used": float(each.found.effect.gained[row.aws_id])}
        for each in rows_of(changes_for(row, at=at), _reach(user))
    ]


def _reach(user: User, *, account: str = "", region: str = "") -> Reach:
    asked = {"account__number": account, "region": region}
    place = {field: value for field, value in asked.items() if value}
    members = accounts(user)
    return Reach(
        images=visible(Image.objects.present(), user).filter(**place),
        findings=readable(user),
        purchases=visible(ReservedInstance.objects.present(), user).filter(**place),
        accounts=members.filter(number=account) if account else members,
    )


def _change(row: Row) -> dict[str, Any]:
    found = row.found
    return {
        "kind": found.kind,
        "name": found.name,
        "zone": found.zone or None,
        "images": found.images,
        "instances": found.instances,
        "hourly": money(found.effect.hourly),
    }


def _listed(row: Row, request: ApiRequest) -> dict[str, Any]:
    adds = row.found.adds
    return _change(row) | {
        "title": row.title,
        "where": row.where,
        "gained": float(row.units),
        "lost": float(row.idle),
        "per_month": money(monthly(row.found.effect.hourly)),
        "is_certain": row.found.effect.is_certain,
        "adds": adds and {"units": float(adds.units), "hourly": money(adds.hourly)},
        "url": request.build_absolute_uri(row.address),
    }


def _sums(found: Sums) -> dict[str, Any]:
    return {
        "together": _sum(found.together),
        "codes": _sum(found.codes),
        "moves": _sum(found.moves),
        "sharing": _sum(found.sharing),
    }


def _sum(some: Sum) -> dict[str, Any]:
    is_known = some.unpriced < some.number or not some.number
    return {
        "changes": some.number,
        "unpriced": some.unpriced,
        "units": float(some.units),
        "hourly": money(some.hourly) if is_known else None,
        "per_month": money(monthly(some.hourly)) if is_known else None,
    }
