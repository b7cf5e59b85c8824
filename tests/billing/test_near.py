"""Of alike instances, only those count of accounts with which the buyer shares, or does not."""

import pytest

from registry.billing.fleet import Owner
from registry.billing.idle import Reason
from registry.billing.likeness import Kind, Profile, Ties, Wanted
from registry.billing.near import Group, Surroundings, Whose
from tests.billing.fleets import ALONE, ONE, OTHER, RHEL_RI, applied, bought, running

OPEN, CLOSED, WALLED = Ties(True, ""), Ties(False, ""), Ties(True, "red")
LIKE = Profile(ONE, "us-east-1", "m5.large", "Linux/UNIX", "default", "use1-az1")


def causes(owners, *accounts):
    """Why a purchase of ONE for Red Hat is idle while others run plain Linux."""
    machines = [running(f"i-{account}", "m5.large", account=account) for account in accounts]
    found = applied([bought("m5.large", platform=RHEL_RI, aws_id="ri-1")], machines, owners)
    return found.purchases["ri-1"].reasons


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param([Owner(ONE, ONE), Owner(ALONE, ONE, sharing=False)], id="shares nothing"),
        pytest.param(
            [Owner(ONE, ONE), Owner(ALONE, ONE, group="red", is_restricted=True)], id="walled in"
        ),
    ],
)
def test_of_alike_instances_only_those_are_named_that_are_as_near(apart):
    owners = (*apart, Owner(OTHER, ONE))

    assert causes(owners, ALONE, OTHER) == (Reason("wrong_platform", (f"i-{OTHER}",)),)
    assert causes(owners, ALONE) == (
        Reason("wrong_platform", (f"i-{ALONE}",)),
        Reason("other_account_sharing_off", (f"i-{ALONE}",)),
    )


def test_two_that_share_nothing_do_not_share_with_each_other():
    owners = (Owner(ONE, ONE, sharing=False), Owner(ALONE, ONE, sharing=False))
    machines = [running("i-1", "m5.large", account=ALONE)]

    found = applied([bought("m5.large", aws_id="ri-1")], machines, owners).purchases["ri-1"]

    assert found.reasons == (Reason("other_account_sharing_off", ("i-1",)),)


@pytest.mark.parametrize(
    ("buyer", "ties", "accounts", "there"),
    [
        pytest.param(ONE, OPEN, {ONE: OPEN}, {Whose.OWN}, id="its own"),
        pytest.param(ONE, CLOSED, {ONE: CLOSED}, {Whose.OWN}, id="its own, sharing nothing"),
        pytest.param(ONE, OPEN, {OTHER: OPEN}, {Whose.SHARED}, id="of one that shares"),
        pytest.param(ONE, OPEN, {OTHER: CLOSED}, {Whose.APART}, id="of one that does not"),
        pytest.param(ONE, CLOSED, {OTHER: CLOSED}, {Whose.APART}, id="neither shares"),
        pytest.param(ONE, OPEN, {OTHER: WALLED}, {Whose.APART}, id="behind a wall"),
        pytest.param(
            ONE, WALLED, {ONE: WALLED, OTHER: WALLED}, {Whose.OWN, Whose.SHARED}, id="red"
        ),
        pytest.param(
            ONE, OPEN, {ONE: OPEN, OTHER: OPEN, ALONE: CLOSED}, set(Whose), id="of each sort"
        ),
    ],
)
def test_whose_the_instances_of_a_group_are(buyer, ties, accounts, there):
    group, around = Group(LIKE), Surroundings(accounts, {})
    for account in accounts:
        group.add(account, (f"i-{account}",))
    wanted = Wanted(Kind(LIKE, is_flexible=False), buyer, ties)

    assert {whose for whose in Whose if group.is_there(wanted, whose, around)} == there
    assert {whose for whose in Whose if group.left(wanted, whose, around)} == there
    assert sum(group.left(wanted, whose, around) for whose in Whose) == len(accounts)
