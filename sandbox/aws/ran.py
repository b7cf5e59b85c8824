"""What ran in a month of the seeded company, with which code, and which purchase paid for it.

What AWS shows elsewhere contradicts the bill in a few places, each as it happens in life: PLANTED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from sandbox.aws.applied import Bought, Machine, apply, units
from sandbox.aws.billing import PLAIN
from sandbox.aws.catalog import CORE_PROD
from sandbox.aws.purchases import PLATFORMS
from sandbox.aws.state import State, Thing

RHEL, BYOL = "RunInstances:0010", "RunInstances:00g0"
STRANGER, STRANGE = "512345678901", "0f0f0f0f-27da-4f36-b05e-0123456789ab"
STOPPED, FEWER, MISSING = "m5n.xlarge", "r6in.xlarge", "c6a.2xlarge"  # types of purchases
PLANTED = {
    "stopped": f"machines of type {STOPPED} in us-east-1 stood still until the 15th",
    "unknown": f"a purchase of account {STRANGER}, which the portal does not know",
    "fewer": f"of the purchase of {FEWER}, one fewer is billed than EC2 shows",
    "missing": f"the purchase of {MISSING} is not on the bill",
    "code": "a Red Hat machine of core-prod is billed as plain Linux until the 15th",
    "converted": "machines converted to Ubuntu Pro were billed as plain Linux before",
}
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Month:
    """A month, billed until `through`."""

    begin: datetime
    end: datetime
    through: datetime

    @property
    def middle(self) -> datetime:
        return min(self.begin + timedelta(days=14), self.through)


@dataclass(slots=True)
class Ran:
    """What a machine ran with one code, paid for by one purchase or none."""

    first: datetime
    last: datetime
    unit_hours: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """A machine that runs since `launched`, with `code` since `updated` and another before."""

    thing: Thing
    launched: datetime
    updated: datetime
    code: str
    code_before: str

    @property
    def is_spot(self) -> bool:
        return "InstanceLifecycle" in self.thing

    def code_at(self, at: datetime) -> str:
        return self.code if at >= self.updated else self.code_before

    def machine(self, code: str) -> Machine:
        place = self.thing["Placement"]
        return Machine(
            aws_id=self.thing["InstanceId"],
            account=self.thing["_account"],
            region=self.thing["_region"],
            zone=place["AvailabilityZoneId"],
            kind=self.thing["InstanceType"],
            platform=PLATFORMS.get(code, ""),
            tenancy=place["Tenancy"],
        )


Runs = dict[tuple[str, str, str], Ran]  # by machine, code and purchase


def running(state: State, month: Month) -> dict[str, Running]:
    """Return what runs, by id, as it is billed."""
    things = sorted(state.things["instances"].items())
    found = {aws_id: _running(state, thing) for aws_id, thing in things if _is_running(thing)}
    for aws_id, one in found.items():
        if one.thing["InstanceType"] == STOPPED and one.thing["_region"] == "us-east-1":
            found[aws_id] = replace(one, launched=max(one.launched, month.middle))
    changed = next((aws_id for aws_id, one in found.items() if _is_old_red(one, month)), None)
    if changed:
        found[changed] = replace(found[changed], updated=month.middle, code_before=PLAIN)
    return found


def runs(machines: Mapping[str, Running], purchases: Sequence[Bought], month: Month) -> Runs:
    """Return what the machines ran in a month, in the order in which it began."""
    found: Runs = {}
    for since, until in pairwise(_cuts(machines, purchases, month)):
        here = {aws_id: one for aws_id, one in machines.items() if one.launched <= since}
        paid = apply(
            [one for one in purchases if hour(one.start) <= since < hour(one.end)],
            [one.machine(one.code_at(since)) for one in here.values() if not one.is_spot],
        )
        for aws_id, one in here.items():
            shares = dict(paid.get(aws_id, {}))
            shares[""] = units(one.thing["InstanceType"]) - sum(shares.values())
            for paid_by, share in shares.items():
                if share:
                    code = one.code_at(since)
                    ran = found.setdefault((aws_id, code, paid_by), Ran(since, until))
                    ran.last = until
                    ran.unit_hours += share * ((until - since) // HOUR)
    return found


def hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _cuts(
    machines: Mapping[str, Running], purchases: Sequence[Bought], month: Month
) -> list[datetime]:
    """Return the hours at which something begins or ends, the month included."""
    cuts = {month.begin, month.middle, month.through}
    for one in machines.values():
        cuts |= {one.launched, one.updated}
    for purchase in purchases:
        cuts |= {hour(purchase.start), hour(purchase.end)}
    return sorted(cut for cut in cuts if month.begin <= cut <= month.through)


def _is_running(thing: Thing) -> bool:
    return bool(thing["State"]["Name"] == "running")


def _running(state: State, thing: Thing) -> Running:
    """BYOL of Red Hat is billed as plain Linux."""
    launched = hour(datetime.fromisoformat(thing["LaunchTime"]))
    updated_at = str(thing.get("UsageOperationUpdateTime", thing["LaunchTime"]))
    updated = hour(datetime.fromisoformat(updated_at))
    image = state.things["images"].get(thing["ImageId"], {})
    codes = (thing["UsageOperation"], image.get("UsageOperation"))
    code, before = (PLAIN if code in {None, "", BYOL} else code for code in codes)
    return Running(thing, launched, updated, code, before)


def _is_old_red(one: Running, month: Month) -> bool:
    is_red = one.thing["_account"] == CORE_PROD and one.code == RHEL
    return is_red and not one.is_spot and one.updated <= month.begin
