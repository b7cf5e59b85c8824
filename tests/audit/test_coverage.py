from decimal import Decimal
from fractions import Fraction

import pytest

from registry.audit.coverage import audit_coverage
from registry.audit.fleet import Fleet
from registry.models import Cover, Instance, ReservedInstance
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_cover,
    make_instance,
    make_reserved_instance,
)
from tests.sync.versions import versions

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


@pytest.fixture
def account(db):
    return make_account()


def test_a_use_is_written_whole(account):
    machine = make_instance(account=account)
    bought = make_reserved_instance(account=account, instance_count=3)

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert (bought.used, bought.idle, bought.applies) == ("1", "2", True)
    assert bought.reasons == [{"code": "over_bought", "instance_ids": []}]
    assert bought.hourly_cost == Decimal("0.15")
    assert bought.idle_hourly_cost == Decimal("0.10")
    assert bought.judged_at == NOON
    cover = Cover.objects.get()
    assert (cover.reserved_instance, cover.instance, cover.share) == (bought, machine, "1")


def test_the_use_is_returned_by_primary_key(account):
    machine = make_instance(account=account)
    bought = make_reserved_instance(account=account)

    applied = audit_coverage(at=NOON)

    assert applied.uses[bought.pk].used == 1
    assert applied.covered == {machine.aws_id: 1}


@pytest.mark.parametrize("gone_at", [None, NOON], ids=["retired", "gone"])
def test_a_modified_purchase_costs_what_its_origin_did(account, gone_at):
    paid_for = {
        "account": account,
        "offering_type": "All Upfront",
        "recurring_hourly": Decimal(0),
    }
    origin = make_reserved_instance(
        **paid_for, fixed_price=Decimal(876), state="retired", end_at=NOON, gone_at=gone_at
    )
    made = make_reserved_instance(**paid_for, start_at=NOON, modified_from=[origin.aws_id])

    audit_coverage(at=NOON)

    made.refresh_from_db()
    assert made.idle_hourly_cost == Decimal("0.1")


def test_a_modified_purchase_of_another_account_is_no_origin(account):
    paid_for = {"offering_type": "All Upfront", "recurring_hourly": Decimal(0)}
    origin = make_reserved_instance(**paid_for, fixed_price=Decimal(876), state="retired")
    made = make_reserved_instance(**paid_for, account=account, modified_from=[origin.aws_id])

    audit_coverage(at=NOON)

    made.refresh_from_db()
    assert (made.hourly_cost, made.idle_hourly_cost) == (None, None)


def test_a_share_is_an_exact_fraction(account):
    make_instance(account=account, instance_type="m5.2xlarge")
    make_reserved_instance(account=account, instance_type="m5.large")

    audit_coverage(at=NOON)

    assert Cover.objects.get().fraction == Fraction(1, 4)


def test_the_billing_code_decides_what_is_paid(account):
    right = make_instance(account=account, usage_operation=RHEL)
    lost = make_instance(account=account, usage_operation="RunInstances")
    bought = make_reserved_instance(
        account=account, instance_count=2, product_description="Red Hat Enterprise Linux"
    )

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert bought.reasons == [{"code": "wrong_platform", "instance_ids": [lost.aws_id]}]
    assert Cover.objects.get().instance == right


def test_an_old_recording_with_details_alone_is_understood(account):
    make_instance(account=account, usage_operation=None, platform_details="Linux/UNIX")
    bought = make_reserved_instance(account=account)

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert bought.used == "1"


@pytest.mark.parametrize(
    ("fields", "used"),
    [
        ({"payer": "100000000001"}, "1"),
        ({"payer": "100000000001", "reserved_instance_sharing": False}, "0"),
        ({"payer": "100000000002"}, "0"),
        ({}, "0"),
    ],
    ids=["one payer", "that does not share", "another payer", "its own payer"],
)
def test_purchases_are_shared_within_a_payer(fields, used):
    make_instance(account=make_account(**fields))
    bought = make_reserved_instance(account=make_account(payer="100000000001"))

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert bought.used == used


