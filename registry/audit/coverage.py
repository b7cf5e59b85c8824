"""Reserved Instances: rows → purchases and machines → use → rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from registry.audit.purchases import DEAREST
from registry.audit.rows import alone_on, update_rows
from registry.billing.codes import recorded_code
from registry.billing.coverage import PurchaseUse, apply
from registry.billing.fleet import Machine, Owner, Purchase
from registry.models import Account, Cover, Instance, ReservedInstance

PAGE = 5_000
JUDGED = (
    "used",
    "idle",
    "applies",
    "reasons",
    "hourly_cost",
    "idle_hourly_cost",
)
_PLACES = Decimal("1.00000000")


@dataclass(frozen=True, slots=True)
class Applied:
    """The use of every purchase by primary key, and the covered share of running instances."""

    uses: Mapping[int, PurchaseUse]
    covered: Mapping[str, Fraction]


def audit_coverage(*, at: datetime) -> Applied:
    """Apply every purchase as it would be at `at`, and write what changed."""
    rows = {row.aws_id: row for row in ReservedInstance.objects.present().select_related("account")}
    coverage = apply(map(_purchase, rows.values()), _machines(), _owners(), at=at)
    with alone_on(ReservedInstance):
        changed = []
        for aws_id, use in coverage.purchases.items():
            values = _values(use)
            row = rows[aws_id]
            if any(getattr(row, name) != value for name, value in values.items()):
                changed.append({"id": row.pk} | values)
        update_rows(ReservedInstance, JUDGED, changed)
        ReservedInstance.objects.present().update(judged_at=at)
        _write_covers({rows[aws_id].pk: use for aws_id, use in coverage.purchases.items()})
    uses = {rows[aws_id].pk: use for aws_id, use in coverage.purchases.items()}
    return Applied(uses, coverage.machines)


def _purchase(row: ReservedInstance) -> Purchase:
    return Purchase(
        aws_id=row.aws_id,
        account=row.account.number,
        region=row.region,
        instance_type=row.instance_type,
        count=row.instance_count,
        platform=row.product_description,
        tenancy=row.tenancy,
        scope=row.scope,
        zone=row.availability_zone,
        zone_id=row.availability_zone_id,
        state=row.state,
        start=row.start_at,
        end=row.end_at,
        offering_type=row.offering_type,
        fixed_price=row.fixed_price,
        usage_price=row.usage_price,
        recurring_hourly=row.recurring_hourly,
        duration_seconds=row.duration,
    )


def _machines() -> Iterator[Machine]:
    columns = (
        *("aws_id", "account__number", "region", "instance_type", "usage_operation"),
        *("platform_details", "availability_zone", "availability_zone_id", "tenancy"),
        *("state", "lifecycle"),
    )
    rows = Instance.objects.present().order_by().values_list(*columns).iterator(chunk_size=PAGE)
    for aws_id, account, region, kind, code, details, zone, zone_id, tenancy, state, life in rows:
        yield Machine(
            aws_id=aws_id,
            account=account,
            region=region,
            instance_type=kind,
            usage_operation=recorded_code(code, details),
            zone=zone,
            zone_id=zone_id,
            tenancy=tenancy,
            state=state,
            lifecycle=life,
        )


def _owners() -> list[Owner]:
    return [
        Owner(account.number, account.payer_number, account.reserved_instance_sharing)
        for account in Account.objects.all()
    ]


def _values(use: PurchaseUse) -> dict[str, Any]:
    return {
        "used": str(use.used),
        "idle": str(use.idle),
        "applies": use.applies,
        "reasons": [
            {"code": reason.code, "instance_ids": list(reason.instance_ids)}
            for reason in use.reasons
        ],
        "hourly_cost": _rounded(use.hourly_cost),
        "idle_hourly_cost": _rounded(use.idle_hourly_cost),
    }


def _rounded(cost: Decimal | None) -> Decimal | None:
    return None if cost is None or cost >= DEAREST else cost.quantize(_PLACES)


def _write_covers(uses: Mapping[int, PurchaseUse]) -> None:
    """Make the covers agree with `uses`: three statements, whatever their number."""
    wanted = {
        (pk, cover.instance_id): str(cover.fraction)
        for pk, use in uses.items()
        for cover in use.covers
    }
    names = {instance_id for _, instance_id in wanted}
    keys = dict(Instance.objects.present().filter(aws_id__in=names).values_list("aws_id", "pk"))
    # An instance that is gone since the purchases were applied has no cover any more.
    shares = {(pk, keys[name]): share for (pk, name), share in wanted.items() if name in keys}
    over = []
    for cover in Cover.objects.all():
        share = shares.get((cover.reserved_instance_id, cover.instance_id))
        if share == cover.share:
            del shares[cover.reserved_instance_id, cover.instance_id]
        else:
            over.append(cover.pk)
    Cover.objects.filter(pk__in=over).delete()
    Cover.objects.bulk_create(
        [
            Cover(reserved_instance_id=pk, instance_id=instance, share=share)
            for (pk, instance), share in shares.items()
        ],
        batch_size=PAGE,
    )
