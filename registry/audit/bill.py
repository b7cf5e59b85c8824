"""A bill compared with what audits and syncs have recorded of its month."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Max, Min, Q, Sum

from registry.audit.billed import SETTLED, billed_span, bought, exact, not_read_since, uses
from registry.audit.fleet import PAGE
from registry.billing.codes import recorded_code
from registry.billing.witness import (
    BilledCode,
    Carried,
    Coded,
    Span,
    Use,
    Verdict,
    contradicting,
    in_hours,
    in_use,
    is_platform,
    told,
)
from registry.models import (
    Account,
    Bill,
    BilledPurchase,
    BilledUsage,
    Change,
    ChangeField,
    Disagreement,
    DisagreementKind,
    Instance,
    ReservedInstance,
    Scope,
    UsageKind,
)

IN_FORCE = ("active", "retired")  # a state with which a purchase was paid for, up to its end
_ON_HOST = "host"  # the host is billed, not its instances
_LONGEST = 300


def compare(bill: Bill, *, at: datetime) -> int:
    """Write where the bill and what was recorded until `at` contradict each other.

    What was written before is replaced as a whole. Returns how many there are.
    """
    with transaction.atomic():
        # Whoever compares the same bill meanwhile waits, and replaces these.
        if not Bill.objects.select_for_update(no_key=True).filter(pk=bill.pk):
            return 0  # it was read anew: whoever did that compares its own
        found = [*_of_purchases(bill, at=at), *_of_instances(bill, at=at)]
        bill.disagreements.all().delete()
        Disagreement.objects.bulk_create(found, batch_size=PAGE)
    return len(found)


def _of_purchases(bill: Bill, *, at: datetime) -> Iterator[Disagreement]:
    rows = list(bill.purchases.order_by("pk"))
    unread = _Unread()
    for found in uses(bill, rows, at=at):
        if found.row is None or found.use is None:
            yield _unknown(bill, found.billed, unread)
        elif found.use.contradicts:
            yield _otherwise(bill, found.billed, found.row, found.use)
    yield from _not_billed(bill, at=at)


class _Unread:
    """Says why the inventory does not have a thing of an account and region."""

    def __init__(self) -> None:
        self._accounts = set(Account.objects.values_list("number", flat=True))
        read = Scope.objects.filter(synced_at__isnull=False)
        self._regions = set(read.values_list("account__number", "region"))

    def why(self, account: str, region: str) -> str:
        if account and account not in self._accounts:
            return "Its account is not connected"
        if account and region and (account, region) not in self._regions:
            return "Its region is not read in its account"
        return "AWS has not shown it"


def _unknown(bill: Bill, billed: BilledPurchase, unread: _Unread) -> Disagreement:
    return Disagreement(
        bill=bill,
        kind=DisagreementKind.NOT_KNOWN,
        account=billed.account or bill.payer,
        region=billed.region,
        subject=billed.aws_id,
        billed=in_use(exact(billed.used_hours), exact(billed.unused_hours)),
        recorded=unread.why(billed.account, billed.region),
        hours=_sum(billed.used_hours, billed.unused_hours),
    )


def _otherwise(
    bill: Bill, billed: BilledPurchase, row: ReservedInstance, found: Use
) -> Disagreement:
    used = exact(billed.used_hours) or Fraction(0)
    recorded = found.recorded
    is_compared = found.verdict in {Verdict.AGREES, Verdict.DIFFERS}
    words = [in_use(recorded.used, recorded.idle)] if is_compared else []
    if found.adds_up is False and found.bought is not None:
        words.append(f"{in_hours(found.bought)} bought")
    if found.verdict == Verdict.DIFFERS:
        apart = used - recorded.used
    else:
        apart = used + (exact(billed.unused_hours) or 0) - (found.bought or 0)
    return Disagreement(
        bill=bill,
        kind=DisagreementKind.USE,
        account=row.account.number,
        region=row.region,
        subject=row.aws_id,
        billed=in_use(exact(billed.used_hours), exact(billed.unused_hours)),
        recorded=", ".join(words),
        hours=_decimal(abs(apart)),
    )


def _not_billed(bill: Bill, *, at: datetime) -> Iterator[Disagreement]:
    """Return the purchases of the payer's accounts that were in force and are not on the bill."""
    span = billed_span(bill, at=at)
    unread = not_read_since(span.begin)
    of_payer = Q(account__payer=bill.payer) | Q(account__payer="", account__number=bill.payer)
    rows = ReservedInstance.objects.filter(of_payer, state__in=IN_FORCE).select_related("account")
    for row in rows.exclude(aws_id__in=bill.purchases.values("aws_id")).order_by("pk"):
        within = bought(row).within(span)
        is_read = (row.account_id, row.region) not in unread
        if within is None or within.hours <= SETTLED or not is_read:
            continue
        yield Disagreement(
            bill=bill,
            kind=DisagreementKind.NOT_BILLED,
            account=row.account.number,
            region=row.region,
            subject=row.aws_id,
            recorded=f"{row}, {row.product_description}"[:_LONGEST],
            hours=_decimal(row.instance_count * within.hours),
        )


