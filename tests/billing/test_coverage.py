from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.codes import TABLE
from registry.billing.fleet import Owner
from registry.billing.idle import Reason
from registry.billing.pool import Cover
from tests.billing.by_hand import units
from tests.billing.fleets import (
    ALONE,
    FAMILY,
    NOON,
    ONE,
    OTHER,
    PLAIN,
    RHEL,
    RHEL_BYOL,
    RHEL_RI,
    STRANGER,
    applied,
    bought,
    fits,
    fleets,
    running,
    size,
    use_of,
    zonal,
)

HALF, DAY = Fraction(1, 2), timedelta(days=1)


def covered(purchases, machines, owners=FAMILY):
    """The covered shares of the instances that are covered at all."""
    found = applied(purchases, machines, owners).machines
    return {aws_id: share for aws_id, share in found.items() if share}


def figures(use, *names):
    return tuple(getattr(use, name) for name in names)


@pytest.mark.parametrize(
    ("purchase", "sizes", "shares"),
    [
        pytest.param(
            bought("m4.large", 4), ["m4.xlarge", "m4.xlarge"], [1, 1], id="4 large, 2 xlarge"
        ),
        pytest.param(bought("c4.large"), ["c4.xlarge"], [HALF], id="half of a larger one"),
        pytest.param(
            bought("m3.2xlarge"),
            ["m3.xlarge", "m3.large", "m3.xlarge", "m3.large"],
            [1, 1, 0, 1],
            id="from the smallest to the largest",
        ),
        pytest.param(bought("t2.medium"), ["t2.small", "t2.small"], [1, 1], id="2 smaller ones"),
        pytest.param(bought("t2.medium"), ["t2.large"], [HALF], id="half of a large one"),
        pytest.param(bought("m5.metal"), ["m5.24xlarge"], [1], id="metal for its size"),
        pytest.param(bought("m5.24xlarge"), ["m5.metal"], [1], id="a size for its metal"),
        pytest.param(bought("i3.16xlarge"), ["i3.metal"], [1], id="i3.metal is 16xlarge"),
        pytest.param(bought("m7i.48xlarge"), ["m7i.metal-24xl"] * 2, [1, 1], id="metal of a size"),
        pytest.param(bought("t3.nano"), ["t3.micro"], [HALF], id="the smallest"),
        pytest.param(bought("t3.nano", 3), ["t3.small"], [Fraction(3, 4)], id="three quarters"),
        pytest.param(
            bought("m5.large", 1), ["m5.2xlarge", "m5.xlarge"], [0, HALF], id="the smaller first"
        ),
        pytest.param(bought("m5.large"), ["m5.huge", "m5.large"], [0, 1], id="an unknown size"),
        pytest.param(bought("m5.huge", 2), ["m5.huge", "m5.large"], [1, 0], id="bought as such"),
        pytest.param(bought("m5.large"), ["m5a.large"], [0], id="another family"),
        pytest.param(bought("g4dn.xlarge", 2), ["g4dn.2xlarge"], [0], id="a family that is fixed"),
        pytest.param(bought("g4dn.xlarge"), ["g4dn.xlarge"], [1], id="the same, exactly"),
        pytest.param(zonal("m5.large", 2), ["m5.xlarge"], [0], id="zonal is fixed"),
        pytest.param(bought("m5.large", 0), ["m5.large"], [0], id="none bought"),
        pytest.param(bought("m5.large", 3), [], [], id="nothing runs"),
    ],
)
def test_size_is_flexible_where_aws_says_so(purchase, sizes, shares):
    machines = [running(f"i-{number}", size) for number, size in enumerate(sizes)]

    found = applied([purchase], machines)

    assert [found.machines[machine.aws_id] for machine in machines] == shares


@pytest.mark.parametrize(
    "platform",
    [
        "Red Hat Enterprise Linux",
        "Red Hat Enterprise Linux with HA",
        "SUSE Linux",
        "Windows",
        "Windows with SQL Server Standard",
        "Linux with SQL Server Web",
    ],
)
def test_size_is_fixed_for_every_other_platform(platform):
    code = next(row.usage_operation for row in TABLE if row.reserved_platform == platform)
    machines = [
        running("i-other", "m5.large", usage_operation=code),
        running("i-same", "m5.xlarge", usage_operation=code),
    ]

    assert covered([bought("m5.xlarge", platform=platform)], machines) == {"i-same": 1}


