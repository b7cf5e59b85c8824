from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.codes import TABLE, reserved_platform
from registry.billing.idle import Reason
from registry.billing.near import NAMED
from tests.billing.by_hand import flexes
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
    size,
    use_of,
    zonal,
)

SUSE = "RunInstances:000g"
CODES = {
    "not_active",
    "no_instance_of_type",
    "wrong_platform",
    "wrong_az",
    "wrong_tenancy",
    "wrong_size_not_flexible",
    "other_account_sharing_off",
    "not_running",
    "over_bought",
}
B = {"zone": "us-east-1b", "zone_id": "use1-az2"}


def red_hat(instance_type, number=1, **fields):
    return bought(instance_type, number, platform=RHEL_RI, **fields)


def rhel(aws_id, instance_type, **fields):
    return running(aws_id, instance_type, usage_operation=RHEL, **fields)


def reasons(purchase, machines):
    return {reason.code: reason.instance_ids for reason in use_of(purchase, machines).reasons}


@pytest.mark.parametrize(
    ("purchase", "machines", "found"),
    [
        pytest.param(bought("m5.large", state="retired"), [], {"not_active": ()}, id="not active"),
        pytest.param(bought("m5.large"), [], {"no_instance_of_type": ()}, id="nothing runs"),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "c5.large")],
            {"no_instance_of_type": ()},
            id="another family",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", region="eu-west-1")],
            {"no_instance_of_type": ()},
            id="another region",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", account=STRANGER)],
            {"no_instance_of_type": ()},
            id="another payer",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", lifecycle="spot")],
            {"no_instance_of_type": ()},
            id="Spot",
        ),
        pytest.param(
            bought("m5.large"),
            [
                running("i-1", "m5.large", state="terminated"),
                running("i-2", "m5.large", state="shutting-down"),
            ],
            {"no_instance_of_type": ()},
            id="terminated",
        ),
        pytest.param(
            red_hat("m5.large"),
            [running("i-2", "m5.large"), running("i-1", "m5.large", usage_operation=SUSE)],
            {"wrong_platform": ("i-1", "i-2")},
            id="another platform",
        ),
        pytest.param(
            bought("m5.large"),
            [rhel("i-1", "m5.2xlarge")],
            {"wrong_platform": ("i-1",)},
            id="another platform, another size of what flexes",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", usage_operation="RunInstances:0g00")],
            {"wrong_platform": ("i-1",)},
            id="a code that no purchase pays for",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", usage_operation="")],
            {"wrong_platform": ("i-1",)},
            id="a code left empty",
        ),
        pytest.param(
            zonal("m5.large"),
            [running("i-1", "m5.large", **B)],
            {"wrong_az": ("i-1",)},
            id="another zone",
        ),
        pytest.param(
            bought("m5.large", tenancy="dedicated"),
            [running("i-1", "m5.large")],
            {"wrong_tenancy": ("i-1",)},
            id="another tenancy",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", tenancy="host")],
            {"wrong_tenancy": ("i-1",)},
            id="a Dedicated Host",
        ),
        pytest.param(
            bought("m5.large", tenancy="host"),
            [running("i-1", "m5.large", tenancy="host")],
            {"wrong_tenancy": ("i-1",)},
            id="no purchase is for a Dedicated Host",
        ),
        pytest.param(
            red_hat("m5.2xlarge"),
            [rhel("i-1", "m5.xlarge")],
            {"wrong_size_not_flexible": ("i-1",)},
            id="another size",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.huge")],
            {"wrong_size_not_flexible": ("i-1",)},
            id="a size that cannot flex",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", account=ALONE)],
            {"other_account_sharing_off": ("i-1",)},
            id="an account that does not share",
        ),
        pytest.param(
            bought("m5.large", account=ALONE),
            [running("i-1", "m5.large")],
            {"other_account_sharing_off": ("i-1",)},
            id="a buyer that does not share",
        ),
        pytest.param(
            bought("m5.large"),
            [
                running("i-1", "m5.large", state="stopped"),
                running("i-2", "m5.xlarge", state="pending"),
            ],
            {"not_running": ("i-1", "i-2")},
            id="not running",
        ),
        pytest.param(
            bought("m5.large", 2),
            [running("i-1", "m5.large")],
            {"over_bought": ()},
            id="more bought than runs",
        ),
        pytest.param(
            bought("m5.large"),
            [rhel("i-1", "m5.large"), running("i-2", "m5.large")],
            {},
            id="nothing idle",
        ),
        pytest.param(
            bought("m5.large", account=ALONE),
            [running("i-1", "m5.large", account=ALONE, state="stopped")],
            {"not_running": ("i-1",)},
            id="an account that shares nothing reaches itself",
        ),
        # several at once
        pytest.param(
            red_hat(
                "m5.xlarge", 9, scope="Availability Zone", zone="us-east-1a", zone_id="use1-az1"
            ),
            [
                rhel("i-0", "m5.xlarge"),
                running("i-1", "m5.xlarge"),
                rhel("i-2", "m5.large"),
                rhel("i-3", "m5.xlarge", tenancy="dedicated"),
                rhel("i-4", "m5.xlarge", **B),
                rhel("i-5", "m5.xlarge", account=ALONE),
                rhel("i-6", "m5.xlarge", state="stopped"),
                running("i-7", "m5.large"),
            ],
            {
                "wrong_platform": ("i-1",),
                "wrong_size_not_flexible": ("i-2",),
                "wrong_tenancy": ("i-3",),
                "wrong_az": ("i-4",),
                "other_account_sharing_off": ("i-5",),
                "not_running": ("i-6",),
                "over_bought": (),
            },
            id="each once",
        ),
        pytest.param(
            red_hat("m5.xlarge", 2),
            [rhel("i-0", "m5.xlarge"), running("i-1", "m5.xlarge")],
            {"wrong_platform": ("i-1",)},
            id="a lost code explains all of it",
        ),
        pytest.param(
            red_hat("m5.xlarge", 3),
            [rhel("i-0", "m5.xlarge"), running("i-1", "m5.xlarge")],
            {"wrong_platform": ("i-1",), "over_bought": ()},
            id="a lost code explains a part of it",
        ),
        pytest.param(
            bought("m5.xlarge", 2),
            [running("i-0", "m5.xlarge"), running("i-1", "m5.large", state="stopped")],
            {"not_running": ("i-1",), "over_bought": ()},
            id="half a Reserved Instance explains half",
        ),
        pytest.param(
            bought("m5.xlarge", 2),
            [running("i-0", "m5.xlarge"), running("i-1", "m5.2xlarge", state="stopped")],
            {"not_running": ("i-1",)},
            id="a larger instance explains more",
        ),
        pytest.param(
            red_hat("m5.xlarge", 3),
            [rhel("i-0", "m5.xlarge"), rhel("i-1", "m5.2xlarge")],
            {"wrong_size_not_flexible": ("i-1",), "over_bought": ()},
            id="where size is fixed, a larger instance explains one",
        ),
        pytest.param(
            red_hat("m5.xlarge", 3, account=OTHER),
            [running("i-1", "m5.xlarge", account=ONE), running("i-2", "m5.xlarge", account=OTHER)],
            {"wrong_platform": ("i-1", "i-2"), "over_bought": ()},
            id="in accounts that share",
        ),
        pytest.param(
            red_hat("m5.xlarge", 4),
            [
                rhel("i-0", "m5.xlarge"),
                running("i-1", "m5.xlarge"),
                running("i-2", "m5.xlarge", account=OTHER),
            ],
            {"wrong_platform": ("i-1", "i-2"), "over_bought": ()},
            id="in accounts that share, each once",
        ),
        # two differences
        pytest.param(
            red_hat("m5.xlarge"),
            [rhel("i-1", "m5.xlarge", tenancy="dedicated", state="stopped")],
            {"wrong_tenancy": ("i-1",), "not_running": ("i-1",)},
            id="two keep it away",
        ),
        pytest.param(
            red_hat("m5.xlarge"),
            [running("i-1", "m5.xlarge", state="stopped"), running("i-2", "m5.xlarge")],
            {"wrong_platform": ("i-2",)},
            id="the nearest only",
        ),
        pytest.param(
            red_hat("m5.xlarge"),
            [running("i-1", "m5.large")],
            {"no_instance_of_type": ()},
            id="another size of another platform is another type",
        ),
        pytest.param(
            red_hat("m5.xlarge", 2),
            [rhel("i-0", "m5.xlarge"), running("i-1", "m5.xlarge", state="stopped")],
            {"over_bought": ()},
            id="what two keep away is no cause of a surplus",
        ),
        pytest.param(
            bought("m5.xlarge"),
            [rhel("i-1", "m5.large", state="stopped")],
            {"wrong_platform": ("i-1",), "not_running": ("i-1",), "over_bought": ()},
            id="two keep another size away, where size flexes",
        ),
    ],
)
def test_the_cause_of_an_idle_purchase(purchase, machines, found):
    assert reasons(purchase, machines) == found