def _of_instances(bill: Bill, *, at: datetime) -> Iterator[Disagreement]:
    span = billed_span(bill, at=at)
    carried = _carried(bill, span)
    for (account, aws_id), (region, billed) in _billed_codes(bill).items():
        one = carried.get((account, aws_id))
        others = contradicting(billed, one, span) if one else None
        if not one or not others:
            continue
        yield Disagreement(
            bill=bill,
            kind=DisagreementKind.OPERATION,
            account=account,
            region=region,
            subject=aws_id,
            billed=told(billed)[:_LONGEST],
            recorded=", ".join(sorted(filter(None, one.within(span))))[:_LONGEST],
            hours=_decimal(sum((other.hours for other in others), Fraction(0))),
        )


def _billed_codes(bill: Bill) -> Mapping[tuple[str, str], tuple[str, list[BilledCode]]]:
    """Return by account and id what instances were billed with; Spot is left out."""
    rows = (
        BilledUsage.objects.filter(bill=bill).exclude(resource_id="").exclude(kind=UsageKind.SPOT)
    )
    summed = (
        rows.order_by()
        .values("account", "resource_id", "operation")
        .annotate(
            total=Sum("hours"), first=Min("first_at"), last=Max("last_at"), place=Min("region")
        )
    )
    found: dict[tuple[str, str], tuple[str, list[BilledCode]]] = {}
    columns = ("account", "resource_id", "operation", "place", "total", "first", "last")
    for account, aws_id, operation, place, total, *when in summed.values_list(*columns):
        if is_platform(operation):
            _, codes = found.setdefault((account, aws_id), (place, []))
            codes.append(BilledCode(operation, Fraction(total), *when))
    return found


def _carried(bill: Bill, span: Span) -> dict[tuple[str, str], Carried]:
    """Return by account and id what we recorded of the codes of the instances on the bill."""
    ids = bill.usages.exclude(resource_id="").values("resource_id")
    changes: dict[int, list[Coded]] = defaultdict(list)
    noted = Change.objects.filter(
        field=ChangeField.CODE, at__gte=span.begin, instance__aws_id__in=ids
    ).order_by("pk")
    for key, at, before, after in noted.values_list("instance_id", "at", "before", "after"):
        changes[key].append(Coded(at, before, after))
    unread = not_read_since(span.begin)
    rows = Instance.objects.filter(aws_id__in=ids).exclude(tenancy=_ON_HOST)
    return {
        (number, aws_id): Carried(
            recorded_code(code, details),
            since,
            changes.get(key, ()),
            seen_at,
        )
        for *place, key, number, aws_id, code, details, since, seen_at in rows.values_list(
            *("account", "region"),
            *("pk", "account__number", "aws_id", "usage_operation", "platform_details"),
            *("usage_operation_updated_at", "first_seen_at"),
        )
        if tuple(place) not in unread
    }


def _sum(*hours: Decimal | None) -> Decimal | None:
    known = [each for each in hours if each is not None]
    return sum(known, Decimal(0)) if known else None


def _decimal(hours: Fraction) -> Decimal:
    return Decimal(hours.numerator) / Decimal(hours.denominator)