def test_size_is_fixed_for_dedicated_instances():
    machines = [
        running("i-other", "m5.large", tenancy="dedicated"),
        running("i-same", "m5.xlarge", tenancy="dedicated"),
    ]

    assert covered([bought("m5.xlarge", tenancy="dedicated")], machines) == {"i-same": 1}


@pytest.mark.parametrize("code", [row.usage_operation for row in TABLE])
def test_a_code_is_paid_by_its_platform_and_by_no_other(code):
    platforms = {row.reserved_platform for row in TABLE} - {None} | {"Ubuntu Pro", "Windows BYOL"}
    wanted = next(row.reserved_platform for row in TABLE if row.usage_operation == code)
    machine = running("i-1", "m5.large", usage_operation=code)

    payers = {
        platform
        for platform in platforms
        if covered([bought("m5.large", platform=platform)], [machine])
    }

    assert payers == {wanted} - {None}


@pytest.mark.parametrize(
    "platform",
    [
        "Linux/UNIX (Amazon VPC)",
        "linux/unix",
    ],
)
def test_the_spelling_of_the_platform_does_not_matter(platform):
    found = use_of(bought("m5.large", platform=platform), [running("i-1", "m5.xlarge")])

    assert figures(found, "used", "covers") == (1, (Cover("i-1", HALF),))


def test_high_availability_is_paid_however_it_is_spelled():
    purchase = bought("m5.large", platform="Red Hat Enterprise Linux with High Availability")
    machine = running("i-1", "m5.large", usage_operation="RunInstances:1010")

    assert covered([purchase], [machine]) == {"i-1": 1}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"region": "us-west-2"}, id="another region"),
        pytest.param({"tenancy": "dedicated"}, id="another tenancy"),
        pytest.param({"tenancy": "host"}, id="a Dedicated Host"),
        pytest.param({"account": STRANGER}, id="another payer"),
        pytest.param({"account": ALONE}, id="an account that shares nothing"),
        pytest.param({"account": "444444444444"}, id="an account nobody knows"),
        pytest.param({"usage_operation": RHEL}, id="another code"),
        pytest.param({"usage_operation": ""}, id="a code left empty"),
        pytest.param({"usage_operation": None}, id="a code never recorded"),
        pytest.param({"usage_operation": "RunInstances:FFP-1"}, id="a code not decoded"),
        pytest.param({"usage_operation": "RunInstances:0018"}, id="a code never published"),
        pytest.param({"state": "stopped"}, id="stopped"),
        pytest.param({"state": "pending"}, id="not running yet"),
        pytest.param({"lifecycle": "spot"}, id="Spot"),
        pytest.param({"lifecycle": "scheduled"}, id="scheduled"),
        pytest.param({"lifecycle": "capacity-block"}, id="capacity block"),
    ],
)
def test_what_does_not_match_is_not_paid(fields):
    found = use_of(bought("m5.large"), [running("i-1", "m5.large", **fields)])

    assert figures(found, "used", "idle", "applies", "covers") == (0, 1, False, ())


def test_a_dedicated_host_is_never_paid_for():
    purchase = bought("m5.large", tenancy="host")

    assert covered([purchase], [running("i-1", "m5.large", tenancy="host")]) == {}


def test_a_mac_is_never_paid_for():
    assert covered([bought("mac1.metal")], [running("i-1", "mac1.metal")]) == {}


def test_linux_pays_for_red_hat_of_ones_own():
    machine = running("i-1", "m5.xlarge", usage_operation=RHEL_BYOL)

    assert covered([bought("m5.large")], [machine]) == {"i-1": HALF}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"state": "retired"}, id="retired"),
        pytest.param({"state": "queued", "start": NOON + DAY}, id="queued"),
        pytest.param({"end": NOON}, id="expired"),
        pytest.param({"start": NOON + DAY}, id="not begun"),
    ],
)
def test_what_is_not_active_pays_nothing_and_costs_nothing(fields):
    found = use_of(bought("m5.large", 3, **fields), [running("i-1", "m5.large")])

    assert figures(found, "used", "idle", "applies", "covers") == (0, 3, False, ())
    assert found.reasons == (Reason("not_active", ()),)
    assert figures(found, "hourly_cost", "idle_hourly_cost") == (Decimal("0.45"), 0)


