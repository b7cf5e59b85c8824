from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.counterfactual import Counterfactual, Effect
from registry.billing.situation import Situation
from tests.billing.fleets import (
    ALONE,
    FAMILY,
    NOON,
    OTHER,
    PLAIN,
    RHEL,
    RHEL_BYOL,
    RHEL_RI,
    applied,
    bought,
    fleets,
    running,
    zonal,
)

HALF = Fraction(1, 2)
PRO = "RunInstances:0g00"  # no purchase pays for it


def counterfactual(purchases, machines):
    return Counterfactual(Situation(purchases, machines, FAMILY, at=NOON))


def effect(purchases, machines, correction):
    return counterfactual(purchases, machines).together({"it": correction})


def red_hat(number=1, **fields):
    return bought("m5.large", number, **{"platform": RHEL_RI, "aws_id": "ri-rhel"} | fields)


def linux(number=1, **fields):
    return bought("m5.large", number, **{"aws_id": "ri-linux"} | fields)


@pytest.mark.parametrize(
    ("purchases", "machines", "gained", "lost", "cost"),
    [
        pytest.param(
            [red_hat(3)],
            [running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=RHEL)],
            {"ri-rhel": 1},
            {},
            "0.15",
            id="what is idle is used",
        ),
        pytest.param(
            [red_hat()],
            [running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=RHEL)],
            {},
            {},
            "0",
            id="what is used already is not used twice",
        ),
        pytest.param(
            [red_hat(), linux(recurring_hourly=Decimal("0.05"))],
            [running("i-1", "m5.large")],
            {"ri-rhel": 1},
            {"ri-linux": 1},
            "0.10",
            id="another purchase becomes idle",
        ),
        pytest.param(
            [linux()], [running("i-1", "m5.large")], {}, {"ri-linux": 1}, "-0.15", id="only idle"
        ),
        pytest.param(
            [red_hat(), linux()],
            [running("i-1", "m5.large"), running("i-2", "m5.large")],
            {"ri-rhel": 1},
            {},
            "0.15",
            id="another instance takes its place",
        ),
        pytest.param(
            [red_hat(), linux()],
            [running("i-1", "m5.large"), running("i-2", "m5.large", account=OTHER)],
            {"ri-rhel": 1},
            {},
            "0.15",
            id="one of another account as well",
        ),
        pytest.param(
            [red_hat(), linux()],
            [running("i-1", "m5.large"), running("i-2", "m5.large", account=ALONE)],
            {"ri-rhel": 1},
            {"ri-linux": 1},
            "0",
            id="but not one that shares nothing",
        ),
        pytest.param(
            [red_hat(), linux()],
            [running("i-1", "m5.large"), running("i-2", "m5.xlarge", usage_operation=RHEL_BYOL)],
            {"ri-rhel": 1},
            {},
            "0.15",
            id="half of a larger one",
        ),
        pytest.param(
            [red_hat(account=ALONE)],
            [running("i-1", "m5.large")],
            {},
            {},
            "0",
            id="a purchase out of reach",
        ),
        pytest.param(
            [red_hat()], [running("i-1", "m5.xlarge")], {}, {}, "0", id="a size that cannot flex"
        ),
        pytest.param(
            [red_hat()], [running("i-1", "m5.large", state="stopped")], {}, {}, "0", id="stopped"
        ),
        pytest.param(
            [red_hat()], [running("i-1", "m5.large", lifecycle="spot")], {}, {}, "0", id="Spot"
        ),
        pytest.param(
            [red_hat()],
            [running("i-1", "m5.large", usage_operation=RHEL)],
            {},
            {},
            "0",
            id="right already",
        ),
        pytest.param([red_hat()], [], {}, {}, "0", id="not there"),
        pytest.param(
            [zonal("m5.large", platform=RHEL_RI, aws_id="ri-rhel")],
            [running("i-1", "m5.large", zone="us-east-1b", zone_id="use1-az2")],
            {},
            {},
            "0",
            id="another zone",
        ),
        pytest.param(
            [zonal("m5.large", platform=RHEL_RI, aws_id="ri-zonal"), red_hat(2)],
            [running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=RHEL)],
            {"ri-rhel": 1},
            {},
            "0.15",
            id="the zonal one is used",
        ),
    ],
)
def test_what_one_code_changes(purchases, machines, gained, lost, cost):
    found = effect(purchases, machines, {"i-1": RHEL})

    assert found == Effect(gained, lost, Decimal(cost))
    assert found.purchases == tuple(gained)
    assert found.units == sum(gained.values()) - sum(lost.values())


