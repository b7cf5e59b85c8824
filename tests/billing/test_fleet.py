from datetime import timedelta

import pytest

from registry.billing.fleet import Owner
from tests.billing.fleets import NOON, bought, running

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fields", "is_active"),
    [
        pytest.param({}, True, id="no times were recorded"),
        pytest.param({"start": NOON}, True, id="begins now"),
        pytest.param({"start": NOON + SECOND}, False, id="begins later"),
        pytest.param({"end": NOON + SECOND}, True, id="ends later"),
        pytest.param({"end": NOON}, False, id="ends now"),
        pytest.param({"start": NOON - SECOND, "end": NOON + SECOND}, True, id="in its term"),
        pytest.param({"state": "retired"}, False, id="retired"),
        pytest.param({"state": "queued"}, False, id="queued"),
        pytest.param({"state": "payment-pending"}, False, id="not paid yet"),
        pytest.param({"state": "payment-failed"}, False, id="not paid"),
        pytest.param({"state": "queued-deleted"}, False, id="never bought"),
        pytest.param({"state": ""}, False, id="a state never recorded"),
    ],
)
def test_a_purchase_pays_while_it_is_active(fields, is_active):
    assert bought("m5.large", **fields).is_active(NOON) is is_active


@pytest.mark.parametrize(
    ("fields", "is_on_demand", "can_be_paid"),
    [
        pytest.param({}, True, True, id="On-Demand"),
        pytest.param({"tenancy": "dedicated"}, True, True, id="dedicated"),
        pytest.param({"tenancy": "host"}, True, False, id="on a Dedicated Host"),
        pytest.param({"state": "stopped"}, True, False, id="stopped"),
        pytest.param({"state": "pending"}, True, False, id="not running yet"),
        pytest.param({"state": ""}, True, False, id="a state never recorded"),
        pytest.param({"lifecycle": "spot"}, False, False, id="Spot"),
        pytest.param({"lifecycle": "scheduled"}, False, False, id="scheduled"),
        pytest.param({"lifecycle": "capacity-block"}, False, False, id="capacity block"),
        pytest.param({"instance_type": "mac1.metal"}, False, False, id="a Mac"),
        pytest.param({"instance_type": "mac2-m2.metal"}, False, False, id="a newer Mac"),
        pytest.param({"instance_type": "mac-m4.metal"}, False, False, id="a Mac named otherwise"),
    ],
)
def test_what_a_purchase_may_pay_for(fields, is_on_demand, can_be_paid):
    machine = running("i-1", **{"instance_type": "m5.large"} | fields)

    assert (machine.is_on_demand, machine.can_be_paid) == (is_on_demand, can_be_paid)


@pytest.mark.parametrize(
    ("fields", "is_unclear"),
    [
        pytest.param({"state": ""}, True, id="a state never recorded"),
        pytest.param({"state": "", "end": NOON}, False, id="over, whatever its state"),
        pytest.param({"state": "", "start": NOON + SECOND}, False, id="not begun, whatever it is"),
        pytest.param({"state": "active"}, False, id="active"),
        pytest.param({"state": "retired"}, False, id="retired"),
    ],
)
def test_a_purchase_is_unclear_while_it_may_be_active(fields, is_unclear):
    assert bought("m5.large", **fields).is_unclear(NOON) is is_unclear


@pytest.mark.parametrize(
    ("state", "is_running"),
    [("running", True), ("stopped", False), ("pending", False), ("", None)],
    ids=["running", "stopped", "pending", "never recorded"],
)
def test_an_instance_runs_if_its_state_says_so(state, is_running):
    assert running("i-1", "m5.large", state=state).is_running is is_running


@pytest.mark.parametrize(
    ("fields", "may_be_paid"),
    [
        pytest.param({}, True, id="it runs"),
        pytest.param({"state": ""}, True, id="whether it runs is not known"),
        pytest.param({"state": "stopped"}, False, id="stopped"),
        pytest.param({"state": "", "tenancy": "host"}, False, id="on a Dedicated Host"),
        pytest.param({"state": "", "lifecycle": "spot"}, False, id="Spot"),
    ],
)
def test_a_purchase_may_pay_for_what_perhaps_runs(fields, may_be_paid):
    assert running("i-1", "m5.large", **fields).may_be_paid is may_be_paid


def test_an_account_shares_unless_it_says_not():
    assert Owner("1", "2").sharing