def test_the_most_telling_cause_comes_first():
    machines = [
        rhel("i-6", "m5.xlarge", state="stopped"),
        rhel("i-5", "m5.xlarge", account=ALONE),
        rhel("i-4", "m5.xlarge", **B),
        rhel("i-3", "m5.xlarge", tenancy="dedicated"),
        rhel("i-2", "m5.large"),
        running("i-1", "m5.xlarge"),
        rhel("i-0", "m5.xlarge"),
    ]

    found = use_of(zonal("m5.xlarge", 9, platform=RHEL_RI), machines).reasons

    assert [reason.code for reason in found] == [
        "wrong_platform",
        "wrong_size_not_flexible",
        "wrong_tenancy",
        "wrong_az",
        "other_account_sharing_off",
        "not_running",
        "over_bought",
    ]


def test_what_another_purchase_pays_for_is_not_named():
    idle, busy = red_hat("m5.xlarge"), bought("m5.xlarge")
    machines = [running("i-1", "m5.xlarge"), running("i-2", "m5.xlarge")]

    found = applied([idle, busy], machines).purchases[idle.aws_id]

    assert found.reasons == (Reason("wrong_platform", ("i-2",)),)


def test_what_others_pay_for_is_nothing_to_pay_for():
    idle, busy = red_hat("m5.xlarge"), bought("m5.xlarge")

    found = applied([idle, busy], [running("i-1", "m5.xlarge")]).purchases[idle.aws_id]

    assert found.reasons == (Reason("no_instance_of_type", ()),)


