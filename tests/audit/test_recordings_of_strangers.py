"""Recordings as others make them: the fewest members, old ones, hand-written ones.

Each is written out in the words of AWS and its answer was worked out on paper. Unlike published
examples they say what becomes of what AWS left out or never told.
"""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils.dateparse import parse_datetime

from tests.data.items import Item

pytestmark = pytest.mark.django_db
AT = "2026-06-01T12:00:00Z"
LINUX, WINDOWS, RHEL = "Linux/UNIX", "Windows", "Red Hat Enterprise Linux"
ONE, TWO, THREE = "100000000001", "100000000002", "100000000003"
PLAIN = {"PlatformDetails": LINUX, "UsageOperation": "RunInstances"}
AZ1 = {"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az1"}
ZONAL = {"Scope": "Availability Zone"}


def runs(name, kind, *, place=None, **members):
    """An instance with no more than it takes to know what it is."""
    item = {"InstanceId": f"i-{name}", "InstanceType": kind, "State": {"Name": "running"}}
    return item | ({} if place is None else {"Placement": place}) | (members or PLAIN)


def bought(name, kind, count=1, platform=LINUX, **members):
    item = {"ReservedInstancesId": f"ri-{name}", "InstanceType": kind, "InstanceCount": count}
    return item | {"ProductDescription": platform, "State": "active"} | members


def code(number):
    return {"UsageOperation": f"RunInstances:{number}"}


