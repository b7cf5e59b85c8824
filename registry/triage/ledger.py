"""One action on many findings: written down, gone through in batches, accounted for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Count, Q, QuerySet
from psycopg import sql

from registry.access import Action, accounts, may_everywhere, may_somewhere
from registry.models import Finding, Run, RunKind, Triage, TriageAction, TriageItem, TriageItemState
from registry.models.finding import FindingQuerySet
from registry.triage.objections import needed
from registry.triage.wish import Refused, Wish, check

THINGS = ("image", "instance", "reserved_instance")


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of the findings of a triage: how many are in each state, and each of them."""

    triage: Triage
    counts: dict[str, int]
    items: QuerySet[TriageItem]


def ledger(run: Run, user: User) -> Ledger | None:
    """Return the ledger of a run, as far as `user` may read; None if it is no triage."""
    triage = Triage.objects.select_related("person", "run").filter(run=run).first()
    if triage is None:
        return None
    items = triage.items.filter(_readable(user, by="finding__"))
    things = [f"finding__{thing}__account" for thing in THINGS]
    rows = items.select_related(*things, "finding__assignee").order_by("pk")
    return Ledger(triage, counts(items), rows)


def asked_before(by: User, key: str) -> Run | None:
    """Return the run that `by` has asked for with this key; None where there is none."""
    if not key:
        return None
    mine = Run.objects.filter(kind=RunKind.TRIAGE, requested_by=by)
    return mine.filter(result__key=key).first()


def form_key(wish: Wish, key: str) -> str:
    """Return the key of what a form says: the form's own, as long as its words are the same."""
    if not key:
        return ""
    person = wish.person.pk if wish.person else ""
    said = [key, wish.action, str(person), str(wish.until or ""), wish.text]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def write_down(
    findings: "QuerySet[Finding]",
    wish: Wish,
    *,
    query: str,
    at: datetime,
    result: Mapping[str, str] | None = None,
) -> Run:
    """Make the run, with every finding of the set that who asks may read.

    With a `key` in its `result`, `asked_before` finds it again.

    Raises PermissionDenied where they may do this nowhere, Refused where it makes no sense.
    """
    if not may_somewhere(wish.by, needed(wish)):
        raise PermissionDenied(f"{wish.by} may not {wish.action.label.lower()} anywhere.")
    check(wish, at=at)
    chosen = readable(wish.by).filter(pk__in=findings.values("pk"))
    if not chosen.exists():
        raise Refused({"findings": "Choose at least one finding."})
    run = Run.objects.create(
        kind=RunKind.TRIAGE,
        requested_by=wish.by,
        requested_at=at,
        result=dict(result or {}),
    )
    triage = Triage.objects.create(
        run=run,
        action=wish.action,
        text=wish.text,
        person=wish.person,
        until=wish.until,
        query=query.replace("\0", ""),
    )
    _snapshot(triage, chosen)
    return run


def readable(user: User) -> FindingQuerySet:
    """Return the findings of accounts that `user` may read."""
    return Finding.objects.filter(_readable(user))


def counts(items: "QuerySet[TriageItem]") -> dict[str, int]:
    """Return how many items are in each state, of all states."""
    number = items.order_by().values_list("state").annotate(number=Count("pk"))
    return dict.fromkeys(TriageItemState.values, 0) | dict(number)


def progress(triage: Triage) -> str:
    """Say how far it has come: "12 done, 3 left as they are, 85 to go"."""
    found = counts(triage.items.all())
    words = [
        f"{found[TriageItemState.DONE]:,} done",
        f"{found[TriageItemState.LEFT]:,} left as they are",
        f"{found[TriageItemState.PENDING]:,} to go",
    ]
    return ", ".join(word for word in words if not word.startswith("0 "))


def wish_of(triage: Triage) -> Wish:
    by = triage.run.requested_by
    if by is None:
        raise ValueError("A triage is asked for by somebody.")
    action = TriageAction(triage.action)
    return Wish(action, by, text=triage.text, person=triage.person, until=triage.until)


def _readable(user: User, *, by: str = "") -> Q:
    if may_everywhere(user, Action.READ):
        return Q()
    mine = accounts(user).values("pk")
    return Q.create([(f"{by}{thing}__account__in", mine) for thing in THINGS], connector=Q.OR)


def _snapshot(triage: Triage, findings: FindingQuerySet) -> None:
    """Write the items in one statement, however many there are."""
    chosen, params = findings.order_by("pk").values("pk").query.sql_with_params()
    statement = sql.SQL(
        "INSERT INTO {table} (triage_id, finding_id, state, note)"
        " SELECT %s, chosen.id, %s, '' FROM ({chosen}) AS chosen (id)"
    ).format(
        table=sql.Identifier(TriageItem._meta.db_table),
        chosen=sql.SQL(chosen),  # made by Django, with the values apart
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [triage.pk, TriageItemState.PENDING, *params])
