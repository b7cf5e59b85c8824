import json
from decimal import Decimal
from typing import Any

import pytest

from registry.aws import (
    Access,
    AccessDenied,
    AwsError,
    Malformed,
    Pricing,
    Throttled,
    Unreachable,
    connect_pricing,
    partition_of,
    pricing_region,
)
from sandbox.aws.pricing import list_price
from tests.sandbox.aws.things import client

RHEL = "RunInstances:0010"
ASKED = {
    "region": "eu-west-1",
    "instance_type": "m5.large",
    "usage_operation": RHEL,
    "tenancy": "default",
}


@pytest.fixture
def pricing(aws):
    return connect_pricing(Access(), pricing_region("aws"))


class Canned:
    """Answers with the pages that it was given, as botocore would hand them on."""

    def __init__(self, *pages: Any) -> None:
        self.pages = pages

    def get_paginator(self, method: str) -> "Canned":
        return self

    def paginate(self, **asked: Any) -> Any:
        return iter(self.pages)


def product(*prices, unit="Hrs", sku="ABC", **attributes):
    """A product as the API writes it, with a term of its own for each price."""
    described = {
        "operation": RHEL,
        "instanceType": "m5.large",
        "regionCode": "eu-west-1",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        **attributes,
    }
    terms = {
        f"{sku}.{number}": {
            "effectiveDate": "2026-11-01T00:00:00Z",
            "priceDimensions": {"one": {"unit": unit, "pricePerUnit": price}},
        }
        for number, price in enumerate(prices)
    }
    return {"product": {"sku": sku, "attributes": described}, "terms": {"OnDemand": terms}}


def read(*products):
    texts = [each if isinstance(each, str) else json.dumps(each) for each in products]
    return Pricing(Canned({"PriceList": texts})).on_demand(**ASKED)


def test_the_price_of_an_hour_is_read_with_its_sku_and_its_date(aws, pricing):
    found = pricing.on_demand(**ASKED)

    assert found.hourly == list_price("eu-west-1", "m5.large", RHEL)
    assert isinstance(found.hourly, Decimal)
    assert (found.currency, found.problem) == ("USD", "")
    assert found.sku
    assert found.effective_at.isoformat() == "2026-11-01T00:00:00+00:00"


def test_it_is_asked_for_by_operation_type_region_tenancy_and_what_is_used(aws, pricing):
    pricing.on_demand(**ASKED | {"tenancy": "dedicated"})

    (call,) = aws.calls
    assert (call.service, call.region) == ("pricing", "us-east-1")
    assert call.params["ServiceCode"] == "AmazonEC2"
    assert {each["Field"]: each["Value"] for each in call.params["Filters"]} == {
        "operation": RHEL,
        "instanceType": "m5.large",
        "regionCode": "eu-west-1",
        "tenancy": "Dedicated",
        "capacitystatus": "Used",
    }


def test_china_is_asked_where_it_answers_and_pays_in_its_own_money(aws):
    chinese = connect_pricing(Access(), pricing_region("aws-cn"))

    found = chinese.on_demand(**ASKED | {"region": "cn-north-1"})

    assert aws.calls[0].region == "cn-northwest-1"
    assert found.currency == "CNY"


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-iso", "aws-eusc", ""])
def test_a_partition_without_the_api_is_named(partition):
    with pytest.raises(AwsError, match=f"no Price List API .*{partition}"):
        pricing_region(partition)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("xx-nowhere-9", ""),
    ],
)
def test_a_region_lies_in_a_partition(region, partition):
    assert partition_of(region) == partition


def test_every_page_counts():
    pages = [{"PriceList": []}, {"PriceList": [json.dumps(product({"USD": "0.1"}))]}]

    assert Pricing(Canned(*pages)).on_demand(**ASKED).hourly == Decimal("0.1")


def test_a_price_is_never_read_as_a_float():
    text = json.dumps(product({"USD": "0.1"})).replace('"0.1"', "123456789.0123456789")

    assert read(text).hourly == Decimal("123456789.0123456789")


def test_a_product_need_not_repeat_all_that_was_asked():
    told = product({"USD": "0.1"})
    del told["product"]["attributes"]["regionCode"]

    assert read(told).hourly == Decimal("0.1")


def test_the_same_price_twice_is_one_price_and_the_first_sku_counts():
    found = read(product({"USD": "0.10"}, sku="B"), product({"USD": "0.1"}, sku="A"))

    assert (found.hourly, found.sku) == (Decimal("0.1"), "A")


@pytest.mark.parametrize(
    ("products", "sentence"),
    [
        ([], "lists no On-Demand price"),
        ([product()], "lists no On-Demand price"),
        ([product({"USD": "0.1"}), product({"USD": "0.2"})], "more than one"),
        ([product({"USD": "0.1"}, {"USD": "0.2"})], "more than one"),
        ([product({"USD": "0.1", "CNY": "0.1"})], "more than one"),
        ([product({"USD": "0.1"}, unit="vCPU-Hours")], "not one of an hour"),
        ([product({"EUR": "0.1"})], "currency"),
        ([product({"USD": "0.0000000000"})], "price of 0"),
        ([product({"USD": "0.1"}, instanceType="m5.xlarge")], "lists no On-Demand price"),
        ([product({"USD": "0.1"}, operation="RunInstances")], "lists no On-Demand price"),
    ],
)
def test_what_the_list_does_not_tell_clearly_is_unknown_and_says_why(products, sentence):
    found = read(*products)

    assert (found.hourly, found.currency, found.sku) == (None, "", "")
    assert sentence in found.problem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"product": []}',
        json.dumps(product({"USD": "dear"})),
        json.dumps(product({"USD": "-1"})),
        json.dumps(product({"USD": "NaN"})),
        json.dumps(product({"USD": None})),
        json.dumps(product({"USD": "99999999999"})),
        json.dumps(product({"USD": "1"})).replace('"1"', "NaN"),
        json.dumps(product({"USD": "1"})).replace("2026-11-01", "yesterday"),
        json.dumps(product({"USD": "1"}))[:-30],
        "[" * 100_000,
    ],
)
def test_a_product_that_makes_no_sense_is_malformed(text):
    with pytest.raises(Malformed):
        read(text)


@pytest.mark.parametrize("page", [{}, {"PriceList": None}, {"PriceList": [{}]}])
def test_an_answer_without_a_list_of_texts_is_malformed(page):
    with pytest.raises(Malformed, match="PriceList"):
        Pricing(Canned(page)).on_demand(**ASKED)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("access-denied", AccessDenied),
        ("throttle", Throttled),
        ("server-error", AwsError),
        ("applied-then-dropped", Unreachable),
        ("half-a-page", Malformed),  # of half a JSON text, botocore makes an empty answer
    ],
)
def test_an_error_has_our_name_and_the_operation(aws, fault, error):
    aws.fail("GetProducts", fault, times=None)
    impatient = Pricing(client(aws, "pricing", region="us-east-1"))

    with pytest.raises(error, match="GetProducts"):
        impatient.on_demand(**ASKED)