# By account: what runs and what was bought. Then the covered shares, and what is used and idle.
Case = tuple[dict[str, list[Item]], dict[str, float], dict[str, tuple[float, float]]]
CASES: dict[str, Case] = {
    "neither scope, zone, tenancy nor dates: regional, default tenancy, no end": (
        {ONE: [runs("a", "m5.xlarge"), bought("a", "m5.large", 2)]},
        {"i-a": 1},
        {"ri-a": (2, 0)},
    ),
    "zones by name alone, in the account of the buyer": (
        {
            ONE: [
                runs("a", "m5.large", place={"AvailabilityZone": "us-east-1a"}),
                runs("b", "m5.large", place={"AvailabilityZone": "us-east-1b"}),
                bought("a", "m5.large", 2, AvailabilityZone="us-east-1a"),
            ]
        },
        {"i-a": 1, "i-b": 0},
        {"ri-a": (1, 1)},
    ),
    "zones by name alone say nothing of another account": (
        {
            ONE: [bought("a", "m5.large", **ZONAL, AvailabilityZone="us-east-1a")],
            TWO: [runs("a", "m5.large", place={"AvailabilityZone": "us-east-1a"})],
        },
        {"i-a": 0},
        {"ri-a": (0, 1)},
    ),
    "the purchase tells the id of a zone that instances only name": (
        {
            ONE: [
                runs("a", "m5.large", place={"AvailabilityZone": "us-east-1a"}),
                bought("a", "m5.large", **ZONAL, **AZ1),
            ]
        },
        {"i-a": 1},
        {"ri-a": (1, 0)},
    ),
    "a zone of another account by its id, whatever each calls it, before one's own region": (
        {
            ONE: [
                runs("a", "m5.large", place={**AZ1, "AvailabilityZone": "us-east-1f"}),
                bought("a", "m5.large"),
            ],
            TWO: [bought("b", "m5.large", **ZONAL, **AZ1)],
        },
        {"i-a": 1},
        {"ri-a": (0, 1), "ri-b": (1, 0)},
    ),
    "the same name of a zone with another id is another zone": (
        {
            ONE: [bought("a", "m5.large", **ZONAL, **AZ1)],
            TWO: [runs("a", "m5.large", place={**AZ1, "AvailabilityZoneId": "use1-az4"})],
        },
        {"i-a": 0},
        {"ri-a": (0, 1)},
    ),
    "from before there was a usage operation": (
        {
            ONE: [
                runs("a", "m5.large", PlatformDetails="Windows"),
                runs("b", "m5.large", PlatformDetails=f"{RHEL} with High Availability"),
                runs("c", "m5.xlarge", PlatformDetails="Red Hat BYOL Linux"),
                runs("d", "m5.large", PlatformDetails="Windows with SQL Server Web"),
                bought("a", "m5.large", 1, WINDOWS),
                bought("b", "m5.large", 1, f"{RHEL} with HA"),
                bought("c", "m5.large", 1),
                bought("d", "m5.large", 1, "Windows with SQL Server Web (Amazon VPC)"),
            ]
        },
        {"i-a": 1, "i-b": 1, "i-c": 0.5, "i-d": 1},
        {"ri-a": (1, 0), "ri-b": (1, 0), "ri-c": (1, 0), "ri-d": (1, 0)},
    ),
    "its term counts, whatever its state says": (
        {
            ONE: [
                runs("a", "m5.large"),
                bought("a", "m5.large", End="2026-06-01T12:00:00+00:00"),
                bought("b", "m5.large", Start="2026-06-01T12:00:01Z", End="2027-06-01T12:00:00Z"),
                bought("c", "m5.large", State="payment-failed"),
                bought("d", "m5.large", State="queued-deleted"),
            ]
        },
        {"i-a": 0},
        {"ri-a": (0, 1), "ri-b": (0, 1), "ri-c": (0, 1), "ri-d": (0, 1)},
    ),
    "it pays from its first second to the last": (
        {
            ONE: [
                runs("a", "m5.large"),
                runs("b", "m5.large"),
                bought("a", "m5.large", Start="2026-06-01T12:00:00.000Z"),
                bought("b", "m5.large", End="2026-06-01T12:00:01.000Z"),
            ]
        },
        {"i-a": 1, "i-b": 1},
        {"ri-a": (1, 0), "ri-b": (1, 0)},
    ),
    "a nano pays an eighth of a medium": (
        {ONE: [runs("a", "t3.medium"), bought("a", "t3.nano")]},
        {"i-a": 0.125},
        {"ri-a": (1, 0)},
    ),
    "three micros, a small and a part of a large": (
        {
            ONE: [
                runs("a", "t4g.micro"),
                runs("b", "t4g.small"),
                runs("c", "t4g.large"),
                bought("a", "t4g.micro", 7),
            ]
        },
        {"i-a": 1, "i-b": 1, "i-c": 0.5},
        {"ri-a": (7, 0)},
    ),
    "metal by the table of its family, and by its size": (
        {
            ONE: [
                runs("a", "m6i.16xlarge"),
                runs("b", "m6i.16xlarge"),
                bought("a", "m6i.metal"),
                runs("c", "c7i.metal-24xl"),
                bought("c", "c7i.xlarge", 12),
                runs("d", "u-6tb1.56xlarge"),
                bought("d", "u-6tb1.metal"),
                runs("e", "z1d.metal"),
                bought("e", "z1d.3xlarge", 4),
            ]
        },
        {"i-a": 1, "i-b": 1, "i-c": 0.5, "i-d": 1, "i-e": 1},
        {"ri-a": (1, 0), "ri-c": (12, 0), "ri-d": (0.5, 0.5), "ri-e": (4, 0)},
    ),
    "a size without a factor is paid one for one, and flexes with no other": (
        {
            ONE: [
                runs("a", "m99.colossal"),
                runs("b", "m99.xlarge"),
                bought("a", "m99.colossal", 2),
                runs("c", "mac2.metal"),
                bought("c", "mac2.metal"),
            ]
        },
        {"i-a": 1, "i-b": 0, "i-c": 0},
        {"ri-a": (1, 1), "ri-c": (0, 1)},
    ),
    "a zonal purchase pays for its size alone, of a family that flexes as well": (
        {
            ONE: [
                runs("a", "m5.xlarge", place=AZ1),
                runs("b", "m5.large", place=AZ1),
                bought("a", "m5.large", 3, **ZONAL, **AZ1),
            ]
        },
        {"i-a": 0, "i-b": 1},
        {"ri-a": (1, 2)},
    ),
    "dedicated ones do not flex, hosts are never paid for": (
        {
            ONE: [
                runs("a", "m5.large", place={"Tenancy": "dedicated"}),
                runs("b", "m5.xlarge", place={"Tenancy": "dedicated"}),
                runs("c", "m5.large", place={"Tenancy": "host", "HostId": "h-1"}),
                bought("a", "m5.large", 2, InstanceTenancy="dedicated"),
                bought("c", "m5.large", 1, InstanceTenancy="host"),
            ]
        },
        {"i-a": 1, "i-b": 0, "i-c": 0},
        {"ri-a": (1, 1), "ri-c": (0, 1)},
    ),
    "what is not On-Demand is not paid for; what has an On-Demand reservation is": (
        {
            ONE: [
                runs("a", "p4d.24xlarge", InstanceLifecycle="capacity-block", **PLAIN),
                runs("b", "m5.large", InstanceLifecycle="spot", **PLAIN),
                runs(
                    "c",
                    "m5.large",
                    CapacityReservationId="cr-1",
                    CapacityReservationSpecification={"CapacityReservationPreference": "open"},
                    **PLAIN,
                ),
                bought("a", "p4d.24xlarge"),
                bought("b", "m5.large", 2),
            ]
        },
        {"i-a": 0, "i-b": 0, "i-c": 1},
        {"ri-a": (0, 1), "ri-b": (1, 1)},
    ),
    "the owner whole, then the smallest of all others together": (
        {
            ONE: [runs("a", "c5.2xlarge"), bought("a", "c5.xlarge", 4)],
            TWO: [runs("b", "c5.xlarge"), runs("c", "c5.large")],
            THREE: [runs("d", "c5.large"), runs("e", "c5.2xlarge")],
        },
        {"i-a": 1, "i-c": 1, "i-d": 1, "i-b": 1, "i-e": 0},
        {"ri-a": (4, 0)},
    ),
    "Red Hat flexes neither within an account nor over several": (
        {
            ONE: [bought("a", "m5.xlarge", 2, f"{RHEL} (Amazon VPC)")],
            TWO: [
                runs("a", "m5.xlarge", **code("0010")),
                runs("b", "m5.large", **code("0010")),
                runs("c", "m5.xlarge", **code("1010")),
            ],
        },
        {"i-a": 1, "i-b": 0, "i-c": 0},
        {"ri-a": (1, 1)},
    ),
    "a code that nobody knows yet is paid by no purchase": (
        {
            ONE: [
                runs("a", "m5.large", **code("0012")),
                runs("b", "m5.large", UsageOperation="RunInstances:FFP-0010"),
                bought("a", "m5.large"),
                bought("b", "m5.large", 1, RHEL),
                bought("c", "m5.large", 1, WINDOWS),
            ]
        },
        {"i-a": 0, "i-b": 0},
        {"ri-a": (0, 1), "ri-b": (0, 1), "ri-c": (0, 1)},
    ),
    "instances that never ran or run no more": (
        {
            ONE: [
                runs("a", "m5.large") | {"State": {"Code": 0, "Name": "pending"}},
                runs("b", "m5.large") | {"State": {"Code": 64, "Name": "stopping"}},
                runs("c", "m5.large") | {"State": {"Code": 48, "Name": "terminated"}},
                bought("a", "m5.large", 3),
            ]
        },
        {},
        {"ri-a": (0, 3)},
    ),
}
NAMES = list(CASES)


