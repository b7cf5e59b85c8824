from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from registry.aws import (
    Access,
    AccessDenied,
    AwsError,
    Malformed,
    PriceRecord,
    Pricing,
    connect_pricing,
)
from registry.billing.on_demand import Kind
from registry.models import ListPrice
from registry.sync.prices import BATCH, Reading, needed_prices, read_prices
from tests.factories import (
    LATER,
    NOON,
    make_finding,
    make_image,
    make_instance,
    make_list_price,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
RHEL, WINDOWS = "RunInstances:0010", "RunInstances:0002"


def kind(code="RunInstances", instance_type="m5.large", tenancy="default", region="eu-west-1"):
    return Kind(region, instance_type, code, tenancy)


class Listing(Pricing):
    """Answers with what it was given, by instance type."""

    def __init__(self, **answers: PriceRecord | Exception) -> None:
        super().__init__(None)
        self.answers = answers

    def on_demand(self, *, instance_type: str, **rest: Any) -> PriceRecord:
        answer = self.answers.get(instance_type, PriceRecord(Decimal("0.2"), "USD", "SKU", NOON))
        if isinstance(answer, Exception):
            raise answer
        return answer


def read(listing, *kinds, at=NOON):
    reading = Reading()
    read_prices(listing, kinds, reading, at=at)
    return reading


# What is needed


def test_the_codes_of_running_instances_are_needed_the_most_needed_first():
    make_instance(usage_operation=RHEL)
    for _ in range(2):
        make_instance(usage_operation=WINDOWS)
    make_instance(instance_type="c5.large", tenancy="dedicated", usage_operation=RHEL)

    assert needed_prices(at=NOON) == [
        kind(WINDOWS),
        kind(RHEL, "c5.large", "dedicated"),
        kind(RHEL),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "stopped"},
        {"gone_at": NOON},
        {"lifecycle": "spot"},
        {"tenancy": "host"},
        {"tenancy": ""},
        {"instance_type": "mac2.metal"},
        {"instance_type": ""},
        {"usage_operation": ""},
        {"usage_operation": "Hourly"},
        {"usage_operation": None, "platform_details": "Plan 9"},
    ],
    ids=str,
)
def test_what_has_no_list_price_is_not_needed(fields):
    make_instance(**fields)

    assert needed_prices(at=NOON) == []


def test_red_hat_byol_is_charged_as_plain_linux():
    make_instance(usage_operation="RunInstances:00g0")

    assert needed_prices(at=NOON) == [kind()]


def test_an_old_recording_has_its_code_from_the_text():
    make_instance(usage_operation=None, platform_details="Red Hat Enterprise Linux")

    assert needed_prices(at=NOON) == [kind(RHEL)]


def test_the_code_that_instances_should_have_by_an_open_finding_is_needed():
    wrong = make_image(expected_usage_operation=RHEL)
    make_instance(image_id=wrong.aws_id)
    make_finding(image=wrong)
    right = make_image(expected_usage_operation=WINDOWS)
    make_instance(image_id=right.aws_id)
    make_finding(image=right, resolved_at=LATER, state="resolved")

    assert needed_prices(at=NOON) == [kind(), kind(RHEL)]


def test_what_active_purchases_pay_for_is_needed():
    make_reserved_instance(product_description="Red Hat Enterprise Linux", instance_count=3)
    make_reserved_instance(product_description="SUSE Linux", state="retired")
    make_reserved_instance(product_description="SUSE Linux", gone_at=NOON)
    make_reserved_instance(product_description="Plan 9")
    make_reserved_instance(product_description="Linux/UNIX (Amazon VPC)")

    assert needed_prices(at=NOON) == [kind(RHEL), kind()]


def test_what_was_read_within_a_week_is_not_needed_and_what_is_missing_comes_first():
    make_instance(usage_operation=RHEL)
    for _ in range(2):
        make_instance(usage_operation=WINDOWS)
    make_instance()
    make_list_price(usage_operation=WINDOWS, read_at=NOON - timedelta(days=7, seconds=1))
    make_list_price(read_at=NOON - timedelta(days=7), problem="None.")

    assert needed_prices(at=NOON) == [kind(RHEL), kind(WINDOWS)]