def test_units_are_exact_and_in_the_type_of_the_purchase():
    machine = running("i-1", "m5.large", usage_operation=RHEL)

    found = effect([bought("m5.xlarge", aws_id="ri-1")], [machine], {"i-1": RHEL_BYOL})

    assert (found.gained, found.hourly) == ({"ri-1": HALF}, Decimal("0.075"))


def test_a_code_that_no_purchase_pays_for_takes_its_instance_away():
    found = effect([linux()], [running("i-1", "m5.large")], {"i-1": PRO})

    assert (found.lost, found.hourly) == ({"ri-linux": 1}, Decimal("-0.15"))


def test_without_its_price_the_money_is_not_known_but_the_units_are():
    found = effect([red_hat(fixed_price=None)], [running("i-1", "m5.large")], {"i-1": RHEL})

    assert found == Effect({"ri-rhel": Fraction(1)}, {}, None, is_certain=True)


def test_what_would_be_used_of_light_utilization_is_worth_what_it_costs_idle():
    light = red_hat(
        offering_type="Light Utilization",
        fixed_price=Decimal(876),
        usage_price=Decimal("0.05"),
        recurring_hourly=Decimal(0),
        duration_seconds=31_536_000,
    )

    found = effect([light], [running("i-1", "m5.large")], {"i-1": RHEL})

    assert found.hourly == Decimal("0.1")


def test_a_price_that_is_not_concerned_may_be_unknown():
    purchases = [red_hat(), linux(fixed_price=None, region="eu-west-1")]

    found = effect(purchases, [running("i-1", "m5.large")], {"i-1": RHEL})

    assert found.hourly == Decimal("0.15")


@pytest.mark.parametrize(
    ("purchases", "machines"),
    [
        pytest.param(
            [red_hat()],
            [running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=None)],
            id="an instance whose code was never recorded may use it",
        ),
        pytest.param(
            [red_hat()],
            [running("i-1", "m5.large", usage_operation=None)],
            id="its own code was never recorded",
        ),
        pytest.param(
            [red_hat()], [running("i-1", "m5.large", state="")], id="whether it runs is not known"
        ),
        pytest.param(
            [red_hat(state="")],
            [running("i-1", "m5.large")],
            id="whether the purchase is active is not known",
        ),
        pytest.param(
            [zonal("m5.large", platform=RHEL_RI)],
            [running("i-1", "m5.large", zone="", zone_id="")],
            id="where it runs is not known",
        ),
        pytest.param(
            [zonal("m5.large", platform=RHEL_RI, zone_id="")],
            [running("i-1", "m5.large", zone="", account=OTHER)],
            id="which zone was bought is not known elsewhere",
        ),
    ],
)
def test_what_depends_on_what_was_never_recorded_is_not_certain(purchases, machines):
    found = effect(purchases, machines, {"i-1": RHEL})

    assert (found.hourly, found.is_certain) == (None, False)


def test_names_of_zones_compare_in_their_own_account():
    purchase = zonal("m5.large", platform=RHEL_RI, zone_id="", aws_id="ri-1")
    machine = running("i-1", "m5.large", zone_id="")

    found = effect([purchase], [machine], {"i-1": RHEL})

    assert found == Effect({"ri-1": Fraction(1)}, {}, Decimal("0.15"))


def test_the_best_comes_first_by_money_then_by_units():
    purchases = [
        red_hat(3),
        bought("c5.large", 9, platform=RHEL_RI, recurring_hourly=Decimal(1), aws_id="ri-dear"),
        bought("r5.large", 9, platform=RHEL_RI, fixed_price=None, aws_id="ri-unpriced"),
        bought("t3.large", 1),
    ]
    machines = [
        *(running(f"i-{number}", "m5.large") for number in range(3)),
        running("i-dear", "c5.large"),
        running("i-unpriced", "r5.large"),
        running("i-lost", "t3.large"),
    ]
    corrections = {
        "worse": {"i-lost": RHEL},
        "nothing": {},
        "one": {"i-0": RHEL},
        "unpriced": {"i-unpriced": RHEL},
        "two": {"i-1": RHEL, "i-2": RHEL},
        "also one": {"i-1": RHEL},
        "dear": {"i-dear": RHEL},
    }

    found = counterfactual(purchases, machines).effects(corrections)

    assert list(found) == ["dear", "two", "one", "also one", "unpriced", "nothing", "worse"]