def test_what_is_not_active_may_have_an_unknown_cost():
    found = use_of(bought("m5.large", 3, state="retired", fixed_price=None), [])

    assert figures(found, "hourly_cost", "idle_hourly_cost") == (None, 0)


def test_a_purchase_whose_state_was_never_recorded_has_no_known_cost_or_cause():
    found = use_of(bought("m5.large", 2, state=""), [running("i-1", "m5.large")])

    assert figures(found, "used", "idle", "applies", "reasons", "covers") == (0, 2, False, (), ())
    assert figures(found, "hourly_cost", "idle_hourly_cost") == (Decimal("0.30"), None)


def test_zonal_pays_in_its_zone_only():
    machines = [
        running("i-b", "m5.large", zone="us-east-1b", zone_id="use1-az2"),
        running("i-a", "m5.large"),
    ]

    assert covered([zonal("m5.large", 2)], machines) == {"i-a": 1}


def test_the_lost_code_of_red_hat():
    """Two instances of RHEL that read Linux/UNIX leave one of three purchases idle."""
    purchase = bought("m5.xlarge", 3, platform=RHEL_RI)
    machines = [
        running("i-1", "m5.xlarge", usage_operation=RHEL),
        running("i-2", "m5.xlarge", usage_operation=RHEL),
        running("i-3", "m5.xlarge"),
        running("i-4", "m5.xlarge"),
    ]

    found = use_of(purchase, machines)

    assert figures(found, "used", "idle", "applies") == (2, 1, True)
    assert found.covers == (Cover("i-1", Fraction(1)), Cover("i-2", Fraction(1)))
    assert figures(found, "hourly_cost", "idle_hourly_cost") == (Decimal("0.45"), Decimal("0.15"))
    assert found.reasons == (Reason("wrong_platform", ("i-3", "i-4")),)


def test_three_purchases_of_one_account():
    """Zonal for four instances, and two regional ones that flex."""
    purchases = [zonal("m3.large", 4), bought("m4.large", 4), bought("c4.large")]
    machines = [
        *(running(f"i-{number}", "m3.large") for number in range(4)),
        running("i-4", "m4.xlarge", zone="us-east-1b", zone_id="use1-az2"),
        running("i-5", "m4.xlarge", zone="us-east-1b", zone_id="use1-az2"),
        running("i-6", "c4.xlarge", zone="us-east-1c", zone_id="use1-az3"),
    ]

    found = applied(purchases, machines)

    assert list(found.machines.values()) == [1, 1, 1, 1, 1, 1, HALF]
    assert all(use.idle == 0 for use in found.purchases.values())


def test_red_hat_does_not_flex():
    machines = [running(f"i-{number}", "m5.xlarge", usage_operation=RHEL) for number in range(2)]

    found = use_of(bought("m5.2xlarge", platform=RHEL_RI), machines)

    assert figures(found, "used", "idle") == (0, 1)
    assert found.reasons == (Reason("wrong_size_not_flexible", ("i-0", "i-1")),)


