import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.pricing import list_price
from tests.sandbox.aws.things import client, code_of

RHEL = "RunInstances:0010"


def ask(aws, region="us-east-1", **wanted):
    filters = [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in wanted.items()]
    asked = {"ServiceCode": "AmazonEC2", "Filters": filters}
    return client(aws, "pricing", region=region).get_products(**asked)


def products(answer):
    return [json.loads(text) for text in answer["PriceList"]]


def one(aws, **changes):
    wanted = {
        "operation": RHEL,
        "instanceType": "m5.large",
        "regionCode": "eu-west-1",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        **changes,
    }
    (found,) = products(ask(aws, **wanted))
    return found


def price_of(found, currency="USD"):
    (term,) = found["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert dimension["unit"] == "Hrs"
    return Decimal(dimension["pricePerUnit"][currency])


def test_one_product_meets_the_five_filters_and_says_what_it_is(aws):
    found = one(aws)

    assert found["product"]["attributes"] == {
        "regionCode": "eu-west-1",
        "instanceType": "m5.large",
        "operation": RHEL,
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "operatingSystem": "RHEL",
        "preInstalledSw": "NA",
        "licenseModel": "No License required",
    }
    assert price_of(found) == list_price("eu-west-1", "m5.large", RHEL)


def test_the_price_is_the_same_at_every_asking(aws):
    assert one(aws) == one(aws)


def test_a_licence_comes_on_top_of_the_machine(aws):
    plain = price_of(one(aws, operation="RunInstances"))

    assert price_of(one(aws)) > plain
    assert price_of(one(aws, operation="RunInstances:0014")) > price_of(one(aws))
    assert price_of(one(aws, operation="RunInstances:0800")) == plain
    assert price_of(one(aws, tenancy="Dedicated")) > price_of(one(aws))


def test_china_has_prices_of_its_own(aws):
    wanted = {"instanceType": "m5.large", "operation": RHEL, "tenancy": "Shared"}
    asked = wanted | {"regionCode": "cn-north-1", "capacitystatus": "Used"}

    (found,) = products(ask(aws, "cn-northwest-1", **asked))

    assert price_of(found, "CNY") > 0
    assert not products(ask(aws, "us-east-1", **asked))


@pytest.mark.parametrize(
    "wanted",
    [
        {"instanceType": "m5.gigantic"},
        {"operation": "RunInstances:00g0"},
        {"regionCode": "mars-north-1"},
        {"operatingSystem": "Plan 9"},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
def test_what_there_is_not_has_no_products(aws, wanted):
    assert products(ask(aws, **wanted)) == []


def test_filters_also_look_at_what_the_code_says_and_inside_of_values(aws):
    systems = {"operatingSystem": "SUSE", "instanceType": "m5.large", "regionCode": "eu-west-1"}
    found = products(ask(aws, **systems))
    inside = [{"Type": "CONTAINS", "Field": "operation", "Value": ":000g"}]
    answer = client(aws, "pricing", region="us-east-1").get_products(
        ServiceCode="AmazonEC2", Filters=inside, MaxResults=3
    )

    operations = [each["product"]["attributes"]["operation"] for each in found + products(answer)]
    assert len(found) == 4  # two tenancies, two states of capacity
    assert set(operations) == {"RunInstances:000g"}


def test_pages_come_one_after_another_until_there_is_no_more(aws):
    filters = [{"Type": "EQUALS", "Field": "instanceType", "Value": "m5.large"}]
    pages = client(aws, "pricing", region="us-east-1").get_paginator("get_products")
    asked = {"ServiceCode": "AmazonEC2", "Filters": filters}

    sizes = [len(page["PriceList"]) for page in pages.paginate(**asked)]
    found = {text for page in pages.paginate(**asked) for text in page["PriceList"]}

    assert sizes == [100, 100, 100, 60]
    assert len(found) == 360


def test_what_is_not_simulated_is_refused(aws):
    pricing = client(aws, "pricing", region="us-east-1")
    any_of = [{"Type": "ANY_OF", "Field": "operation", "Value": RHEL}]
    calls: dict[str, tuple[Any, dict[str, Any]]] = {
        "InvalidParameterException": (pricing, {"Filters": any_of}),
        "InvalidNextTokenException": (pricing, {"NextToken": "nonsense"}),
        "InvalidAction": (client(aws, "pricing", region="eu-west-1"), {}),
    }

    for code, (asked, parameters) in calls.items():
        with pytest.raises(ClientError) as refused:
            asked.get_products(ServiceCode="AmazonEC2", **parameters)
        assert code_of(refused.value) == code


def test_other_services_have_no_products(aws):
    answer = client(aws, "pricing", region="us-east-1").get_products(ServiceCode="AmazonS3")

    assert products(answer) == []
