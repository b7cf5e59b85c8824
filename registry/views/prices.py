"""Whether an account reads list prices, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Max

from registry.access import Action, may_everywhere
from registry.models import Account, ListPrice, Run, RunKind


@dataclass(frozen=True, slots=True)
class AccountPrices:
    """What the page of an account says; None: how many there are is not for everybody.

    The prices are those that all accounts need: their number tells of all.
    """

    is_on: bool
    read_at: datetime | None = None
    total: int | None = None
    unknown: int | None = None
    problem: str = ""


def prices(account: Account, user: User) -> AccountPrices:
    if not account.reads_prices:
        return AccountPrices(is_on=False)
    reads_all = may_everywhere(user, Action.READ)
    counts = ListPrice.objects.aggregate(
        read_at=Max("read_at"), total=Count("pk"), known=Count("hourly")
    )
    return AccountPrices(
        is_on=True,
        read_at=counts["read_at"],
        total=counts["total"] if reads_all else None,
        unknown=counts["total"] - counts["known"] if reads_all else None,
        problem=_problem(account, reads_all=reads_all),
    )


def _problem(account: Account, *, reads_all: bool) -> str:
    """Return why the account could not read them the last time; all reasons to who reads all."""
    last = Run.objects.over().filter(kind=RunKind.PRICES).order_by("pk").last()
    if last is None:
        return ""
    refused = last.result.get("refused", {}).get(account.number, "")
    return str(refused or (last.error if reads_all else ""))
