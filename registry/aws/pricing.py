"""What AWS lists for an hour of an On-Demand instance: its Price List API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn

from botocore.exceptions import UnknownRegionError
from botocore.session import get_session

from registry.aws.errors import AwsError, translated
from registry.aws.members import SHORT, Item, Malformed, amount, moment, part, words

# Where the API is asked, by partition. The others have none.
_ENDPOINTS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}
CURRENCIES = ("USD", "CNY")
TENANCIES = {"default": "Shared", "dedicated": "Dedicated"}
_HOUR = "Hrs"
_PAGE = 100
_DEAREST = Decimal(10**10)  # what a column of an hourly price holds, and its places
_PLACES = Decimal("1E-10")


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """What one hour costs. None: the list does not tell, and `problem` says why."""

    hourly: Decimal | None
    currency: str = ""
    sku: str = ""
    effective_at: datetime | None = None
    problem: str = ""


class Pricing:
    """The price list of one partition. Only whole answers count, as with EC2."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def on_demand(
        self, *, region: str, instance_type: str, usage_operation: str, tenancy: str
    ) -> PriceRecord:
        """Return the price of a running instance, which has one of TENANCIES."""
        wanted = {
            "operation": usage_operation,
            "instanceType": instance_type,
            "regionCode": region,
            "tenancy": TENANCIES[tenancy],
            "capacitystatus": "Used",
        }
        filters = [
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in wanted.items()
        ]
        pages = self._client.get_paginator("get_products").paginate(
            ServiceCode="AmazonEC2", Filters=filters, PaginationConfig={"PageSize": _PAGE}
        )
        with translated("GetProducts"):
            answers = list(pages)
        offers = [
            offer for page in answers for text in _texts(page) for offer in _offers(text, wanted)
        ]
        return _settled(offers)


@lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """Return the partition that a region is in, such as aws-cn; "" where nobody knows it."""
    try:
        return str(_botocore().get_partition_for_region(region))
    except UnknownRegionError:
        return ""


@lru_cache(maxsize=1)
def _botocore() -> Any:
    """Return what knows the regions: to read its file takes longer than to ask it."""
    return get_session()


def pricing_region(partition: str) -> str:
    """Return where the list prices of a partition are asked for; AwsError where it has none."""
    if partition not in _ENDPOINTS:
        named = f"in the partition {partition}" if partition else "for an unknown partition"
        raise AwsError(f"AWS has no Price List API {named}.")
    return _ENDPOINTS[partition]


@dataclass(frozen=True, slots=True)
class _Offer:
    """A price as it is listed; `unit` is what it is for."""

    hourly: Decimal
    currency: str
    unit: str
    sku: str
    effective_at: datetime | None


def _texts(page: Item) -> list[str]:
    texts = page.get("PriceList")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Malformed("GetProducts: PriceList is not a list of texts")
    return texts


def _offers(text: str, wanted: dict[str, str]) -> Iterator[_Offer]:
    """Read a product; one that says that it is not what was asked for has no offers."""
    product = _read(text)
    described = part(product, "product")
    attributes = part(described, "attributes")
    if any(words(attributes, name) not in {value, ""} for name, value in wanted.items()):
        return
    for term in _parts(part(product, "terms"), "OnDemand"):
        for dimension in _parts(term, "priceDimensions"):
            prices = part(dimension, "pricePerUnit")
            for currency in prices:
                hourly = amount(prices, currency)
                if hourly is None or hourly >= _DEAREST:
                    raise Malformed(f"GetProducts: {currency} is not a price")
                yield _Offer(
                    hourly=hourly.quantize(_PLACES),
                    currency=currency,
                    unit=words(dimension, "unit", SHORT),
                    sku=words(described, "sku", SHORT),
                    effective_at=moment(term, "effectiveDate"),
                )


def _read(text: str) -> Item:
    try:
        # Never a float: what they make of a price is not the price.
        found = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Malformed("GetProducts: a product is no JSON") from None
    if not isinstance(found, dict):
        raise Malformed("GetProducts: a product is not an object")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _parts(item: Item, name: str) -> list[Item]:
    """Return the parts of a part, whose names are codes that say nothing."""
    whole = part(item, name)
    return [part(whole, code) for code in whole]


def _settled(offers: list[_Offer]) -> PriceRecord:
    """Return the one price that the offers tell; none where they are not of one mind."""
    if not offers:
        return _unknown("AWS lists no On-Demand price for it.")
    for offer in offers:
        if offer.unit != _HOUR:
            return _unknown("AWS lists a price for it that is not one of an hour.")
        if offer.currency not in CURRENCIES:
            return _unknown("AWS lists its price in a currency that the portal does not know.")
        if not offer.hourly:
            return _unknown("AWS lists a price of 0 for it, which no running instance has.")
    if len({(offer.hourly, offer.currency) for offer in offers}) > 1:
        return _unknown("AWS lists more than one On-Demand price for it.")
    first = min(offers, key=lambda offer: offer.sku)
    return PriceRecord(first.hourly, first.currency, first.sku, first.effective_at)


def _unknown(problem: str) -> PriceRecord:
    return PriceRecord(None, problem=problem)
