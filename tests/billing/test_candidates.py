import pytest

from registry.billing.candidates import to_region, to_share, to_zones
from registry.billing.change import REGION, Change
from registry.billing.counterfactual import Counterfactual
from registry.billing.situation import Situation
from tests.billing.fleets import (
    ALONE,
    FAMILY,
    NOON,
    OTHER,
    RHEL,
    STRANGER,
    bought,
    running,
    zonal,
)

B = {"zone": "us-east-1b", "zone_id": "use1-az2"}
UNNAMED = {"zone": "us-east-1b", "zone_id": ""}


def asked(purchases, machines):
    situation = Situation(purchases, machines, FAMILY, at=NOON)
    return situation, Counterfactual(situation)


def test_an_idle_zonal_purchase_may_move_to_the_region():
    moves = to_region(*asked([zonal("m5.large", aws_id="ri")], [running("i-1", "m5.xlarge", **B)]))

    assert moves == {"ri": Change(zones={"ri": REGION})}


@pytest.mark.parametrize(
    ("purchase", "machine"),
    [
        pytest.param(bought("m5.large"), running("i-1", "m5.large", account=ALONE), id="regional"),
        pytest.param(zonal("m5.large"), running("i-1", "m5.large"), id="used"),
        pytest.param(zonal("m5.large"), running("i-1", "m5.large", state="stopped"), id="stopped"),
        pytest.param(
            zonal("m5.large"), running("i-1", "m5.large", usage_operation=RHEL), id="another code"
        ),
        pytest.param(
            zonal("m5.large"), running("i-1", "m5.large", account=STRANGER, **B), id="a stranger's"
        ),
        pytest.param(
            zonal("m5.large", state="retired"), running("i-1", "m5.large", **B), id="over"
        ),
    ],
)
def test_a_purchase_that_finds_nothing_elsewhere_stays(purchase, machine):
    assert to_region(*asked([purchase], [machine])) == {}
    assert to_zones(*asked([purchase], [machine])) == {}


def test_it_may_move_to_each_zone_in_which_its_type_runs():
    machines = [
        running("i-0", "m5.large"),
        running("i-1", "m5.large", **B),
        running("i-2", "m5.large", account=OTHER, zone="us-east-1f", zone_id="use1-az3"),
        running("i-3", "m5.xlarge", zone="us-east-1d", zone_id="use1-az4"),
    ]

    moves = to_zones(*asked([zonal("m5.large", 2, aws_id="ri")], machines))

    assert moves == {("ri", zone): Change(zones={"ri": zone}) for zone in ("use1-az2", "use1-az3")}


def test_to_a_zone_of_which_only_a_name_is_known_nothing_is_moved():
    machine = running("i-1", "m5.large", **UNNAMED)

    assert to_zones(*asked([zonal("m5.large")], [machine])) == {}


def test_accounts_that_do_not_share_could():
    situation, _ = asked([], [])

    assert to_share(situation) == {ALONE: Change(sharing=frozenset({ALONE}))}
