"""The Price List API: made-up prices of On-Demand instances, the same at every asking.

A price is that of the machine and, on top, that of the licences in the code, both by vCPU.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from sandbox.aws.billing import PLAIN
from sandbox.aws.errors import Refused
from sandbox.aws.reading import page
from sandbox.aws.scope import Scope

# Where the API answers, with the regions it knows and what is paid there.
_WORLD = {
    "us-east-1": "1.00",
    "us-west-2": "1.00",
    "ap-south-1": "1.05",
    "eu-west-1": "1.11",
    "eu-central-1": "1.20",
}
_CHINA = {"cn-north-1": "7.80", "cn-northwest-1": "7.10"}
ENDPOINTS = {
    "us-east-1": ("USD", _WORLD),
    "eu-central-1": ("USD", _WORLD),
    "ap-south-1": ("USD", _WORLD),
    "cn-northwest-1": ("CNY", _CHINA),
}
# Of one vCPU and hour.
_FAMILIES = {
    "t3": "0.0208",
    "m4": "0.0500",
    "m5": "0.0480",
    "m5n": "0.0595",
    "m6a": "0.0432",
    "m6i": "0.0480",
    "m7i": "0.0504",
    "c5": "0.0425",
    "c6a": "0.0383",
    "c6i": "0.0425",
    "c7i": "0.0446",
    "r5": "0.0630",
    "r6a": "0.0567",
    "r6i": "0.0630",
    "r6in": "0.0872",
    "r7i": "0.0662",
}
_VCPUS = {"medium": 2, "large": 2, "xlarge": 4}
_VCPUS |= {f"{times}xlarge": 4 * times for times in (2, 4, 8, 12, 16, 24)}
_NOTHING, _STANDARD, _WEB, _ENTERPRISE = "0", "0.1200", "0.0170", "0.3750"
_SYSTEMS = {"Linux": _NOTHING, "RHEL": "0.0288", "SUSE": "0.0250", "Windows": "0.0460"}
_SYSTEMS |= {"Ubuntu Pro": "0.0018", "Red Hat Enterprise Linux with HA": "0.0388"}
_SOFTWARE = {"NA": _NOTHING, "SQL Std": _STANDARD, "SQL Web": _WEB, "SQL Ent": _ENTERPRISE}
# By code: operating system and software. Red Hat BYOL is charged as plain Linux.
_HA = "Red Hat Enterprise Linux with HA"
_CODES = {
    PLAIN: ("Linux", "NA"),
    "RunInstances:0004": ("Linux", "SQL Std"),
    "RunInstances:0200": ("Linux", "SQL Web"),
    "RunInstances:0100": ("Linux", "SQL Ent"),
    "RunInstances:0010": ("RHEL", "NA"),
    "RunInstances:0014": ("RHEL", "SQL Std"),
    "RunInstances:0210": ("RHEL", "SQL Web"),
    "RunInstances:0110": ("RHEL", "SQL Ent"),
    "RunInstances:1010": (_HA, "NA"),
    "RunInstances:1014": (_HA, "SQL Std"),
    "RunInstances:1110": (_HA, "SQL Ent"),
    "RunInstances:000g": ("SUSE", "NA"),
    "RunInstances:0g00": ("Ubuntu Pro", "NA"),
    "RunInstances:0002": ("Windows", "NA"),
    "RunInstances:0006": ("Windows", "SQL Std"),
    "RunInstances:0202": ("Windows", "SQL Web"),
    "RunInstances:0102": ("Windows", "SQL Ent"),
    "RunInstances:0800": ("Windows", "NA"),
}
_BROUGHT = "RunInstances:0800"
_TENANCIES = {"Shared": "1.00", "Dedicated": "1.06"}
_PLACES = Decimal("0.0001")
_SINCE = "2026-11-01T00:00:00Z"
_TERM, _RATE = "JRTCKXETXF", "6YS6EN2CT7"  # AWS's codes for On-Demand and for an hour
_MOST = 100

Attributes = dict[str, str]


def list_price(region: str, kind: str, usage_operation: str, tenancy: str = "Shared") -> Decimal:
    """Return what an hour of an instance costs, in the currency of the region."""
    family, _, size = kind.partition(".")
    system, software = _CODES.get(usage_operation, _CODES[PLAIN])
    machine = Decimal(_FAMILIES[family]) * Decimal((_WORLD | _CHINA)[region])
    licence = _NOTHING if usage_operation == _BROUGHT else _SYSTEMS[system]
    by_vcpu = machine * Decimal(_TENANCIES[tenancy]) + Decimal(licence)
    return ((by_vcpu + Decimal(_SOFTWARE[software])) * _VCPUS[size]).quantize(_PLACES)


def get_products(scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the products that meet every filter, each as a text of JSON."""
    if scope.region not in ENDPOINTS:
        raise Refused("InvalidAction", f"The Price List API does not answer in {scope.region}.")
    currency, regions = ENDPOINTS[scope.region]
    found = _filtered(regions, params.get("Filters", [])) if _is_ec2(params) else []
    try:
        answer = page(found, {"MaxResults": _MOST, **params}, "PriceList")
    except Refused as error:
        raise Refused("InvalidNextTokenException", error.message) from None
    texts = [json.dumps(_described(one, currency)) for one in answer["PriceList"]]
    return answer | {"FormatVersion": "aws_v1", "PriceList": texts}


