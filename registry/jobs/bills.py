"""Bills: read once a day from where accounts say that their reports lie."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from registry import aws
from registry.access import Action, accounts, may_somewhere
from registry.audit.bill import compare
from registry.jobs.connect import connect_bucket
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Account, Run, RunKind
from registry.sync.bills import (
    BillProblem,
    Folder,
    MonthRead,
    Place,
    Stored,
    clear_left_behind,
    read_months,
)

_BUCKET = "s3://"
_TROUBLE = (BillProblem, PermissionError, aws.AwsError, aws.Malformed)


def request_bills(*, by: User | None) -> Run:
    """Queue a reading of all bills, or return the one that waits already."""
    run, is_new = Run.objects.get_or_queue(
        kind=RunKind.BILLS, requested_by=by, requested_at=timezone.now()
    )
    if is_new:
        after_commit(run_bills, run)
    return run


def run_bills(run_id: int) -> None:
    """Read this month and the last of every account with a bill, and compare each.

    Trouble with one is written down and stops no other; where nothing else came of it, the run has
    failed.
    """
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            clear_left_behind(at=timezone.now())
            counts = {"read": 0, "unchanged": 0, "in_trouble": 0}
            for text, outcome in _all(run):
                counts[outcome] += 1
                run.record(text, at=timezone.now())
            run.result = counts
            if counts["in_trouble"] and not counts["read"] + counts["unchanged"]:
                raise BillProblem(_last_words(run))
            run.note = (
                f"{counts['read']:,} months read, {counts['unchanged']:,} unchanged, "
                f"{counts['in_trouble']:,} in trouble"
            )


def read_folder(folder: Path, *, payer: str) -> Iterator[tuple[MonthRead, str]]:
    """Read every month of a report in any folder of this machine; say what came of each."""
    yield from _read(Folder(folder), payer, None)


def _all(run: Run) -> Iterator[tuple[str, str]]:
    """Read what is to be read; yield of each month what became of it, in words and in one."""
    first: dict[str, Account] = {}
    for account in _with_bills():
        first.setdefault(account.payer_number, account)
    mine = _to_read(run)
    for account in mine:
        other = first[account.payer_number]
        try:
            if other != account:
                named = other.name if other in mine else "another account"
                raise BillProblem(f"its payer's bill is that of {named} already.")
            months = 0
            for month, text in _read(_place(account), account.payer_number, _recent()):
                months += 1
                outcome = "in_trouble" if month.problem else "read" if month.is_new else "unchanged"
                yield f"{account.name}, {text}", outcome
            if not months:
                raise BillProblem(f"{account.bill} has no report of this month or the last.")
        except _TROUBLE as problem:
            yield f"{account.name}: {problem}", "in_trouble"


def _to_read(run: Run) -> list[Account]:
    rows = _with_bills()
    if run.requested_by:
        if not may_somewhere(run.requested_by, Action.SYNC):
            raise PermissionError(f"{run.requested_by} may not read bills.")
        rows = rows.filter(pk__in=accounts(run.requested_by, Action.SYNC).values("pk"))
    return list(rows)


def _with_bills() -> QuerySet[Account]:
    return Account.objects.exclude(bill="").order_by("pk")


def _place(account: Account) -> Place:
    if not account.bill.startswith(_BUCKET):
        return Folder(settings.BILLS / account.bill, limit=settings.BILLS, called=account.bill)
    name, _, prefix = account.bill.removeprefix(_BUCKET).partition("/")
    return Stored(connect_bucket(account, name), prefix)


def _read(
    place: Place, payer: str, months: Collection[date] | None
) -> Iterator[tuple[MonthRead, str]]:
    for month in read_months(place, payer=payer, months=months, at=timezone.now()):
        yield month, _told(month)


def _told(month: MonthRead) -> str:
    """Say what became of a month. One that was there is compared again: more may be recorded."""
    name = f"{month.month:%Y-%m}" if month.month else "a file"
    if month.bill is None:
        return f"{name}: {month.problem}"
    found = compare(month.bill, at=timezone.now())
    return (
        f"{name}: {month.bill.lines:,} lines {'read' if month.is_new else 'as before'}, "
        f"{month.bill.usages.count():,} sums of usage, {month.bill.purchases.count():,} purchases, "
        f"{found:,} disagreements"
    )


def _recent() -> set[date]:
    this = timezone.now().date().replace(day=1)
    return {this, (this - timedelta(days=1)).replace(day=1)}


def _last_words(run: Run) -> str:
    return "; ".join(run.events.order_by("pk").values_list("text", flat=True))[:2_000]