def test_however_many_there_are_the_database_is_asked_as_often(django_assert_num_queries):
    for number in range(3):
        image = make_image(expected_usage_operation=RHEL)
        make_finding(image=image)
        make_instance(image_id=image.aws_id, instance_type=f"m{number}.large")
        make_reserved_instance(instance_type=f"m{number}.large")

    with django_assert_num_queries(5):
        assert len(needed_prices(at=NOON)) == 6


# Reading


def test_a_price_is_kept_with_its_currency_its_sku_and_its_times():
    reading = read(Listing(), kind(RHEL))

    row = ListPrice.objects.get()
    assert (row.region, row.instance_type, row.usage_operation, row.tenancy) == kind(RHEL)
    assert (row.hourly, row.currency, row.sku) == (Decimal("0.2"), "USD", "SKU")
    assert (row.effective_at, row.read_at, row.problem) == (NOON, NOON, "")
    assert (reading.read, reading.unknown) == ({kind(RHEL)}, 0)


def test_what_was_known_is_replaced():
    make_list_price(read_at=NOON - timedelta(days=9))

    read(Listing(), kind(), at=LATER)

    row = ListPrice.objects.get()
    assert (row.hourly, row.read_at) == (Decimal("0.2"), LATER)


def test_what_the_list_does_not_tell_is_kept_as_unknown_with_its_reason():
    reading = read(Listing(**{"m5.large": PriceRecord(None, problem="AWS lists none.")}), kind())

    row = ListPrice.objects.get()
    assert (row.hourly, row.problem) == (None, "AWS lists none.")
    assert reading.unknown == 1


def test_an_error_leaves_what_is_known_and_keeps_what_was_read_before_it():
    make_list_price(instance_type="c5.large")
    listing = Listing(**{"c5.large": AccessDenied("No.")})
    reading = Reading()

    with pytest.raises(AccessDenied):
        read_prices(listing, [kind(), kind(instance_type="c5.large")], reading, at=LATER)

    assert ListPrice.objects.get(instance_type="c5.large").hourly == Decimal("0.10")
    assert ListPrice.objects.get(instance_type="m5.large").hourly == Decimal("0.2")
    assert reading.read == {kind()}


def test_an_answer_that_makes_no_sense_is_left_out_and_the_rest_read():
    make_list_price(instance_type="c5.large")
    listing = Listing(**{"c5.large": Malformed("Half.")})

    reading = read(listing, kind(instance_type="c5.large"), kind())

    assert ListPrice.objects.get(instance_type="c5.large").hourly == Decimal("0.10")
    assert reading.odd == {kind(instance_type="c5.large"): "Half."}
    assert reading.read == {kind()}


def test_a_question_that_aws_does_not_take_keeps_no_other_from_being_read():
    refused = AwsError("GetProducts: InvalidParameterException.")
    refused.code = "InvalidParameterException"
    listing = Listing(**{"c5.large": refused})

    reading = read(listing, kind(instance_type="c5.large"), kind())

    assert list(reading.odd) == [kind(instance_type="c5.large")]
    assert reading.read == {kind()}


def test_prices_are_written_many_at_once(django_assert_num_queries):
    kinds = [kind(instance_type=f"m{number}.large") for number in range(2 * BATCH)]

    with django_assert_num_queries(2):
        read(Listing(), *kinds)

    assert ListPrice.objects.count() == 2 * BATCH


def test_what_aws_answers_fits_its_columns(aws):
    pricing: Pricing = connect_pricing(Access(), "us-east-1")

    read(pricing, kind(RHEL), kind("RunInstances:00g0"))

    assert list(
        ListPrice.objects.order_by("usage_operation").values_list("problem", flat=True)
    ) == [
        "",
        "AWS lists no On-Demand price for it.",
    ]
