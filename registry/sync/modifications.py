"""Which purchases were modified into which: without it, what was paid for them is not known.

A role may lack the permission. Then less is known, the sync goes on, and what was read stays.
"""

import logging

from django.db.models import Q

from registry.aws import AwsError, Ec2, Malformed
from registry.billing.price import NO_UPFRONT
from registry.models import ReservedInstance, Scope

logger = logging.getLogger(__name__)


def read_modifications(ec2: Ec2, scope: Scope) -> None:
    """Read where purchases come from that show no fixed price, of those not known yet."""
    unknown = _unknown(scope)
    if not unknown:
        return
    try:
        told = ec2.list_modifications()
    except (AwsError, Malformed) as error:
        logger.warning("%s: it is not known what purchases cost. %s", scope, error)
        return
    for row in unknown:
        row.modified_from = told.get(row.aws_id, [])
    ReservedInstance.objects.bulk_update(unknown, ["modified_from"])


def _unknown(scope: Scope) -> list[ReservedInstance]:
    """Return what a modification may have made; asked again where AWS told of none before."""
    rows = ReservedInstance.objects.present().within(scope).filter(fixed_price=0)
    rows = rows.exclude(offering_type=NO_UPFRONT)
    return list(rows.filter(Q(modified_from__isnull=True) | Q(modified_from=[])).order_by("pk"))