def own(number, name):
    """Tell the accounts and ids of a case from those of others."""
    return f"{number:06d}{name[6:]}" if name.isdigit() else f"{name}-{number}"


@pytest.fixture
def recording(tmp_path):
    """Write what each account has as the AWS command line does, and who pays for them all."""
    lines = []
    for number, (accounts, _, _) in enumerate(CASES.values()):
        for account, items in accounts.items():
            place = tmp_path / "dump" / own(number, account) / "us-east-1"
            place.mkdir(parents=True)
            machines = [
                each | {"InstanceId": own(number, each["InstanceId"])}
                for each in items
                if "InstanceId" in each
            ]
            purchases = [
                each | {"ReservedInstancesId": own(number, each["ReservedInstancesId"])}
                for each in items
                if "InstanceId" not in each
            ]
            reservations = [{"ReservationId": "r-1", "Instances": [each]} for each in machines]
            (place / "instances.json").write_text(json.dumps({"Reservations": reservations}))
            (place / "reserved-instances.json").write_text(
                json.dumps({"ReservedInstances": purchases})
            )
            lines += ["[[account]]", f'id = "{own(number, account)}"', f'name = "{number}"']
            lines += [f'payer = "{own(number, ONE)}"', 'regions = ["us-east-1"]', ""]
    (tmp_path / "accounts.toml").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def answer(recording):
    call_command("load_accounts", recording / "accounts.toml", stdout=StringIO())
    call_command("import_dump", recording / "dump", stdout=StringIO())
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "audit", as_of=parse_datetime(AT), format="json", stdout=out, stderr=StringIO()
        )
    return json.loads(out.getvalue())


def test_each_is_answered_as_on_paper(answer):
    found = {each["instance_id"]: each["covered"] for each in answer["instances"]}
    used = {
        each["reserved_instances_id"]: (each["used"], each["idle"])
        for each in answer["reserved_instances"]
    }

    wanted_found = {
        own(number, name): share
        for number, (_, covered, _) in enumerate(CASES.values())
        for name, share in covered.items()
    }
    wanted_used = {
        own(number, name): units
        for number, (_, _, use) in enumerate(CASES.values())
        for name, units in use.items()
    }
    assert found == wanted_found
    assert used == wanted_used
