"""Which purchases were modified into which: without it, what was paid for them is not known."""

from collections.abc import Iterable, Mapping

from django.db.models import Q

from registry.aws import Ec2, ModificationRecord, modified_from
from registry.billing.price import NO_UPFRONT
from registry.models import ReservedInstance, Scope
from registry.sync.besides import Besides


def read_modifications(ec2: Ec2, besides: Besides) -> None:
    """Read where purchases come from that show no fixed price, of those not known yet."""
    unknown = _unknown(besides.scope)
    if not unknown:
        return
    with besides.reading("what modified purchases were before"):
        _note(unknown, ec2.list_modifications())


def take_modifications(scope: Scope, records: Iterable[ModificationRecord]) -> int:
    """Note the same from a recorded answer, and return of how many purchases it tells."""
    told = modified_from(records)
    found = [row for row in _unknown(scope) if row.aws_id in told]
    _note(found, told)
    return len(found)


def _note(rows: Iterable[ReservedInstance], told: Mapping[str, list[str]]) -> None:
    noted = list(rows)
    for row in noted:
        row.modified_from = told.get(row.aws_id, [])
    ReservedInstance.objects.bulk_update(noted, ["modified_from"])


def _unknown(scope: Scope) -> list[ReservedInstance]:
    """Return what a modification may have made; asked again where AWS told of none before."""
    rows = ReservedInstance.objects.present().within(scope).filter(fixed_price=0)
    rows = rows.exclude(offering_type=NO_UPFRONT)
    return list(rows.filter(Q(modified_from__isnull=True) | Q(modified_from=[])).order_by("pk"))