def test_a_match_that_another_purchase_pays_for_is_a_surplus():
    first, second = bought("m5.xlarge", aws_id="ri-a"), bought("m5.xlarge", aws_id="ri-b")

    found = applied([first, second], [running("i-1", "m5.xlarge")]).purchases["ri-b"]

    assert found.reasons == (Reason("over_bought", ()),)


def test_what_is_paid_in_part_explains_the_rest():
    idle, half = red_hat("m5.xlarge", 2), bought("m5.large")
    machines = [running("i-1", "m5.xlarge"), rhel("i-0", "m5.xlarge")]

    found = applied([idle, half], machines).purchases[idle.aws_id]

    assert found.reasons == (Reason("wrong_platform", ("i-1",)), Reason("over_bought", ()))


def test_a_reason_names_no_more_than_can_be_read():
    machines = [running(f"i-{number:03}", "m5.large") for number in range(30)]

    (reason,) = use_of(red_hat("m5.large", 30), machines).reasons

    assert reason.instance_ids == tuple(f"i-{number:03}" for number in range(NAMED))
    assert NAMED == 20


def test_what_nothing_near_explains_was_bought_too_many():
    near, unclear = running("i-1", "m5.large"), running("i-2", "m5.large", usage_operation=None)

    assert reasons(red_hat("m5.large", 1), [near]) == {"wrong_platform": ("i-1",)}
    assert reasons(red_hat("m5.large", 2), [near]) == {
        "wrong_platform": ("i-1",),
        "over_bought": (),
    }
    assert reasons(red_hat("m5.large", 2), [near, unclear]) == {"wrong_platform": ("i-1",)}


