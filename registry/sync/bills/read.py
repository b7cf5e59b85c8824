"""From where a report lies to the rows of its months, one after the other."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from registry.models import Bill
from registry.sync.bills.deliveries import Delivery, deliver, find
from registry.sync.bills.lines import Lines
from registry.sync.bills.place import BillProblem, Place, ReportFile
from registry.sync.bills.store import replace


@dataclass(frozen=True, slots=True)
class MonthRead:
    """What became of a month: read, as it was before, or in trouble; then there is no bill."""

    month: date | None
    bill: Bill | None = None
    is_new: bool = False
    problem: str = ""


def read_months(
    place: Place, *, payer: str, months: Collection[date] | None = None, at: datetime
) -> Iterator[MonthRead]:
    """Read the months of a report, all or those wanted; BillProblem where nothing can be found.

    A month whose files are those of the last time is left as it is, and so is one in trouble.
    """
    found = find(place)
    for month in sorted(found.months, key=lambda month: month or date.min):
        if months is not None and month is not None and month not in months:
            continue
        try:
            for delivery in _by_month(place, deliver(place, month, found)):
                if months is None or delivery.month is None or delivery.month in months:
                    yield _read(place, delivery, payer=payer, at=at)
        except BillProblem as problem:
            yield MonthRead(month, problem=str(problem))


def _read(place: Place, delivery: Delivery, *, payer: str, at: datetime) -> MonthRead:
    month = delivery.month
    if month is None:
        return MonthRead(None, problem="Its lines about EC2 name no billing period.")
    known = Bill.objects.filter(payer=payer, month=month).first()
    if known and (known.version, known.source) == (delivery.version, place.source[:600]):
        return MonthRead(month, known)
    try:
        with Lines(place.reach) as lines:
            for file in delivery.files:
                _add(lines, place, file)
            _check(lines, payer=payer, month=month)
            bill = replace(
                lines,
                payer=payer,
                month=month,
                source=place.source,
                version=delivery.version,
                at=at,
            )
    except BillProblem as problem:
        return MonthRead(month, problem=str(problem))
    return MonthRead(month, bill, is_new=True)


def _check(lines: Lines, *, payer: str, month: date) -> None:
    """Refuse lines of somebody else, of another time, or of no amount."""
    others = [other for other in lines.payers() if other != payer]
    if others:
        raise BillProblem(f"The report is paid by {others[0][:12]}, not by {payer}.")
    strange = [other for other in lines.months() if other != month]
    if strange:
        raise BillProblem(f"The files of {month:%Y-%m} hold lines of {strange[0]:%Y-%m}.")
    if empty := lines.without_amount():
        raise BillProblem(f"{empty:,} lines have no lineItem/UsageAmount.")


def _by_month(place: Place, delivery: Delivery) -> list[Delivery]:
    """Tell the files of a delivery apart by the month that their lines name.

    A file without lines about instances belongs to none, unless there are no others.
    """
    if delivery.month is not None:
        return [delivery]
    apart: dict[date | None, list[ReportFile]] = {}
    for file in delivery.files:
        with Lines(place.reach) as lines:
            _add(lines, place, file)
            months, (count, *_) = lines.months(), lines.all()
        if len(months) > 1:
            raise BillProblem(f"{file.path} holds lines of several months.")
        if count:
            apart.setdefault(months[0] if months else None, []).append(file)
    if not apart:
        return [delivery]
    return [Delivery(month, tuple(files)) for month, files in apart.items()]


def _add(lines: Lines, place: Place, file: ReportFile) -> None:
    path = place.fetch(file, lines.workshop)
    lines.add(path, file.path)
    if path.is_relative_to(lines.workshop):
        path.unlink()