@pytest.mark.parametrize(
    ("purchases", "machines", "shares"),
    [
        pytest.param(
            [bought("m5.large", account=ONE)],
            [running("i-0", "m5.large", account=OTHER), running("i-9", "m5.large", account=ONE)],
            {"i-9": 1},
            id="regional, own account first",
        ),
        pytest.param(
            [bought("m5.large", account=OTHER)],
            [running("i-0", "m5.nano", account=ONE), running("i-9", "m5.xlarge", account=OTHER)],
            {"i-9": HALF},
            id="regional, a larger one of its own before a smaller one of another",
        ),
        pytest.param(
            [bought("m5.large", 3, account=OTHER)],
            [running("i-0", "m5.large", account=ONE), running("i-9", "m5.large", account=OTHER)],
            {"i-0": 1, "i-9": 1},
            id="regional, what is left goes to the others",
        ),
        pytest.param(
            [zonal("m5.large", account=OTHER)],
            [running("i-0", "m5.large", account=ONE), running("i-9", "m5.large", account=OTHER)],
            {"i-9": 1},
            id="zonal, own account first",
        ),
        pytest.param(
            [zonal("m5.large", account=OTHER, zone="us-east-1c")],
            [running("i-0", "m5.large", account=ONE, zone="us-east-1a")],
            {"i-0": 1},
            id="zonal, the same zone by another name",
        ),
        pytest.param(
            [zonal("m5.large", account=OTHER, zone="us-east-1a", zone_id="use1-az2")],
            [running("i-0", "m5.large", account=ONE, zone="us-east-1a", zone_id="use1-az1")],
            {},
            id="zonal, another zone by the same name",
        ),
        pytest.param(
            [bought("m5.large", account=STRANGER)],
            [running("i-0", "m5.large", account=ONE)],
            {},
            id="payers stand apart",
        ),
        pytest.param(
            [bought("m5.large", account=ALONE)],
            [running("i-0", "m5.large", account=ONE), running("i-9", "m5.large", account=ALONE)],
            {"i-9": 1},
            id="who does not share pays for its own",
        ),
        pytest.param(
            [bought("m5.large", 2, account=ALONE)],
            [running("i-0", "m5.large", account=ONE), running("i-9", "m5.large", account=ALONE)],
            {"i-9": 1},
            id="and for nothing else",
        ),
        pytest.param(
            [zonal("m5.large", 2, account=ALONE)],
            [running("i-0", "m5.large", account=ONE), running("i-9", "m5.large", account=ALONE)],
            {"i-9": 1},
            id="nor does it share zonal ones",
        ),
        pytest.param(
            [bought("m5.large", 2, account="444444444444")],
            [
                running("i-0", "m5.large", account=ONE),
                running("i-9", "m5.large", account="444444444444"),
            ],
            {"i-9": 1},
            id="an account nobody knows pays for itself",
        ),
    ],
)
def test_who_is_served(purchases, machines, shares):
    assert covered(purchases, machines) == shares


def test_own_accounts_come_first_whoever_is_asked_first():
    purchases = [bought("m5.large", account=ONE), bought("m5.large", account=OTHER)]
    machines = [
        running("i-0", "m5.large", account=OTHER),
        running("i-1", "m5.large", account=OTHER),
        running("i-2", "m5.large", account=OTHER),
    ]

    found = applied(purchases, machines)

    mine, theirs = (found.purchases[purchase.aws_id].covers for purchase in purchases)
    assert theirs == (Cover("i-0", Fraction(1)),)
    assert mine == (Cover("i-1", Fraction(1)),)


def test_zonal_of_others_comes_before_regional_of_ones_own():
    own = bought("m5.large", account=ONE)
    others = zonal("m5.large", account=OTHER)

    found = applied([own, others], [running("i-0", "m5.large", account=ONE)])

    assert found.purchases[others.aws_id].used == 1
    assert found.purchases[own.aws_id].used == 0


def test_zonal_comes_before_regional_in_one_account():
    """One zonal m4.xlarge and a regional m4.large over two m4.xlarge, one in that zone."""
    purchases = [bought("m4.large"), zonal("m4.xlarge")]
    machines = [
        running("i-1", "m4.xlarge"),
        running("i-2", "m4.xlarge", zone="us-east-1b", zone_id="use1-az2"),
    ]

    found = applied(purchases, machines)

    assert found.machines == {"i-1": 1, "i-2": HALF}
    assert all(use.idle == 0 for use in found.purchases.values())


def test_several_purchases_may_pay_for_one_instance():
    purchases = [bought("m5.large", account=ONE), bought("m5.large", account=OTHER)]

    found = applied(purchases, [running("i-1", "m5.2xlarge")])

    assert found.machines == {"i-1": HALF}
    assert [use.covers for use in found.purchases.values()] == [
        (Cover("i-1", Fraction(1, 4)),),
        (Cover("i-1", Fraction(1, 4)),),
    ]


def test_a_purchase_goes_on_where_the_one_before_ended():
    purchases = [bought("m5.large", aws_id=name) for name in ("ri-a", "ri-b", "ri-c")]
    machines = [running("i-1", "m5.xlarge"), running("i-2", "m5.xlarge")]

    found = applied(purchases, machines)

    assert found.machines == {"i-1": 1, "i-2": HALF}
    assert found.purchases["ri-b"].covers == (Cover("i-1", HALF),)


