"""What Reserved Instances are applied to: purchases, instances, and the accounts that own them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

HOST = "host"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase of `count` Reserved Instances. Prices are for one; None: not known."""

    aws_id: str
    account: str
    region: str
    instance_type: str
    count: int
    platform: str
    tenancy: str = "default"
    scope: str = "Region"
    zone: str = ""
    zone_id: str = ""
    state: str = "active"
    start: datetime | None = None
    end: datetime | None = None
    offering_type: str = ""
    fixed_price: Decimal | None = None
    usage_price: Decimal | None = None
    recurring_hourly: Decimal | None = None
    duration_seconds: int | None = None
    paid_seconds: int | None = None  # for how long what was paid upfront is, where that is told

    def is_active(self, at: datetime) -> bool:
        return self.state == "active" and self._is_in_term(at)

    def is_unclear(self, at: datetime) -> bool:
        """Say whether it may be active or not, for its state was never recorded."""
        return not self.state and self._is_in_term(at)

    def _is_in_term(self, at: datetime) -> bool:
        begun = self.start is None or self.start <= at
        return begun and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance as the bill sees it."""

    aws_id: str
    account: str
    region: str
    instance_type: str
    usage_operation: str | None
    zone: str = ""
    zone_id: str = ""
    tenancy: str = "default"
    state: str = "running"
    lifecycle: str = ""

    @property
    def is_on_demand(self) -> bool:
        """Spot, scheduled and capacity block instances and Macs are not paid by purchases."""
        return not self.lifecycle and not self.instance_type.startswith("mac")

    @property
    def is_running(self) -> bool | None:
        """Say whether it runs; None where its state was never recorded."""
        return self.state == "running" if self.state else None

    @property
    def can_be_paid(self) -> bool:
        """Say whether a purchase may pay for it now; for a Dedicated Host, its host is billed."""
        return self.state == "running" and self.may_be_paid

    @property
    def may_be_paid(self) -> bool:
        """Say whether a purchase may pay for it, or could if it ran: that may not be recorded."""
        return self.state in ("running", "") and self.tenancy != HOST and self.is_on_demand


@dataclass(frozen=True, slots=True)
class Owner:
    """An account: who pays for it, and whether it shares purchases with the payer's others.

    Those of its group come first; restricted, it shares with no others. See Sharing.
    """

    account: str
    payer: str
    sharing: bool = True
    group: str = ""
    is_restricted: bool = False
