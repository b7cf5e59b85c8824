from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.coverage import apply
from tests.bench.fleet import AT, company
from tests.billing.by_hand import Books, weight
from tests.billing.fleets import (
    ALONE,
    FAMILY,
    NOON,
    ONE,
    OTHER,
    STRANGER,
    applied,
    bought,
    fleets,
    machines,
    owners,
    purchases,
    running,
)

# Sizes that weigh the same, or nothing, and zones of which the id or the name is not known.
_types = st.sampled_from(
    ["m5.metal", "m5.24xlarge", "m5.huge", "t3.nano", "t3.micro", "t3.2xlarge"]
)
_zones = st.sampled_from([("a", "az-1"), ("b", "az-2"), ("a", ""), ("", "az-1"), ("", "")])
_accounts = st.sampled_from([ONE, OTHER, ONE, OTHER, ALONE, STRANGER])


@st.composite
def crowds(draw):
    """Fleets in which much meets, and not all is recorded."""
    things = st.lists(purchases(), min_size=1, max_size=6), st.lists(machines(), min_size=1)
    return tuple([_placed(draw, thing) for thing in draw(some)] for some in things)


def _placed(draw, thing):
    zone, zone_id = draw(_zones)
    return replace(
        thing,
        account=draw(_accounts),
        region="us-east-1",
        instance_type=draw(_types),
        zone=zone,
        zone_id=zone_id,
        tenancy="default",
    )


anywhere = st.one_of(fleets, crowds())
anybody = st.one_of(st.just(FAMILY), owners)


@settings(max_examples=150)
@given(anywhere, anybody)
def test_every_cover_is_that_by_hand_in_its_order(fleet, family):
    buys, runs = fleet

    uses = applied(buys, runs, family).purchases

    found = {aws_id: list(use.covers) for aws_id, use in uses.items()}
    assert found == Books.of(buys, runs, family, NOON).covers()


@settings(max_examples=150)
@given(anywhere, anybody)
def test_as_much_is_used_as_can_be_in_any_order(fleet, family):
    """What circles hold stays apart, so none can use more where all together can't."""
    buys, runs = fleet

    uses = applied(buys, runs, family).purchases

    used = sum((uses[each.aws_id].used * weight(each) for each in buys), Fraction(0))
    assert used == Books.of(buys, runs, family, NOON).most()


def test_in_a_large_company_purchases_pay_what_instances_are_paid():
    found = company(5_000, 500)

    coverage = apply(found.purchases, found.machines, found.owners, at=AT)

    uses, shares = coverage.purchases, coverage.machines
    paid = sum((uses[each.aws_id].used * weight(each) for each in found.purchases), Fraction(0))
    assert paid > 0
    assert paid == sum(shares[each.aws_id] * weight(each) for each in found.machines)
    counts = {each.aws_id: each.count for each in found.purchases}
    assert {aws_id: use.used + use.idle for aws_id, use in uses.items()} == counts
    assert min(min(use.used, use.idle) for use in uses.values()) == 0
    assert all(0 <= share <= 1 for share in shares.values())


def test_what_shares_nothing_is_passed_over_however_small_it_is():
    machines = [
        running("i-small", "m5.large", account=ALONE),
        running("i-large", "m5.xlarge", account=OTHER),
    ]

    assert applied([bought("m5.xlarge")], machines).machines == {"i-small": 0, "i-large": 1}