@pytest.mark.parametrize(
    ("purchase", "machines", "shares"),
    [
        pytest.param(
            {"zone": "us-east-1a", "zone_id": ""},
            [running("i-1", "m5.large", zone_id="")],
            {"i-1": 1},
            id="no ids at all",
        ),
        pytest.param(
            {"zone": "us-east-1a", "zone_id": ""},
            [running("i-1", "m5.large", zone="us-east-1b", zone_id="")],
            {},
            id="no ids, another zone",
        ),
        pytest.param(
            {"zone": "us-east-1a", "zone_id": "use1-az1"},
            [running("i-1", "m5.large", zone_id="")],
            {"i-1": 1},
            id="the id of the purchase alone",
        ),
        pytest.param(
            {"zone": "us-east-1a", "zone_id": ""},
            [running("i-1", "m5.large")],
            {"i-1": 1},
            id="the id of the instance alone",
        ),
        pytest.param(
            {"zone": "us-east-1a", "zone_id": ""},
            [
                running("i-0", "t3.nano"),
                running("i-1", "m5.large", account=OTHER, zone="us-east-1c"),
            ],
            {"i-1": 1},
            id="an id learnt from another instance",
        ),
        pytest.param(
            {"zone": "us-east-1a", "zone_id": ""},
            [running("i-1", "m5.large", account=OTHER, zone_id="")],
            {},
            id="a name means nothing in another account",
        ),
        pytest.param(
            {"zone": "us-east-1a", "zone_id": "", "region": "us-east-1"},
            [running("i-1", "m5.large", account=OTHER)],
            {},
            id="nor does it match an id",
        ),
        pytest.param(
            {"zone": "", "zone_id": ""},
            [running("i-1", "m5.large", zone="", zone_id="")],
            {},
            id="no zone is no match",
        ),
        pytest.param(
            {"zone": "", "zone_id": "use1-az1"},
            [running("i-1", "m5.large", zone="", zone_id="use1-az1")],
            {"i-1": 1},
            id="ids alone",
        ),
    ],
)
def test_zones_of_old_recordings(purchase, machines, shares):
    assert covered([zonal("m5.large", **purchase)], machines) == shares


def test_the_shares_of_running_instances_are_told_and_of_no_others():
    machines = [
        running("i-1", "m5.large"),
        running("i-2", "m5.large", lifecycle="spot"),
        running("i-3", "m5.large", state="stopped"),
    ]

    assert applied([], machines).machines == {"i-1": 0, "i-2": 0}


def test_an_id_counts_once():
    purchase, machine = bought("m5.large", 2), running("i-1", "m5.large")

    found = applied([purchase, purchase], [machine, machine])

    assert found.machines == {"i-1": 1}
    assert found.purchases[purchase.aws_id].used == 1
    assert found.purchases[purchase.aws_id].idle == 1


def test_none_bought_is_neither_used_nor_idle():
    found = use_of(bought("m5.large", 0), [running("i-1", "m5.large")])

    assert figures(found, "used", "idle", "applies", "reasons") == (0, 0, False, ())
    assert figures(found, "hourly_cost", "idle_hourly_cost") == (0, 0)


@pytest.mark.parametrize(
    ("number", "machines", "cost", "idle_cost"),
    [
        pytest.param(3, ["m5.large"], "0.45", "0.30", id="whole ones"),
        pytest.param(1, ["m5.medium"], "0.15", "0.075", id="a half"),
        pytest.param(1, ["m5.medium", "m5.medium"], "0.15", "0", id="nothing idle"),
        pytest.param(2, ["m5.nano"], "0.30", "0.290625", id="a sixteenth used"),
    ],
)
def test_money_is_exact(number, machines, cost, idle_cost):
    fleet = [running(f"i-{number}", size) for number, size in enumerate(machines)]

    found = use_of(bought("m5.large", number), fleet)

    assert str(found.hourly_cost) == cost
    assert found.idle_hourly_cost == Decimal(idle_cost)


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        pytest.param({"offering_type": "All Upfront"}, None, id="modified, all upfront"),
        pytest.param({"offering_type": "Partial Upfront"}, None, id="modified, a part upfront"),
        pytest.param({"fixed_price": None}, None, id="no price was recorded"),
        pytest.param({"recurring_hourly": None}, None, id="no charge was recorded"),
        pytest.param(
            {"fixed_price": Decimal(876), "duration_seconds": 31_536_000},
            Decimal("0.50"),
            id="a fixed price over its duration",
        ),
        pytest.param(
            {"fixed_price": Decimal("0.24"), "start": NOON - DAY / 2, "end": NOON + DAY / 2},
            Decimal("0.32"),
            id="a fixed price from start to end",
        ),
        pytest.param(
            {
                "fixed_price": Decimal("4.80"),
                "start": NOON - DAY,
                "end": NOON + DAY,
                "duration_seconds": 31_536_000,
            },
            Decimal("0.50"),
            id="bought from a reseller",
        ),
        pytest.param({"fixed_price": Decimal(876)}, None, id="a fixed price without a term"),
    ],
)
def test_a_cost_that_is_not_known_is_not_zero(fields, cost):
    found = use_of(bought("m5.large", 2, **fields), [running("i-1", "m5.large")])

    assert found.hourly_cost == cost
    assert found.idle_hourly_cost == (None if cost is None else cost / 2)


