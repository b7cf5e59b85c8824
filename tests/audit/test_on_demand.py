from decimal import Decimal
from fractions import Fraction

import pytest

from registry.audit.on_demand import compare_finding, instance_price, purchase_worth
from registry.models import Instance
from tests.factories import (
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_image,
    make_instance,
    make_list_price,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
RHEL, WINDOWS = "RunInstances:0010", "RunInstances:0002"


@pytest.fixture
def lost(db):
    """The finding of an image that lost the code of Red Hat; both prices are read."""
    make_list_price()
    make_list_price(usage_operation=RHEL, hourly=Decimal("0.16"))
    return make_finding(image=make_image(verdict="lost", expected_usage_operation=RHEL))


def launch(finding, **fields):
    return make_instance(image_id=finding.image.aws_id, **fields)


def compared(finding):
    return compare_finding(finding, Instance.objects.all())


def test_running_instances_are_counted_as_billed_and_as_they_should_be(lost):
    launch(lost)
    launch(lost)
    launch(lost, usage_operation=RHEL)

    found = compared(lost)

    assert [(line.usage_operation, line.count) for line in found.lines] == [
        ("RunInstances", 2),
        (RHEL, 1),
    ]
    assert (found.now, found.due) == (Decimal("0.36"), Decimal("0.48"))
    assert found.difference == Decimal("0.12")


def test_what_is_stopped_gone_or_of_another_image_is_not_counted(lost):
    launch(lost, state="stopped")
    launch(lost, gone_at=NOON)
    make_instance()

    assert compared(lost) is None


def test_what_runs_at_other_prices_is_only_told(lost):
    launch(lost, lifecycle="spot")
    launch(lost, tenancy="host")

    found = compared(lost)

    assert (found.count, found.others, found.now) == (0, 2, None)


def test_a_tenancy_that_was_never_recorded_leaves_the_price_unknown(lost):
    launch(lost, tenancy="")

    found = compared(lost)

    assert (found.others, found.unknown) == (0, 1)
    assert found.lines[0].due.problem == "What it is charged as is not known."


def test_a_price_that_was_never_read_is_unknown(lost):
    launch(lost, instance_type="c5.large")

    found = compared(lost)

    assert found.unknown == 1
    assert found.lines[0].now.problem == "It was not read yet."


@pytest.mark.parametrize(
    "fields",
    [{"rule": "AMI020"}, {"image__verdict": "ok"}, {"image__verdict": "unknown"}],
    ids=str,
)
def test_only_a_wrong_code_is_compared(lost, fields):
    launch(lost)
    for name, value in fields.items():
        thing = lost.image if name.startswith("image__") else lost
        setattr(thing, name.removeprefix("image__"), value)

    assert compared(lost) is None


def test_where_no_price_was_ever_read_nothing_is_said():
    image = make_image(verdict="lost", expected_usage_operation=RHEL)
    finding = make_finding(image=image)
    instance, purchase = launch(finding), make_reserved_instance()

    assert compared(finding) is None
    assert instance_price(instance) is None
    assert purchase_worth(purchase, Instance.objects.all()) is None


def test_however_many_run_the_database_is_asked_as_often(lost, django_assert_num_queries):
    for number in range(5):
        launch(lost, instance_type=f"m{number}.large")

    with django_assert_num_queries(3):
        assert compared(lost).count == 5


# Instances


def test_an_instance_has_the_price_of_the_code_it_carries(lost):
    assert instance_price(make_instance()).hourly == Decimal("0.10")
    assert instance_price(make_instance(usage_operation=RHEL)).hourly == Decimal("0.16")
    assert instance_price(make_instance(usage_operation=WINDOWS)).hourly is None


@pytest.mark.parametrize(
    "fields",
    [
        {"lifecycle": "spot"},
        {"tenancy": "host"},
        {"usage_operation": ""},
        {"state": "stopped"},
        {"gone_at": NOON},
    ],
    ids=str,
)
def test_what_does_not_run_on_demand_or_is_not_known_has_none(lost, fields):
    assert instance_price(make_instance(**fields)) is None


# Purchases


@pytest.fixture
def bought(lost):
    """Three Reserved Instances for Red Hat at $0.30 in an hour."""
    return make_reserved_instance(
        product_description="Red Hat Enterprise Linux",
        instance_count=3,
        hourly_cost=Decimal("0.30"),
        judged_at=NOON,
    )


def worth(row):
    return purchase_worth(row, Instance.objects.all())


def of(row, **fields):
    return make_instance(**{"account": row.account, "usage_operation": RHEL} | fields)


def test_one_of_a_purchase_is_compared_with_the_code_it_pays_for(bought):
    found = worth(bought)

    assert (found.paid, found.price.hourly) == (Decimal("0.10"), Decimal("0.16"))
    assert found.gain == Decimal("0.06")


def test_a_price_that_does_not_divide_is_told_to_eight_places(bought):
    bought.hourly_cost = Decimal("0.10")

    assert worth(bought).paid == Decimal("0.03333333")


@pytest.mark.parametrize("fields", [{"hourly_cost": None}, {"instance_count": 0}], ids=str)
def test_what_was_paid_may_be_unknown(bought, fields):
    for name, value in fields.items():
        setattr(bought, name, value)

    assert worth(bought).paid is None
    assert worth(bought).gain is None


def test_the_rest_is_what_no_purchase_pays_for(bought):
    paid, half, _ = of(bought), of(bought), of(bought)
    make_cover(reserved_instance=bought, instance=paid)
    make_cover(reserved_instance=bought, instance=half, share="1/2")

    found = worth(bought)

    assert found.rest == Fraction(3, 2)
    assert found.rest_hourly == Decimal("0.24")


@pytest.mark.parametrize(
    "fields",
    [
        {"usage_operation": WINDOWS},
        {"instance_type": "m5.xlarge"},
        {"region": "us-east-1"},
        {"tenancy": "dedicated"},
        {"lifecycle": "spot"},
        {"state": "stopped"},
        {"gone_at": NOON},
    ],
    ids=str,
)
def test_what_it_could_not_pay_for_is_no_rest(bought, fields):
    of(bought, **fields)

    assert worth(bought).rest == 0


def test_accounts_of_the_payer_count_and_others_do_not(bought):
    of(bought, account=make_account(payer=bought.account.number))
    of(bought, account=make_account())
    of(bought, account=make_account(payer="999999999999"))

    assert worth(bought).rest == 1


def test_only_what_the_person_sees_is_the_rest(bought):
    of(bought)

    assert purchase_worth(bought, Instance.objects.none()).rest == 0


def test_before_it_is_judged_no_rest_is_known(bought):
    bought.judged_at = None

    assert worth(bought).rest is None


def test_an_old_recording_counts_by_its_text(bought):
    of(bought, usage_operation=None, platform_details="Red Hat Enterprise Linux")

    assert worth(bought).rest == 1
