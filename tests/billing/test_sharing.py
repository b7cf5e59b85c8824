from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings

from registry.billing.fleet import Owner
from registry.billing.sharing import EVERYBODY, Sharing, Users, by_payer
from tests.billing.by_hand import units
from tests.billing.fleets import (
    LINUX_RI,
    ONE,
    OTHER,
    RHEL,
    RHEL_RI,
    applied,
    bought,
    fits,
    fleets,
    owners,
    running,
    zonal,
)

BUYER, MATE, REST = ONE, OTHER, "888888888888"
PRIORITIZED = (
    Owner(BUYER, ONE, group="red"),
    Owner(MATE, ONE, group="red"),
    Owner(REST, ONE),
)
RESTRICTED = (
    Owner(BUYER, ONE, group="red", is_restricted=True),
    Owner(MATE, ONE, group="red", is_restricted=True),
    Owner(REST, ONE),
)
EVERYWHERE = (Owner(BUYER, ONE), Owner(MATE, ONE), Owner(REST, ONE))
ORGANIZATION = pytest.param(EVERYWHERE, id="organization-wide")
GROUP_FIRST = pytest.param(PRIORITIZED, id="prioritized group")
GROUP_ONLY = pytest.param(RESTRICTED, id="restricted group")


def in_each(*accounts):
    """One instance of a kind in each account; the id of the rest's comes first."""
    return [running(f"i-{account[0]}", "m5.large", account=account) for account in accounts]


def used_by(purchases, machines, family):
    covered = applied(purchases, machines, family).machines
    return [aws_id for aws_id, share in covered.items() if share]


@pytest.mark.parametrize("buy", [bought, zonal], ids=["regional", "zonal"])
@pytest.mark.parametrize(
    ("family", "number", "expected"),
    [
        pytest.param(EVERYWHERE, 1, [BUYER], id="organization-wide: the owner first"),
        pytest.param(EVERYWHERE, 3, [BUYER, MATE, REST], id="organization-wide: then all"),
        pytest.param(PRIORITIZED, 1, [BUYER], id="prioritized: the owner first"),
        pytest.param(PRIORITIZED, 2, [BUYER, MATE], id="prioritized: then the group"),
        pytest.param(PRIORITIZED, 3, [BUYER, MATE, REST], id="prioritized: then the rest"),
        pytest.param(RESTRICTED, 1, [BUYER], id="restricted: the owner first"),
        pytest.param(RESTRICTED, 3, [BUYER, MATE], id="restricted: then the group only"),
    ],
)
def test_the_three_ways_of_an_organization(buy, family, number, expected):
    purchases = [buy("m5.large", number, account=BUYER)]

    assert used_by(purchases, in_each(BUYER, MATE, REST), family) == [
        f"i-{account[0]}" for account in expected
    ]


@pytest.mark.parametrize("buy", [bought, zonal], ids=["regional", "zonal"])
def test_the_group_comes_first_though_others_come_first_by_number(buy):
    family = (Owner(ONE, ONE), Owner(MATE, ONE, group="red"), Owner(REST, ONE, group="red"))
    purchases = [buy("m5.large", account=REST)]

    assert used_by(purchases, in_each(ONE, MATE), family) == [f"i-{MATE[0]}"]


@pytest.mark.parametrize("family", [ORGANIZATION, GROUP_FIRST, GROUP_ONLY])
@pytest.mark.parametrize("off", [BUYER, MATE])
def test_both_accounts_must_be_on(family, off):
    switched = [replace(each, sharing=each.account != off) for each in family]
    purchases = [bought("m5.large", 3, account=BUYER)]

    assert used_by(purchases, in_each(MATE), tuple(switched)) == []


@pytest.mark.parametrize("family", [ORGANIZATION, GROUP_FIRST, GROUP_ONLY])
def test_unused_zonal_ones_of_others_come_before_ones_own_regional_ones(family):
    purchases = [
        own := bought("m5.large", account=MATE),
        others := zonal("m5.large", account=BUYER),
    ]

    uses = applied(purchases, in_each(MATE), family).purchases

    assert [uses[one.aws_id].used for one in (others, own)] == [1, 0]


def test_a_zonal_one_of_the_rest_comes_before_a_regional_one_of_the_group():
    purchases = [
        regional := bought("m5.large", account=BUYER),
        of_rest := zonal("m5.large", account=REST),
    ]

    uses = applied(purchases, in_each(MATE), PRIORITIZED).purchases

    assert [uses[one.aws_id].used for one in (of_rest, regional)] == [1, 0]


def test_what_groups_leave_goes_to_the_others_once():
    """Two groups pay for themselves first; one unit is left, and three instances want it."""
    family = (
        Owner("1", ONE, group="red"),
        Owner("2", ONE, group="red"),
        Owner("3", ONE, group="blue"),
        Owner("4", ONE),
    )
    purchases = [bought("m5.large", 2, account="1"), bought("m5.large", 1, account="4")]
    machines = [
        running(f"i-{account}{number}", "m5.large", account=account)
        for account in ("2", "3")
        for number in range(2)
    ]

    covered = applied(purchases, machines, family).machines

    assert covered == {"i-20": 1, "i-21": 1, "i-30": 1, "i-31": 0}