@given(fleets)
def test_every_bought_unit_is_used_or_idle(fleet):
    purchases, machines = fleet
    by_id = {machine.aws_id: machine for machine in machines}

    found = applied(purchases, machines).purchases

    paid = {
        each.aws_id: sum(
            cover.fraction * units(each, by_id[cover.instance_id])
            for cover in found[each.aws_id].covers
        )
        for each in purchases
    }
    assert {aws_id: use.used for aws_id, use in found.items()} == paid
    assert {aws_id: use.used + use.idle for aws_id, use in found.items()} == {
        each.aws_id: each.count for each in purchases
    }
    assert {aws_id: use.applies for aws_id, use in found.items()} == {
        aws_id: number > 0 for aws_id, number in paid.items()
    }


@given(fleets)
def test_no_instance_is_paid_for_twice(fleet):
    purchases, machines = fleet

    found = applied(purchases, machines)

    covers = [cover for use in found.purchases.values() for cover in use.covers]
    shares: dict[str, Fraction] = defaultdict(Fraction)
    for cover in covers:
        shares[cover.instance_id] += cover.fraction
    assert all(cover.fraction > 0 for cover in covers)
    assert all(share <= 1 for share in shares.values())
    assert found.machines == {
        machine.aws_id: shares[machine.aws_id] for machine in machines if machine.state == "running"
    }


@given(fleets)
def test_nothing_is_paid_that_does_not_match(fleet):
    purchases, machines = fleet
    by_id = {machine.aws_id: machine for machine in machines}

    found = applied(purchases, machines).purchases

    assert all(
        fits(purchase, by_id[cover.instance_id])
        for purchase in purchases
        for cover in found[purchase.aws_id].covers
    )


@given(fleets)
def test_nothing_that_matches_is_left_while_something_is_idle(fleet):
    purchases, machines = fleet

    found = applied(purchases, machines)

    missed = [
        (purchase, machine)
        for purchase in purchases
        for machine in machines
        if fits(purchase, machine)
        and found.purchases[purchase.aws_id].idle
        and found.machines[machine.aws_id] < 1
    ]
    assert missed == []