def _is_ec2(params: Mapping[str, Any]) -> bool:
    return bool(params["ServiceCode"] == "AmazonEC2")


def _filtered(regions: Iterable[str], filters: Iterable[Mapping[str, str]]) -> list[Attributes]:
    """Choose from what there is of each attribute before all of them are combined."""
    choices: dict[str, list[str]] = {
        "regionCode": sorted(regions),
        "instanceType": [f"{family}.{size}" for family, size in product(_FAMILIES, _VCPUS)],
        "operation": list(_CODES),
        "tenancy": list(_TENANCIES),
        "capacitystatus": ["Used", "UnusedCapacityReservation"],
    }
    later = []
    for wanted in filters:
        field = wanted["Field"]
        if field in choices:
            choices[field] = [value for value in choices[field] if _meets(value, wanted)]
        else:
            later.append(wanted)
    found = (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))
    whole = (one | _of_code(one["operation"]) for one in found)
    return [one for one in whole if all(_meets(one.get(w["Field"], ""), w) for w in later)]


def _of_code(usage_operation: str) -> Attributes:
    system, software = _CODES[usage_operation]
    is_brought = usage_operation == _BROUGHT
    return {
        "operatingSystem": system,
        "preInstalledSw": software,
        "licenseModel": "Bring your own license" if is_brought else "No License required",
    }


def _meets(value: str, wanted: Mapping[str, str]) -> bool:
    if wanted["Type"] in {"TERM_MATCH", "EQUALS"}:
        return value == wanted["Value"]
    if wanted["Type"] == "CONTAINS":
        return wanted["Value"] in value
    raise Refused("InvalidParameterException", f"{wanted['Type']} is not simulated.")


def _described(one: Attributes, currency: str) -> dict[str, Any]:
    sku = hashlib.sha256("/".join(one.values()).encode()).hexdigest()[:16].upper()
    hourly = list_price(one["regionCode"], one["instanceType"], one["operation"], one["tenancy"])
    dimension = {
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "description": f"{hourly} per On Demand {one['operatingSystem']} {one['instanceType']}",
        "rateCode": f"{sku}.{_TERM}.{_RATE}",
        "appliesTo": [],
        "pricePerUnit": {currency: f"{hourly:.10f}"},
    }
    term = {
        "sku": sku,
        "offerTermCode": _TERM,
        "effectiveDate": _SINCE,
        "termAttributes": {},
        "priceDimensions": {f"{sku}.{_TERM}.{_RATE}": dimension},
    }
    described = {"productFamily": "Compute Instance", "attributes": one, "sku": sku}
    return {
        "product": described,
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": {f"{sku}.{_TERM}": term}},
        "publicationDate": _SINCE,
    }


OPERATIONS = {"GetProducts": get_products}
