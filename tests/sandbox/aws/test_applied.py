from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.aws.applied import Bought, Machine, apply

LINUX, RHEL = "Linux/UNIX", "Red Hat Enterprise Linux"
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def bought(aws_id, kind, count=1, **fields):
    about: dict[str, Any] = {
        "account": "a",
        "region": "us-east-1",
        "zone": "",
        "platform": LINUX,
        "tenancy": "default",
        "start": BEGIN,
        "end": END,
    }
    return Bought(aws_id=aws_id, kind=kind, count=count, **about | fields)


def machine(aws_id, kind, **fields):
    about = {
        "account": "a",
        "region": "us-east-1",
        "zone": "z1",
        "platform": LINUX,
        "tenancy": "default",
    }
    return Machine(aws_id=aws_id, kind=kind, **about | fields)


def paid(purchases, machines):
    return {aws_id: dict(shares) for aws_id, shares in apply(purchases, machines).items()}


def test_size_flexes_as_in_the_examples_of_aws():
    assert paid(
        [bought("p", "m4.large", 4)],
        [machine("1", "m4.xlarge"), machine("2", "m4.xlarge"), machine("3", "m4.xlarge")],
    ) == {"1": {"p": 32}, "2": {"p": 32}}
    assert paid([bought("p", "c4.large")], [machine("1", "c4.xlarge")]) == {"1": {"p": 16}}
    sizes = {"a": "m3.xlarge", "b": "m3.large", "c": "m3.xlarge", "d": "m3.large"}
    assert paid(
        [bought("p", "m3.2xlarge")], [machine(name, kind) for name, kind in sizes.items()]
    ) == {"b": {"p": 16}, "d": {"p": 16}, "a": {"p": 32}}


@pytest.mark.parametrize(
    "fields",
    [
        {"platform": RHEL},
        {"tenancy": "dedicated"},
        {"zone": "z2"},
        {"region": "eu-west-1"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_purchase_pays_for_its_likes_only(fields):
    assert paid([bought("p", "m5.large", **fields)], [machine("1", "m5.large")]) == {}


@pytest.mark.parametrize("fields", [{"platform": RHEL}, {"zone": "z1"}], ids=["RHEL", "zonal"])
def test_size_does_not_flex_with_a_licence_or_in_a_zone(fields):
    machines = [machine("1", "m5.large", platform=fields.get("platform", LINUX))]

    assert paid([bought("p", "m5.xlarge", **fields)], machines) == {}


def test_purchases_of_ones_own_account_come_first_but_zonal_ones_before_all():
    own, other = bought("own", "m5.large"), bought("other", "m5.large", account="b")
    zonal = bought("zonal", "m5.large", account="b", zone="z1")

    assert paid([other, own], [machine("1", "m5.large")]) == {"1": {"own": 16}}
    assert paid([own, zonal], [machine("1", "m5.large")]) == {"1": {"zonal": 16}}
