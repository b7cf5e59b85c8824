"""The purchases, instances and accounts of the seeded company, as the portal reads them."""

from datetime import UTC, datetime

from registry.aws import InstanceRecord, ReservedInstanceRecord
from registry.billing.fleet import Machine, Owner, Purchase
from sandbox.aws.catalog import MANAGEMENT
from sandbox.aws.state import State, Thing
from sandbox.aws.world import populate

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def seeded() -> tuple[list[Purchase], list[Machine], list[Owner]]:
    state = State(clock=lambda: NOW)
    populate(state, seed=1, now=NOW)
    of_ours = {
        kind: [one for one in things.values() if one["_account"] in state.accounts]
        for kind, things in state.things.items()
    }
    return (
        [_purchase(item) for item in of_ours["reserved_instances"]],
        [_machine(item) for item in of_ours["instances"]],
        [Owner(number, MANAGEMENT) for number in state.accounts],
    )


def _purchase(item: Thing) -> Purchase:
    found = ReservedInstanceRecord.parse(item)
    return Purchase(
        aws_id=found.aws_id,
        account=item["_account"],
        region=item["_region"],
        instance_type=found.instance_type,
        count=found.instance_count,
        platform=found.product_description,
        tenancy=found.tenancy,
        scope=found.scope,
        zone=found.availability_zone,
        zone_id=found.availability_zone_id,
        state=found.state,
        start=found.start_at,
        end=found.end_at,
    )


def _machine(item: Thing) -> Machine:
    found = InstanceRecord.parse(item)
    return Machine(
        aws_id=found.aws_id,
        account=item["_account"],
        region=item["_region"],
        instance_type=found.instance_type,
        usage_operation=found.usage_operation,
        zone=found.availability_zone,
        zone_id=found.availability_zone_id,
        tenancy=found.tenancy,
        state=found.state,
        lifecycle=found.lifecycle,
    )
