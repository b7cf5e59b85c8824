from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.change import REGION, Change, merged
from registry.billing.counterfactual import Counterfactual
from registry.billing.situation import Situation
from tests.billing.fleets import (
    ALONE,
    FAMILY,
    NOON,
    ONE,
    OTHER,
    PLAIN,
    RHEL,
    RHEL_RI,
    STRANGER,
    applied,
    bought,
    fleets,
    running,
    zonal,
)

B = {"zone": "us-east-1b", "zone_id": "use1-az2"}
TO_REGION, TO_B = Change(zones={"ri": REGION}), Change(zones={"ri": "use1-az2"})
SHARED = Change(sharing=frozenset({ALONE}))


def effect(purchases, machines, change, owners=FAMILY):
    situation = Situation(purchases, machines, owners, at=NOON)
    return Counterfactual(situation).together({"it": change})


@pytest.mark.parametrize(
    ("purchases", "machines", "change", "gained", "lost"),
    [
        pytest.param(
            [zonal("m5.large", aws_id="ri")],
            [running("i-1", "m5.large", **B)],
            TO_REGION,
            {"ri": 1},
            {},
            id="a purchase moves to the region",
        ),
        pytest.param(
            [zonal("m5.large", aws_id="ri")],
            [running("i-1", "m5.xlarge")],
            TO_REGION,
            {"ri": 1},
            {},
            id="there its size flexes",
        ),
        pytest.param(
            [zonal("m5.large", aws_id="ri", platform=RHEL_RI)],
            [running("i-1", "m5.xlarge", usage_operation=RHEL)],
            TO_REGION,
            {},
            {},
            id="that of RHEL does not",
        ),
        pytest.param(
            [zonal("m5.large", aws_id="ri")],
            [running("i-1", "m5.large", **B)],
            TO_B,
            {"ri": 1},
            {},
            id="it moves to another zone",
        ),
        pytest.param(
            [zonal("m5.large", aws_id="ri")],
            [running("i-1", "m5.large")],
            TO_B,
            {},
            {"ri": 1},
            id="away from what it pays for",
        ),
        pytest.param(
            [zonal("m5.large", aws_id="ri"), bought("m5.large", aws_id="ri-2")],
            [running("i-1", "m5.large", **B)],
            TO_B,
            {"ri": 1},
            {"ri-2": 1},
            id="it takes the place of a regional one",
        ),
        pytest.param(
            [bought("m5.large", aws_id="ri", account=ALONE)],
            [running("i-1", "m5.large")],
            SHARED,
            {"ri": 1},
            {},
            id="an account shares what it bought",
        ),
        pytest.param(
            [bought("m5.large", aws_id="ri")],
            [running("i-1", "m5.large", account=ALONE)],
            SHARED,
            {"ri": 1},
            {},
            id="an account uses what is shared",
        ),
        pytest.param(
            [bought("m5.large", aws_id="ri")],
            [running("i-1", "m5.large", account=STRANGER)],
            SHARED,
            {},
            {},
            id="nothing is shared with another payer",
        ),
        pytest.param(
            [bought("m5.large", aws_id="ri", platform=RHEL_RI)],
            [running("i-1", "m5.large", account=ALONE)],
            Change(codes={"i-1": RHEL}, sharing=frozenset({ALONE})),
            {"ri": 1},
            {},
            id="it takes both a code and sharing",
        ),
        pytest.param(
            [zonal("m5.large", aws_id="ri", state="retired")],
            [running("i-1", "m5.large", **B)],
            TO_REGION,
            {},
            {},
            id="a purchase that is over moves nowhere",
        ),
    ],
)
def test_what_a_change_would_do(purchases, machines, change, gained, lost):
    found = effect(purchases, machines, change)

    assert (found.gained, found.lost) == (gained, lost)
    assert found.hourly == (len(gained) - len(lost)) * Decimal("0.15")


def test_two_accounts_that_share_nothing_need_both_to():
    owners = (unshared(ONE), unshared(OTHER))
    purchases, machines = [bought("m5.large")], [running("i-1", "m5.large", account=OTHER)]
    one, both = Change(sharing=frozenset({ONE})), Change(sharing=frozenset({ONE, OTHER}))

    assert effect(purchases, machines, one, owners).units == 0
    assert effect(purchases, machines, both, owners).units == 1


def unshared(account):
    return replace(FAMILY[0], account=account, sharing=False)


@pytest.mark.parametrize(
    ("purchase", "machine", "change"),
    [
        pytest.param({}, {"usage_operation": None}, TO_REGION, id="a code"),
        pytest.param({}, {"state": ""}, TO_REGION, id="a state"),
        pytest.param({"zone": "", "zone_id": ""}, {}, TO_REGION, id="its zone"),
        pytest.param(
            B, {"usage_operation": None, "account": ALONE}, SHARED, id="a code of who would share"
        ),
    ],
)
def test_what_was_never_recorded_leaves_a_change_unsure(purchase, machine, change):
    """Something else may use the purchase by then, or does already."""
    account = ALONE if change is SHARED else ONE
    known = running("i-1", "m5.large", account=account, **B)
    unclear = running("i-2", "m5.large", **B | machine)

    found = effect([zonal("m5.large", aws_id="ri", **purchase)], [known, unclear], change)

    assert not found.is_certain
    assert found.hourly is None


