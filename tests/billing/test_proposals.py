from registry.billing.change import Change
from registry.billing.counterfactual import Counterfactual
from registry.billing.proposals import (
    CAUSE,
    IMAGE,
    REGION,
    SHARING,
    Candidate,
    moves_and_shares,
    ranked,
)
from registry.billing.situation import Situation
from tests.billing.fleets import ALONE, FAMILY, NOON, RHEL, RHEL_RI, bought, running, zonal

B = {"zone": "us-east-1b", "zone_id": "use1-az2"}


def situation(purchases, machines):
    return Situation(purchases, machines, FAMILY, at=NOON)


def corrected(name, *ids, kind=IMAGE):
    return Candidate(kind, name, Change(codes=dict.fromkeys(ids, RHEL)))


def test_the_dearest_comes_first_and_what_uses_nothing_is_left_out():
    machines = [running(f"i-{number}", "m5.large") for number in range(3)]
    red_hat = bought("m5.large", 3, platform=RHEL_RI, aws_id="ri")
    every = [
        corrected("ami-one", "i-0"),
        corrected("ami-gone", "i-gone"),
        corrected("ami-two", "i-1", "i-2"),
    ]

    found = ranked(Counterfactual(situation([red_hat], machines)), every)

    assert [(each.name, each.instances) for each in found] == [("ami-two", 2), ("ami-one", 1)]


def test_a_cause_adds_nothing_to_its_images():
    machines = [running(f"i-{number}", "m5.large") for number in range(2)]
    red_hat = bought("m5.large", 2, platform=RHEL_RI, aws_id="ri")
    every = [corrected("ami-0", "i-0"), corrected("ami-1", "i-1")]
    cause = corrected("ami-base", "i-0", "i-1", kind=CAUSE)

    found = ranked(Counterfactual(situation([red_hat], machines)), [*every, cause])

    assert [each.kind for each in found] == [CAUSE, IMAGE, IMAGE]
    assert found[0].adds is None
    assert sum(each.adds.units for each in found if each.adds) == found[0].effect.units == 2


def test_purchases_that_could_move_and_accounts_that_could_share_are_candidates():
    here = situation([zonal("m5.large", aws_id="ri")], [running("i-1", "m5.large", **B)])

    found = [(each.kind, each.name) for each in moves_and_shares(here, Counterfactual(here))]

    assert found == [(REGION, "ri"), (SHARING, ALONE)]