@pytest.mark.parametrize("buy", [bought, zonal], ids=["regional", "zonal"])
@pytest.mark.parametrize(
    ("buyers", "expected"),
    [
        pytest.param(["1", "2"], [1, 0], id="two of the group"),
        pytest.param(["1", "4"], [1, 0], id="one of the group and one of the others"),
        pytest.param(["4", "1"], [0, 1], id="whatever their order"),
        pytest.param(["4", "5"], [1, 0], id="two of the others"),
    ],
)
def test_an_instance_is_paid_for_once(buy, buyers, expected):
    family = (
        *(Owner(account, ONE, group="red") for account in ("1", "2", "3")),
        *(Owner(account, ONE) for account in ("4", "5")),
    )
    purchases = [buy("m5.large", 1, account=account) for account in buyers]

    uses = applied(purchases, [running("i-1", "m5.large", account="3")], family).purchases

    assert [uses[each.aws_id].used for each in purchases] == expected


def test_groups_of_two_payers_have_nothing_in_common_but_a_name():
    family = (Owner(BUYER, BUYER, group="red"), Owner(MATE, MATE, group="red"))

    assert used_by([bought("m5.large", account=BUYER)], in_each(MATE), family) == []


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        pytest.param(Owner("1", ONE), (None, EVERYBODY), id="of no group"),
        pytest.param(Owner("1", ONE, sharing=False), (None, None), id="off"),
        pytest.param(Owner("1", ONE, sharing=False, group="red"), (None, None), id="off, grouped"),
        pytest.param(Owner("1", ONE, group="red"), (Users(group="red"), EVERYBODY), id="grouped"),
        pytest.param(
            Owner("1", ONE, group="red", is_restricted=True),
            (Users(group="red"), None),
            id="restricted",
        ),
        pytest.param(
            Owner("1", ONE, is_restricted=True), (None, None), id="restricted, but of no group"
        ),
        pytest.param(
            Owner("1", ONE, group="blue"), (Users(group="blue"), None), id="restricted by another"
        ),
    ],
)
def test_with_whom_an_account_shares(account, expected):
    sharing = Sharing.of([account, Owner("2", ONE, group="blue", is_restricted=True)])

    assert (sharing.group("1"), sharing.others("1")) == expected


def test_a_group_and_an_account_of_one_name_are_two():
    assert Users(account=ONE) != Users(group=ONE)


def test_each_payer_has_switches_of_its_own():
    family = [Owner("1", "1", group="red", is_restricted=True), Owner("2", "2", group="red")]

    assert by_payer(family)["2"] == Sharing(groups={"2": "red"})


@pytest.mark.parametrize(
    ("family", "account", "expected"),
    [
        pytest.param(RESTRICTED, REST, ["other_account_sharing_off"], id="beyond the group"),
        pytest.param(RESTRICTED, MATE, ["wrong_platform"], id="within the group"),
        pytest.param(PRIORITIZED, REST, ["wrong_platform"], id="a group that shares with all"),
    ],
)
def test_a_restricted_group_is_a_cause_beyond_it(family, account, expected):
    code = None if expected == ["other_account_sharing_off"] else RHEL
    fields = {"usage_operation": code} if code else {}
    machines = [running("i-1", "m5.large", account=account, **fields)]

    use = applied([purchase := bought("m5.large", account=BUYER)], machines, family)

    assert [reason.code for reason in use.purchases[purchase.aws_id].reasons] == expected


@settings(max_examples=100)
@given(fleets, owners)
def test_units_are_conserved_and_nothing_is_missed(fleet, family):
    """Covered and idle are what was bought; covered and On-Demand are what runs."""
    purchases, machines = fleet
    by_id = {machine.aws_id: machine for machine in machines}

    found = applied(purchases, machines, family)

    shares = dict.fromkeys(by_id, Fraction(0))
    for purchase in purchases:
        use, paid = found.purchases[purchase.aws_id], Fraction(0)
        for cover in use.covers:
            assert fits(purchase, by_id[cover.instance_id], family)
            shares[cover.instance_id] += cover.fraction
            paid += cover.fraction * units(purchase, by_id[cover.instance_id])
        assert (use.used, use.used + use.idle) == (paid, purchase.count)
    assert found.machines == {
        aws_id: share for aws_id, share in shares.items() if by_id[aws_id].state == "running"
    }
    assert all(0 <= share <= 1 for share in shares.values())
    assert not [
        (purchase, machine)
        for purchase in purchases
        for machine in machines
        if fits(purchase, machine, family)
        and found.purchases[purchase.aws_id].idle
        and shares[machine.aws_id] < 1
    ]


def test_platforms_stay_apart_in_a_group():
    purchases = [
        bought("m5.large", account=BUYER, platform=RHEL_RI),
        bought("m5.large", account=BUYER, platform=LINUX_RI),
    ]
    machines = [running("i-1", "m5.large", account=MATE, usage_operation=RHEL)]

    assert [use.used for use in applied(purchases, machines, RESTRICTED).purchases.values()] == [
        1,
        0,
    ]