def test_a_purchase_whose_zone_was_never_recorded_may_pay_already():
    machine = running("i-1", "m5.large", **B)
    unclear = zonal("m5.large", aws_id="ri-2", zone="", zone_id="")

    found = effect([zonal("m5.large", aws_id="ri"), unclear], [machine], TO_REGION)

    assert found.hourly is None


def test_what_shares_by_now_also_shares_where_it_had_nothing_before():
    situation = Situation(
        [bought("m5.large", aws_id="ri", platform=RHEL_RI)],
        [running("i-1", "m5.large", account=ALONE)],
        FAMILY,
        at=NOON,
    )

    shares = Counterfactual(situation).shares({1: SHARED, 2: Change(codes={"i-1": RHEL})})

    assert [share.gained for share in shares.values()] == [{}, {"ri": 1}]


def test_an_account_that_shares_by_now_shares_what_was_corrected_before():
    purchases = [bought("m5.large", aws_id="ri", platform=RHEL_RI)]
    machines = [running("i-1", "m5.large", account=ALONE)]
    situation = Situation(purchases, machines, FAMILY, at=NOON)

    shares = Counterfactual(situation).shares({1: Change(codes={"i-1": RHEL}), 2: SHARED})

    assert [share.gained for share in shares.values()] == [{}, {"ri": 1}]


def test_what_shares_by_now_also_shares_where_others_changed_something_before():
    purchases = [bought("m5.large", 2, aws_id="ri", platform=RHEL_RI)]
    machines = [running("i-1", "m5.large"), running("i-2", "m5.large", account=ALONE)]
    situation = Situation(purchases, machines, FAMILY, at=NOON)
    changes = {1: Change(codes={"i-1": RHEL}), 2: SHARED, 3: Change(codes={"i-2": RHEL})}

    shares = Counterfactual(situation).shares(changes)

    assert [share.units for share in shares.values()] == [1, 0, 1]


def test_of_two_moves_of_one_purchase_the_first_counts():
    both = merged({1: TO_B, 2: TO_REGION})

    assert both == TO_B


_names = st.sampled_from(["us-east-1-az-a", "us-east-1-az-b", REGION])


@st.composite
def questions(draw):
    """Purchases, instances, and changes, which may overlap."""
    purchases, machines = draw(fleets)
    ids = st.sampled_from([each.aws_id for each in machines] or ["i-none"])
    bought_zonal = [each.aws_id for each in purchases if each.scope != "Region"]
    change = st.builds(
        Change,
        codes=st.dictionaries(ids, st.sampled_from([PLAIN, RHEL]), max_size=3),
        zones=st.dictionaries(st.sampled_from(bought_zonal or ["ri-none"]), _names, max_size=2),
        sharing=st.frozensets(st.sampled_from([ALONE, ONE]), max_size=2),
    )
    return purchases, machines, draw(st.dictionaries(st.integers(0, 9), change, max_size=4))


def net(effect, purchase):
    return effect.gained.get(purchase.aws_id, 0) - effect.lost.get(purchase.aws_id, 0)


@settings(max_examples=100)
@given(questions())
def test_all_together_is_the_difference_of_two_applications(question):
    purchases, machines, changes = question
    every = merged(changes)
    before = applied(purchases, machines).purchases
    after = applied(
        [moved(each, every.zones.get(each.aws_id)) for each in purchases],
        [
            replace(each, usage_operation=every.codes.get(each.aws_id, each.usage_operation))
            for each in machines
        ],
        tuple(
            replace(each, sharing=each.sharing or each.account in every.sharing) for each in FAMILY
        ),
    ).purchases

    situation = Situation(purchases, machines, FAMILY, at=NOON)
    found = Counterfactual(situation).together(changes)

    for purchase in purchases:
        name = purchase.aws_id
        assert net(found, purchase) == after[name].used - before[name].used


def moved(purchase, zone):
    if zone is None:
        return purchase
    if zone == REGION:
        return replace(purchase, scope="Region", zone="", zone_id="")
    return replace(purchase, zone="", zone_id=zone)


@settings(max_examples=100)
@given(questions())
def test_the_shares_sum_up_to_all_together(question):
    purchases, machines, changes = question
    asked = Counterfactual(Situation(purchases, machines, FAMILY, at=NOON))

    together, shares = asked.together(changes), asked.shares(changes)

    for purchase in purchases:
        added = sum((net(share, purchase) for share in shares.values()), Fraction(0))
        assert net(together, purchase) == added
    costs = [share.hourly for share in shares.values()]
    if None not in costs and together.is_certain:
        assert together.hourly == sum(cost or 0 for cost in costs)