@pytest.mark.parametrize(
    ("buyer", "user", "used"),
    [
        pytest.param({"sharing_group": "red"}, {"sharing_group": "red"}, "1", id="one group"),
        pytest.param({"sharing_group": "red"}, {}, "1", id="beyond it"),
        pytest.param(
            {"sharing_group": "red", "is_group_restricted": True},
            {"sharing_group": "red"},
            "1",
            id="one restricted group",
        ),
        pytest.param(
            {"sharing_group": "red", "is_group_restricted": True}, {}, "0", id="beyond that"
        ),
    ],
)
def test_purchases_are_shared_in_groups(buyer, user, used):
    make_instance(account=make_account(payer="100000000001", **user))
    bought = make_reserved_instance(account=make_account(payer="100000000001", **buyer))

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert bought.used == used


def test_what_is_gone_pays_for_nothing_and_is_paid_by_nothing(account):
    make_instance(account=account, gone_at=NOON)
    bought = make_reserved_instance(account=account)
    gone = make_reserved_instance(account=account, gone_at=NOON)

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    gone.refresh_from_db()
    assert bought.used == "0"
    assert gone.used == ""


def test_it_is_judged_as_of_its_time(account):
    make_instance(account=account)
    bought = make_reserved_instance(account=account, start_at=LATER)

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert bought.reasons == [{"code": "not_active", "instance_ids": []}]


def test_a_state_that_was_never_recorded_is_no_cause_and_no_cost(account):
    make_instance(account=account, state="")
    near = make_reserved_instance(account=account)
    unsaid = make_reserved_instance(account=account, state="")

    audit_coverage(at=NOON)

    near.refresh_from_db()
    unsaid.refresh_from_db()
    assert (near.used, near.idle, near.reasons) == ("0", "1", [])
    assert (unsaid.used, unsaid.idle, unsaid.reasons) == ("0", "1", [])
    assert unsaid.idle_hourly_cost is None


def test_what_may_be_used_has_no_known_idle_cost(account):
    make_instance(account=account, usage_operation=None, platform_details=None)
    bought = make_reserved_instance(account=account, idle_hourly_cost=Decimal("0.05"))

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert (bought.idle, bought.reasons) == ("1", [])
    assert (bought.hourly_cost, bought.idle_hourly_cost) == (Decimal("0.05"), None)


def test_covers_that_are_over_go_and_the_others_stay(account):
    machine = make_instance(account=account)
    bought = make_reserved_instance(account=account)
    audit_coverage(at=NOON)
    kept = Cover.objects.get()
    make_cover(
        reserved_instance=make_reserved_instance(account=account, gone_at=NOON),
        instance=machine,
    )

    audit_coverage(at=LATER)

    assert Cover.objects.get().pk == kept.pk
    assert kept.reserved_instance == bought


def test_a_share_that_changes_is_written_anew(account):
    make_instance(account=account, instance_type="m5.xlarge")
    make_reserved_instance(account=account, instance_type="m5.large")
    audit_coverage(at=NOON)
    ReservedInstance.objects.update(instance_count=2)

    audit_coverage(at=LATER)

    assert Cover.objects.get().share == "1"


def test_a_price_beyond_all_bounds_is_unknown(account):
    bought = make_reserved_instance(
        account=account, recurring_hourly=Decimal(999_999_999_999), instance_count=1_000
    )

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert (bought.hourly_cost, bought.idle_hourly_cost) == (None, None)


def test_an_instance_of_two_accounts_is_one(account):
    make_instance(account=account, aws_id="i-1")
    make_instance(account=make_account(), aws_id="i-1")
    bought = make_reserved_instance(account=account, instance_count=2)

    audit_coverage(at=NOON)

    bought.refresh_from_db()
    assert bought.used in {"0", "1"}
    assert Cover.objects.count() <= 1


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow(account, count, django_assert_num_queries):
    for _ in range(count):
        make_instance(account=account)
        make_reserved_instance(account=account)

    with django_assert_num_queries(11):  # three of them begin, lock, and end a savepoint
        audit_coverage(at=NOON)


def test_a_fleet_that_is_loaded_already_is_taken(account, django_assert_num_queries):
    make_instance(account=account)
    bought = make_reserved_instance(account=account)
    fleet = Fleet.load(at=NOON)

    with django_assert_num_queries(8):
        audit_coverage(fleet, at=NOON)

    bought.refresh_from_db()
    assert bought.used == "1"


def test_instances_are_not_written(account):
    make_instance(account=account)
    make_reserved_instance(account=account)
    before = versions(Instance)

    audit_coverage(at=NOON)

    assert versions(Instance) == before