@pytest.mark.parametrize("code", [row.usage_operation for row in TABLE])
def test_each_other_code_is_a_wrong_platform(code):
    platform = next(row.reserved_platform for row in TABLE if row.usage_operation == code)
    idle = bought("m5.large", platform=platform or "Windows with SQL Server Web")
    others = [
        running(row.usage_operation, "m5.large", usage_operation=row.usage_operation)
        for row in TABLE
        if row.reserved_platform != idle.platform
    ]

    assert reasons(idle, others) == {
        "wrong_platform": tuple(sorted(machine.aws_id for machine in others))
    }


@pytest.mark.parametrize(
    ("purchase", "machines", "found"),
    [
        pytest.param(
            red_hat("m5.large"),
            [running("i-1", "m5.large", usage_operation=None)],
            {},
            id="a code never recorded may be the right one",
        ),
        pytest.param(
            red_hat("m5.large"),
            [running("i-1", "m5.large", usage_operation="RunInstances:FFP-1")],
            {},
            id="so may one that is not decoded",
        ),
        pytest.param(
            red_hat("m5.large"),
            [running("i-1", "m5.large", usage_operation=None, state="stopped")],
            {"no_instance_of_type": ()},
            id="but not where something else differs as well",
        ),
        pytest.param(
            red_hat("m5.large"),
            [
                running("i-1", "m5.large", usage_operation=None),
                running("i-2", "m5.large", usage_operation=None, state="stopped"),
            ],
            {},
            id="whatever else is there",
        ),
        pytest.param(
            bought("m5.large", state=""), [], {}, id="the state of a purchase never recorded"
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", state="")],
            {},
            id="a state never recorded may be that it runs",
        ),
        pytest.param(
            red_hat("m5.large"),
            [running("i-1", "m5.large", state="")],
            {},
            id="no cause from what may not run",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", state="", usage_operation=None)],
            {},
            id="neither code nor state",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", state=""), running("i-2", "m5.large", state="stopped")],
            {"not_running": ("i-2",)},
            id="what is known to be stopped is named",
        ),
        pytest.param(
            bought("m5.large"),
            [running("i-1", "m5.large", state="", tenancy="dedicated")],
            {"no_instance_of_type": ()},
            id="another tenancy is no match, running or not",
        ),
        pytest.param(
            zonal("m5.large"),
            [running("i-1", "m5.large", usage_operation=None, zone="", zone_id="")],
            {},
            id="neither code nor zone",
        ),
        pytest.param(
            red_hat("m5.large"),
            [running("i-1", "m5.large", usage_operation=None), running("i-2", "m5.large")],
            {"wrong_platform": ("i-2",)},
            id="what is known is named",
        ),
        pytest.param(
            red_hat("m5.large", 2),
            [running("i-1", "m5.large", usage_operation=None), rhel("i-2", "m5.large")],
            {"over_bought": ()},
            id="a match is known",
        ),
        pytest.param(
            zonal("m5.large", zone_id=""),
            [running("i-1", "m5.large", account=OTHER)],
            {},
            id="a zone of another account may be the same",
        ),
        pytest.param(
            zonal("m5.large"),
            [running("i-1", "m5.large", account=OTHER, zone_id="")],
            {},
            id="so may one without an id",
        ),
        pytest.param(
            zonal("m5.large"),
            [running("i-1", "m5.large", zone="", zone_id="")],
            {},
            id="so may one without a name",
        ),
        pytest.param(
            zonal("m5.large", zone="", zone_id=""),
            [running("i-1", "m5.large")],
            {},
            id="the zone of the purchase was never recorded",
        ),
        pytest.param(
            zonal("m5.large", zone="", zone_id=""),
            [running("i-1", "m5.large", zone="", zone_id="")],
            {},
            id="nor any other",
        ),
        pytest.param(
            zonal("m5.large", zone_id=""),
            [running("i-1", "m5.large", zone="us-east-1b", zone_id="")],
            {"wrong_az": ("i-1",)},
            id="two names of one account differ",
        ),
        pytest.param(
            zonal("m5.large"),
            [running("i-1", "m5.large", zone="us-east-1b", zone_id="")],
            {"wrong_az": ("i-1",)},
            id="so do a name and the id of another name",
        ),
        pytest.param(
            zonal("m5.large", zone=""),
            [running("i-1", "m5.large", zone_id="")],
            {},
            id="an id and a name of one account may be the same zone",
        ),
        pytest.param(
            zonal("m5.large", zone_id=""),
            [running("i-1", "m5.large", zone="")],
            {},
            id="so may a name and an id",
        ),
        pytest.param(
            zonal("m5.large", zone=""),
            [running("i-1", "m5.large", zone_id=""), running("i-2", "m5.large", **B)],
            {"wrong_az": ("i-2",)},
            id="of two the one that can be compared",
        ),
        pytest.param(
            zonal("m5.large", zone_id=""),
            [running("i-1", "m5.large", **B)],
            {"wrong_az": ("i-1",)},
            id="a name differs from the name that an id has",
        ),
        pytest.param(
            zonal("m5.large", zone=""),
            [
                running("i-1", "m5.large", zone="us-east-1b", zone_id=""),
                running("i-2", "c5.large", **B),
            ],
            {"wrong_az": ("i-1",)},
            id="a name whose id another instance tells",
        ),
        pytest.param(
            zonal("m5.large"),
            [running("i-1", "m5.large", account=OTHER, **B)],
            {"wrong_az": ("i-1",)},
            id="two ids of two accounts differ",
        ),
        pytest.param(
            bought("m5.large", 2),
            [running("i-1", "m5.large", zone="", zone_id="")],
            {"over_bought": ()},
            id="a zone is nothing to a region",
        ),
    ],
)
def test_what_was_never_recorded_is_no_cause(purchase, machines, found):
    assert reasons(purchase, machines) == found


