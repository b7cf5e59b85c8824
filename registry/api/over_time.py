"""Reserved Instances over time: the totals of days, two days compared, and what ends."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any

from django.utils import timezone
from ninja import Router
from pydantic import Field

from registry.access import visible
from registry.api.door import ApiRequest
from registry.api.paging import PageQuery
from registry.api.problems import Query, Unfit, query
from registry.audit.answer import money
from registry.audit.difference import Moved, compare
from registry.audit.ending import Ending, calendar, coming, name_instances, until, with_instances
from registry.audit.totals import WEEK, WEEKS, Totals, by_day
from registry.audit.triggers import Trigger
from registry.forms.over_time import DifferenceForm, PeriodForm
from registry.models import DailyTotals, Image, ReservedInstance

router = Router()
MOST_DAYS = 1_100  # longer than any term
MOST_COVERS = 100


class PeriodQuery(Query):
    begin: Annotated[str, Field(alias="from")] = ""
    to: str = ""
    account: str = ""


class DifferenceQuery(PageQuery, PeriodQuery):
    pass


class EndingQuery(PageQuery):
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 90
    account: str = ""
    region: str = ""


@router.get("/over-time", url_name="reserved-instances-over-time")
def get_over_time(request: ApiRequest) -> Any:
    """Return the totals of each day of which something is kept, the first day first."""
    asked = query(PeriodQuery, request)
    today = timezone.now().date()
    last = asked.to or today.isoformat()
    first = asked.begin or _weeks_before(last, today).isoformat()
    begin, end = _days(PeriodForm({"from": first, "to": last}, today=today))
    rows = _kept(request, asked.account).filter(day__gte=begin, day__lte=end)
    return {"from": begin, "to": end, "days": [_totals(day) for day in by_day(rows)]}


@router.get("/difference", url_name="reserved-instances-difference")
def get_difference(request: ApiRequest) -> Any:
    """Return which purchases became idle or used between the ends of two days, and since when."""
    asked = query(DifferenceQuery, request)
    form = DifferenceForm({"from": asked.begin, "to": asked.to}, today=timezone.now().date())
    first, second = _days(form)
    found = compare(
        _purchases(request, asked.account), _kept(request, asked.account), first, second
    )
    some = found.rows[asked.offset : asked.offset + asked.limit]
    found.tell(some, request.user)
    return {
        "from": first,
        "to": second,
        "from_at": found.from_at,
        "to_at": found.to_at,
        "totals": [_totals(day) for day in found.totals] if found.totals else None,
        "count": len(found.rows),
        "limit": asked.limit,
        "offset": asked.offset,
        "items": [_moved(row, request) for row in some],
    }


@router.get("/ending", url_name="reserved-instances-ending")
def get_ending(request: ApiRequest) -> Any:
    """Return the purchases that end within some days, the first one first."""
    asked = query(EndingQuery, request)
    at = timezone.now()
    rows = coming(_purchases(request, asked.account).present(), at=at)
    if asked.region:
        rows = rows.filter(region=asked.region)
    rows = until(rows, asked.days, at=at)
    ((_, summed),) = calendar(rows, request.user, at=at, within=(asked.days,)).windows
    page = with_instances(rows, request.user)[asked.offset : asked.offset + asked.limit]
    some = list(page)
    name_instances(some, request.user, most=MOST_COVERS)
    return {
        "days": asked.days,
        "until": at + timedelta(days=asked.days),
        **_summed(summed),
        "count": summed.purchases,
        "limit": asked.limit,
        "offset": asked.offset,
        "items": [_ending(row, request) for row in some],
    }


def _weeks_before(last: str, today: date) -> date:
    """Return the day thirteen weeks before the last one that is asked for, if that is a day."""
    try:
        day = min(date.fromisoformat(last), today)
    except ValueError:
        day = today  # the form says what is wrong
    return max(day, date.min + WEEKS * WEEK) - WEEKS * WEEK


def _days(form: DifferenceForm) -> tuple[date, date]:
    if not form.is_valid():
        raise Unfit({name: errors[0] for name, errors in form.errors.items()})
    return form.cleaned_data["from"], form.cleaned_data["to"]


def _kept(request: ApiRequest, account: str) -> Any:
    rows = visible(DailyTotals.objects.all(), request.user)
    return rows.filter(account__number=account) if account else rows


def _purchases(request: ApiRequest, account: str) -> Any:
    rows = visible(ReservedInstance.objects.all(), request.user)
    return rows.filter(account__number=account) if account else rows


def _totals(day: Totals) -> dict[str, Any]:
    return {
        "day": day.begin,
        "accounts": len(day.accounts),
        "running": day.running,
        "covered": float(day.covered),
        "coverage": _number(day.coverage),
        "purchases": day.purchases,
        "hourly_cost": money(day.cost),
        "idle_hourly_cost": money(day.idle_cost),
        "idle_without_a_price": day.unpriced,
        "utilization": _number(day.utilization),
        "findings": day.open or {},
        "images": day.verdicts,
    }


def _moved(row: Moved, request: ApiRequest) -> dict[str, Any]:
    return _place(row.purchase, request) | {
        "became": row.kind,
        "idle_before": _number(row.idle_before),
        "idle_after": _number(row.idle_after),
        "idle_hourly_change": money(row.cost),
        "since": row.since,
        "reasons": row.after.causes,
        "has_lost_code": row.is_lost,
        "changed_before": None if row.triggers is None else _changes(row.triggers),
    }


def _changes(found: Iterable[Trigger]) -> list[dict[str, Any]]:
    return [
        {
            "at": one.at,
            "kind": "image" if isinstance(one.thing, Image) else "instance",
            "id": one.thing.aws_id,
            "what": one.title,
            "before": one.before,
            "after": one.after,
            "image_id": one.image_id or None,
        }
        for one in found
    ]


def _ending(row: Any, request: ApiRequest) -> dict[str, Any]:
    return _place(row, request) | {
        "end": row.end_at,
        "count": row.instance_count,
        "used": _number(row.used_units),
        "idle": _number(row.idle_units),
        "hourly_cost": money(row.hourly_cost),
        "idle_hourly_cost": money(row.idle_hourly_cost),
        "covers": [instance.aws_id for instance in row.named],
        "covers_in_all": row.instances if row.used else None,
    }


def _summed(some: Ending) -> dict[str, Any]:
    return {
        "bought": some.bought,
        "used": None if some.is_unknown else float(some.used),
        "idle": None if some.is_unknown else float(some.idle),
        "not_judged": some.unjudged,
        "hourly_cost": money(some.hourly_cost),
        "without_a_price": some.unpriced,
        "instances": None if some.is_unknown else some.instances,
    }


def _place(row: Any, request: ApiRequest) -> dict[str, Any]:
    return {
        "id": row.aws_id,
        "account": row.account.number,
        "region": row.region,
        "instance_type": row.instance_type,
        "platform": row.product_description,
        "url": request.build_absolute_uri(row.get_absolute_url()),
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
