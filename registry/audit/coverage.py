"""Reserved Instances: rows → purchases and machines → use → rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from registry.audit.fleet import PAGE, Fleet
from registry.audit.rows import alone_on, update_rows
from registry.billing.coverage import PurchaseUse, cover
from registry.billing.price import hourly
from registry.models import Cover, Instance, ReservedInstance

JUDGED = (
    "used",
    "idle",
    "applies",
    "reasons",
    "hourly_cost",
    "idle_hourly_cost",
)


@dataclass(frozen=True, slots=True)
class Applied:
    """The use of every purchase by primary key, and the covered share of running instances."""

    uses: Mapping[int, PurchaseUse]
    covered: Mapping[str, Fraction]


def audit_coverage(fleet: Fleet | None = None, *, at: datetime) -> Applied:
    """Apply every purchase as it would be at `at`, and write what changed.

    A `fleet` that was loaded for `at` is taken; else what is present is.
    """
    fleet = fleet or Fleet.load(at=at)
    rows, coverage = fleet.rows, cover(fleet.situation)
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


def _values(use: PurchaseUse) -> dict[str, Any]:
    return {
        "used": str(use.used),
        "idle": str(use.idle),
        "applies": use.applies,
        "reasons": [
            {"code": reason.code, "instance_ids": list(reason.instance_ids)}
            for reason in use.reasons
        ],
        "hourly_cost": hourly(use.hourly_cost),
        "idle_hourly_cost": hourly(use.idle_hourly_cost),
    }


def _write_covers(uses: Mapping[int, PurchaseUse]) -> None:
    """Make the covers agree with `uses`: three statements, whatever their number."""
    wanted = {
        (pk, paid.instance_id): str(paid.fraction)
        for pk, use in uses.items()
        for paid in use.covers
    }
    names = {instance_id for _, instance_id in wanted}
    keys = dict(Instance.objects.present().filter(aws_id__in=names).values_list("aws_id", "pk"))
    # An instance that is gone since the purchases were applied has no cover any more.
    shares = {(pk, keys[name]): share for (pk, name), share in wanted.items() if name in keys}
    over = []
    for row in Cover.objects.all():
        share = shares.get((row.reserved_instance_id, row.instance_id))
        if share == row.share:
            del shares[row.reserved_instance_id, row.instance_id]
        else:
            over.append(row.pk)
    Cover.objects.filter(pk__in=over).delete()
    Cover.objects.bulk_create(
        [
            Cover(reserved_instance_id=pk, instance_id=instance, share=share)
            for (pk, instance), share in shares.items()
        ],
        batch_size=PAGE,
    )