@given(fleets)
def test_what_is_idle_has_a_cause_and_what_is_used_has_none(fleet):
    purchases, machines = fleet

    found = applied(purchases, machines).purchases

    doubtful = {each.region for each in machines if each.usage_operation is None}
    without = {each.aws_id for each in purchases if not found[each.aws_id].reasons}
    full = {aws_id for aws_id, use in found.items() if not use.idle}
    retired = {each.aws_id for each in purchases if not each.is_active(NOON)}
    unsure = {each.aws_id for each in purchases if each.region in doubtful}
    assert full - retired <= without <= full | unsure


@given(fleets)
def test_a_cause_names_instances_that_are_there(fleet):
    purchases, machines = fleet

    found = [
        reason for use in applied(purchases, machines).purchases.values() for reason in use.reasons
    ]

    ids = {machine.aws_id for machine in machines}
    assert {reason.code for reason in found} <= CODES
    assert all(set(reason.instance_ids) <= ids for reason in found)
    assert all(list(reason.instance_ids) == sorted(reason.instance_ids) for reason in found)


@given(fleets)
def test_no_instance_is_named_that_is_paid_for_or_never_will_be(fleet):
    purchases, machines = fleet

    found = applied(purchases, machines)

    named = {
        aws_id
        for use in found.purchases.values()
        for reason in use.reasons
        for aws_id in reason.instance_ids
    }
    assert not named & {aws_id for aws_id, share in found.machines.items() if share == 1}
    assert not named & {machine.aws_id for machine in machines if machine.lifecycle}


def test_only_plain_linux_is_close_to_a_lost_red_hat():
    found = use_of(red_hat("m5.large"), [running("i-1", "m5.large", usage_operation=PLAIN)])

    assert found.reasons == (Reason("wrong_platform", ("i-1",)),)


OWNERS = {owner.account: owner for owner in FAMILY}
IN_ORDER = [
    "wrong_platform",
    "wrong_size_not_flexible",
    "wrong_tenancy",
    "wrong_az",
    "other_account_sharing_off",
    "not_running",
]