def test_two_that_compete_for_one_purchase_share_it():
    machines = [running(f"i-{number}", "m5.large") for number in range(3)]
    corrections = {"one": {"i-0": RHEL}, "two": {"i-1": RHEL, "i-2": RHEL}}
    asked = counterfactual([red_hat(2)], machines)

    assert [each.units for each in asked.effects(corrections).values()] == [2, 1]
    assert asked.together(corrections).units == 2
    assert [each.units for each in asked.shares(corrections).values()] == [1, 1]


def test_an_instance_that_two_correct_is_corrected_once():
    corrections = {"first": {"i-1": RHEL}, "second": {"i-1": PRO}}
    machines = [running("i-1", "m5.large"), running("i-2", "m5.large")]
    asked = counterfactual([red_hat(), linux()], machines)

    assert asked.together(corrections).gained == {"ri-rhel": 1}
    assert [each.units for each in asked.shares(corrections).values()] == [1, 0]


def test_shares_are_rounded_so_that_they_sum_up():
    """A third of $0.00000001 thrice is no more and no less than one."""
    purchase = red_hat(3, recurring_hourly=Decimal("0.00000001") / 3)
    machines = [running(f"i-{number}", "m5.large") for number in range(3)]
    corrections = {number: {f"i-{number}": RHEL} for number in range(3)}

    asked = counterfactual([purchase], machines)

    assert asked.together(corrections).hourly == Decimal("0.00000001")
    assert sum(each.hourly for each in asked.shares(corrections).values()) == Decimal("0.00000001")


prices = st.sampled_from([Decimal("0.15"), Decimal("0.07"), Decimal(1) / 3, None])
codes = st.sampled_from([PLAIN, RHEL, RHEL_BYOL, PRO])


@st.composite
def questions(draw):
    """Purchases, instances, and corrections of some of them, which may overlap."""
    purchases, machines = draw(fleets)
    purchases = [replace(each, recurring_hourly=draw(prices)) for each in purchases]
    ids = [machine.aws_id for machine in machines] or ["i-none"]
    correction = st.dictionaries(st.sampled_from(ids), codes, max_size=4)
    return purchases, machines, draw(st.dictionaries(st.integers(0, 9), correction, max_size=4))


def corrected(machines, corrections):
    """The fleet once all is corrected; what is given first counts."""
    every: dict[str, str | None] = {}
    for correction in reversed(corrections.values()):
        every |= correction
    return [
        replace(each, usage_operation=every.get(each.aws_id, each.usage_operation))
        for each in machines
    ]


@settings(max_examples=60)
@given(questions())
def test_all_together_is_the_difference_of_two_applications(question):
    purchases, machines, corrections = question
    before = applied(purchases, machines).purchases
    after = applied(purchases, corrected(machines, corrections)).purchases

    found = counterfactual(purchases, machines).together(corrections)

    changes = {aws_id: after[aws_id].used - before[aws_id].used for aws_id in before}
    assert found.gained == {aws_id: units for aws_id, units in changes.items() if units > 0}
    assert found.lost == {aws_id: -units for aws_id, units in changes.items() if units < 0}
    if found.hourly is not None:
        price = {each.aws_id: each.recurring_hourly for each in purchases}
        money = sum(Fraction(price[aws_id]) * units for aws_id, units in changes.items() if units)
        assert abs(Fraction(found.hourly) - money) <= Fraction(1, 2 * 10**8)
    elif found.is_certain:
        assert any(changes[each.aws_id] for each in purchases if each.recurring_hourly is None)


@settings(max_examples=60)
@given(questions())
def test_the_shares_sum_up_to_all_together(question):
    purchases, machines, corrections = question
    asked = counterfactual(purchases, machines)

    together, shares = asked.together(corrections), asked.shares(corrections)

    assert list(shares) == list(corrections)
    for purchase in purchases:
        assert net(together, purchase) == sum(net(share, purchase) for share in shares.values())
    if all(share.hourly is not None for share in shares.values()):
        assert together.hourly == sum(share.hourly for share in shares.values())


def net(effect, purchase):
    return effect.gained.get(purchase.aws_id, 0) - effect.lost.get(purchase.aws_id, 0)


@settings(max_examples=60)
@given(questions())
def test_an_effect_stays_within_what_is_idle_and_what_is_used(question):
    purchases, machines, corrections = question
    uses = applied(purchases, machines).purchases

    found = counterfactual(purchases, machines).effects(corrections)

    for each in found.values():
        assert all(0 < units <= uses[aws_id].idle for aws_id, units in each.gained.items())
        assert all(0 < units <= uses[aws_id].used for aws_id, units in each.lost.items())
