"""Reserved Instances and instances: rows → purchases and machines, once for a whole audit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from registry.billing.codes import recorded_code
from registry.billing.counterfactual import Counterfactual
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.modified import Bought, traced
from registry.billing.normalization import family
from registry.billing.sharing import Sharing
from registry.billing.situation import Situation
from registry.models import Account, Instance, MirrorQuerySet, ReservedInstance

PAGE = 5_000
_COLUMNS = (
    *("image_id", "aws_id", "account__number", "region", "instance_type", "usage_operation"),
    *("platform_details", "availability_zone", "availability_zone_id", "tenancy"),
    *("state", "lifecycle"),
)


@dataclass(frozen=True)
class Fleet:
    """What is present: rows of purchases by id, all as the bill sees it, and who runs an image."""

    rows: Mapping[str, ReservedInstance]
    situation: Situation
    running: Mapping[str, list[str]]  # id of an image → ids of instances

    @cached_property
    def asked(self) -> Counterfactual:
        """What would be otherwise; what it has settled once, nobody settles again."""
        return Counterfactual(self.situation)

    @classmethod
    def load(cls, *, at: datetime, near: ReservedInstance | None = None) -> "Fleet":
        """Read what is present; of it, where a purchase is named, only what can meet that."""
        where = {} if near is None else _around(near)
        present = ReservedInstance.objects.present().filter(**where).select_related("account")
        machines = Instance.objects.present().filter(**where)
        rows = {row.aws_id: row for row in present}
        running: dict[str, list[str]] = defaultdict(list)
        purchases = traced(map(_bought, rows.values()), _earlier(rows.values()))
        situation = Situation(purchases, _machines(machines, running), _owners(), at=at)
        return cls(rows, situation, running)


def _earlier(rows: Iterable[ReservedInstance]) -> list[Bought]:
    """Return the purchases that are gone, where some of the rows may have been made of them."""
    if not any(row.modified_from for row in rows):
        return []
    gone = ReservedInstance.objects.gone().select_related("account").order_by("pk")
    return [_bought(row) for row in gone]


def _bought(row: ReservedInstance) -> Bought:
    return Bought(_purchase(row), tuple(row.modified_from or ()))


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


def _around(near: ReservedInstance) -> dict[str, Any]:
    """Filter what can meet a purchase: what is of its payer, region and family."""
    payer = near.account.payer_number
    return {
        "account__in": [each.pk for each in Account.objects.all() if each.payer_number == payer],
        "region": near.region,
        "instance_type__startswith": f"{family(near.instance_type)}.",
    }


def _machines(
    present: MirrorQuerySet[Instance], running: dict[str, list[str]]
) -> Iterator[Machine]:
    """Read the instances, and note those that run under the image that each was launched from."""
    rows = present.order_by().values_list(*_COLUMNS).iterator(chunk_size=PAGE)
    for image, aws_id, account, region, kind, code, details, zone, zone_id, *rest in rows:
        tenancy, state, lifecycle = rest
        machine = Machine(
            aws_id=aws_id,
            account=account,
            region=region,
            instance_type=kind,
            usage_operation=recorded_code(code, details),
            zone=zone,
            zone_id=zone_id,
            tenancy=tenancy,
            state=state,
            lifecycle=lifecycle,
        )
        if image and machine.is_running:
            running[image].append(aws_id)
        yield machine


def _owners() -> list[Owner]:
    return [
        Owner(
            account.number,
            account.payer_number,
            sharing=account.reserved_instance_sharing,
            group=account.sharing_group,
            is_restricted=account.is_group_restricted,
        )
        for account in Account.objects.all()
    ]


def sharing_of(account: Account) -> Sharing:
    """Return how the accounts of a payer share purchases."""
    payer = account.payer_number
    return Sharing.of(owner for owner in _owners() if owner.payer == payer)