def apart(purchase, machine):
    """What keeps an instance away, one condition after the other."""
    buyer, user = OWNERS[purchase.account], OWNERS[machine.account]
    is_own = buyer.account == user.account
    platform = reserved_platform(machine.usage_operation) or ""
    fits_size = flexes(purchase) or purchase.instance_type == machine.instance_type
    is_zonal = purchase.scope != "Region"
    differs = {
        "wrong_platform": platform != purchase.platform,
        "wrong_size_not_flexible": not fits_size,
        "wrong_tenancy": purchase.tenancy != machine.tenancy or machine.tenancy == "host",
        "wrong_az": is_zonal and purchase.zone_id != machine.zone_id,
        "other_account_sharing_off": not (is_own or (buyer.sharing and user.sharing)),
        "not_running": machine.state != "running",
    }
    return frozenset(code for code in IN_ORDER if differs[code])


def around(purchase, machines):
    """The instances of the family that the payer of a purchase could ever use it for."""
    return [
        machine
        for machine in machines
        if machine.region == purchase.region
        and machine.instance_type.split(".")[0] == purchase.instance_type.split(".")[0]
        and OWNERS[machine.account].payer == OWNERS[purchase.account].payer
        and not machine.lifecycle
    ]


def takes(purchase, machine):
    """How many Reserved Instances of a purchase a whole instance would take, if it could."""
    return size(machine) / size(purchase) if flexes(purchase) else 1


def slowly(purchase, machines, covered, idle):
    """The causes of what is idle, instance by instance, without any index."""
    near = around(purchase, machines)
    known = [each for each in near if each.usage_operation is not None]
    doubtful = [each for each in near if each.usage_operation is None]
    has_doubt = any(apart(purchase, each) <= {"wrong_platform", "wrong_az"} for each in doubtful)
    has_match = any(not apart(purchase, each) for each in known)
    open_ = [(each, 1 - covered.get(each.aws_id, 0)) for each in known if apart(purchase, each)]
    open_ = [(each, left) for each, left in open_ if left]
    fewest = min((len(apart(purchase, each)) for each, _ in open_), default=0)
    has_type = flexes(purchase) or purchase.instance_type in {each.instance_type for each in near}
    if not open_ or (fewest > 1 and (has_match or not has_type)):
        if has_doubt and not has_match:
            return []
        return [("over_bought" if has_match else "no_instance_of_type", ())]
    nearest = [(each, left) for each, left in open_ if len(apart(purchase, each)) == fewest]
    found = []
    for code in IN_ORDER:
        ids = sorted(each.aws_id for each, _ in nearest if code in apart(purchase, each))
        found += [(code, tuple(ids[:NAMED]))] if ids else []
    explained = sum((left * takes(purchase, each) for each, left in nearest), Fraction(0))
    is_clear = has_match or not has_doubt
    return found + ([("over_bought", ())] if is_clear and explained < idle else [])


@given(fleets, st.integers(1, 30))
def test_the_groups_change_no_cause(fleet, copies):
    purchases, few = fleet
    machines = [
        replace(each, aws_id=f"{each.aws_id}-{copy}") for each in few for copy in range(copies)
    ]

    found = applied(purchases, machines)

    uses = {each.aws_id: found.purchases[each.aws_id] for each in purchases}
    assert {
        aws_id: [(reason.code, reason.instance_ids) for reason in use.reasons]
        for aws_id, use in uses.items()
    } == {
        each.aws_id: [("not_active", ())]
        if not each.is_active(NOON)
        else slowly(each, machines, found.machines, uses[each.aws_id].idle)
        if uses[each.aws_id].idle
        else []
        for each in purchases
    }


def test_the_first_of_many_accounts_are_named_in_order():
    accounts = (ONE, OTHER)
    machines = [
        running(f"i-{number:03}", "m5.large", account=accounts[number % 2]) for number in range(60)
    ]

    (reason,) = use_of(red_hat("m5.large", 60), machines).reasons

    assert reason.instance_ids == tuple(f"i-{number:03}" for number in range(NAMED))