@given(fleets, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_does_not_matter(fleet, dice):
    purchases, machines = fleet
    before = applied(purchases, machines)
    dice.shuffle(purchases)
    dice.shuffle(machines)

    assert applied(purchases, machines) == before


sizes = st.sampled_from(["nano", "small", "medium", "large", "xlarge", "4xlarge"])
shared = st.sampled_from([ONE, OTHER])


@given(
    st.lists(st.tuples(sizes, st.integers(1, 4), shared), max_size=5),
    st.lists(st.tuples(sizes, shared), max_size=10),
)
def test_a_pool_pays_as_much_as_is_bought_or_runs(buys, runs):
    purchases = [bought(f"t3.{size}", number, account=account) for size, number, account in buys]
    machines = [
        running(f"i-{number}", f"t3.{size}", account=account)
        for number, (size, account) in enumerate(runs)
    ]

    found = applied(purchases, machines)

    supply = sum(size(each) * each.count for each in purchases)
    demand = sum(size(each) for each in machines)
    used = sum(found.purchases[each.aws_id].used * size(each) for each in purchases)
    assert used == min(supply, demand)
    assert used == sum(found.machines[each.aws_id] * size(each) for each in machines)


def may_fit(purchase, machine):
    """Whether an instance whose code was never recorded fits, were its code the right one."""
    right = RHEL if purchase.platform == RHEL_RI else PLAIN
    return machine.usage_operation is None and fits(
        purchase, replace(machine, usage_operation=right)
    )


@pytest.mark.parametrize(
    ("purchase", "machine", "idle_cost"),
    [
        pytest.param(
            bought("m5.large"), {"usage_operation": None}, None, id="a code never recorded"
        ),
        pytest.param(
            bought("m5.large"),
            {"usage_operation": "RunInstances:FFP-1"},
            None,
            id="a code that is not decoded",
        ),
        pytest.param(
            bought("m5.large"),
            {"usage_operation": None, "instance_type": "m5.xlarge"},
            None,
            id="another size of what flexes",
        ),
        pytest.param(bought("m5.large"), {"state": ""}, None, id="a state never recorded"),
        pytest.param(
            zonal("m5.large"), {"zone": "", "zone_id": ""}, None, id="a zone never recorded"
        ),
        pytest.param(
            zonal("m5.large", zone=""), {"zone_id": ""}, None, id="the name of a zone for an id"
        ),
        pytest.param(
            bought("m5.large"),
            {"usage_operation": None, "tenancy": "dedicated"},
            "0.15",
            id="another tenancy, whatever the code is",
        ),
        pytest.param(
            bought("m5.large"),
            {"usage_operation": None, "state": "stopped"},
            "0.15",
            id="stopped, whatever the code is",
        ),
        pytest.param(
            bought("m5.large"),
            {"usage_operation": RHEL, "zone": "", "zone_id": ""},
            "0.15",
            id="another platform, wherever it runs",
        ),
        pytest.param(
            bought("m5.large"),
            {"usage_operation": None, "account": ALONE},
            "0.15",
            id="an account that does not share, whatever the code is",
        ),
    ],
)
def test_idle_costs_nothing_known_where_it_may_be_used(purchase, machine, idle_cost):
    fields = {"instance_type": "m5.large"} | machine

    found = use_of(purchase, [running("i-1", **fields)])

    assert figures(found, "idle", "hourly_cost") == (1, Decimal("0.15"))
    assert found.idle_hourly_cost == (None if idle_cost is None else Decimal(idle_cost))


def test_a_part_that_is_known_to_be_idle_does_not_make_the_rest_known():
    machines = [running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=None)]

    found = use_of(bought("m5.large", 5), machines)

    assert figures(found, "used", "idle", "idle_hourly_cost") == (1, 4, None)


def test_what_is_used_whole_costs_nothing_idle_whatever_else_runs():
    machines = [running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=None)]

    found = use_of(bought("m5.large"), machines)

    assert figures(found, "idle", "idle_hourly_cost") == (0, 0)


def test_what_is_idle_of_light_utilization_costs_no_usage_price():
    light = bought(
        "m5.large",
        2,
        offering_type="Light Utilization",
        fixed_price=Decimal(876),
        usage_price=Decimal("0.05"),
        recurring_hourly=Decimal(0),
        duration_seconds=31_536_000,
    )

    found = use_of(light, [running("i-1", "m5.large")])

    assert figures(found, "idle", "hourly_cost", "idle_hourly_cost") == (
        1,
        Decimal("0.30"),
        Decimal("0.10"),
    )


@given(fleets)
def test_idle_money_is_the_idle_share_of_the_cost(fleet):
    purchases, machines = fleet

    found = applied(purchases, machines).purchases

    assert {aws_id: use.hourly_cost for aws_id, use in found.items()} == {
        each.aws_id: Decimal("0.15") * each.count for each in purchases
    }
    unsure = {
        each.aws_id
        for each in purchases
        if found[each.aws_id].idle and any(may_fit(each, machine) for machine in machines)
    }
    assert {aws_id: use.idle_hourly_cost for aws_id, use in found.items()} == {
        each.aws_id: None
        if each.aws_id in unsure
        else Decimal("0.15")
        * found[each.aws_id].idle.numerator
        / found[each.aws_id].idle.denominator
        * each.is_active(NOON)
        for each in purchases
    }


def test_without_a_word_on_the_payer_an_account_stands_for_itself():
    machines = [running("i-1", "m5.large", account=OTHER)]

    assert covered([bought("m5.large")], machines, ()) == {}
    assert covered([bought("m5.large")], machines, (Owner(ONE, ONE), Owner(OTHER, ONE))) == {
        "i-1": 1
    }
