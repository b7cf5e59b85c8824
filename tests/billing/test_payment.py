from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.billing import slow_reference
from tests.billing.fleets import (
    ALONE,
    FAMILY,
    NOON,
    OTHER,
    applied,
    bought,
    fleets,
    owners,
    running,
)

# Sizes that weigh the same, or nothing, and zones of which the id or the name is not known.
_types = st.sampled_from(
    ["m5.metal", "m5.24xlarge", "m5.huge", "t3.nano", "t3.micro", "t3.2xlarge"]
)
_zones = st.sampled_from([("a", "az-1"), ("b", "az-2"), ("a", ""), ("", "az-1"), ("", "")])


@st.composite
def crowds(draw):
    """Fleets in which much meets, and not all is recorded."""
    return tuple([_placed(draw, thing) for thing in things] for things in draw(fleets))


def _placed(draw, thing):
    zone, zone_id = draw(_zones)
    return replace(
        thing, region="us-east-1", instance_type=draw(_types), zone=zone, zone_id=zone_id
    )


@settings(max_examples=100)
@given(st.one_of(fleets, crowds()), st.one_of(st.just(FAMILY), owners))
def test_every_cover_is_that_of_the_slow_reference_in_its_order(fleet, owners):
    purchases, machines = fleet

    uses = applied(purchases, machines, owners).purchases

    found = {aws_id: use.covers for aws_id, use in uses.items() if use.covers}
    expected = slow_reference.covers(purchases, machines, owners, at=NOON)
    assert found == {aws_id: covers for aws_id, covers in expected.items() if covers}


def test_what_shares_nothing_is_passed_over_however_small_it_is():
    machines = [
        running("i-small", "m5.large", account=ALONE),
        running("i-large", "m5.xlarge", account=OTHER),
    ]

    assert applied([bought("m5.xlarge")], machines).machines == {"i-small": 0, "i-large": 1}
