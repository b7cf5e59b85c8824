"""From recorded answers of AWS to the audit's answer: what it must say, thing by thing."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils.dateparse import parse_datetime

pytestmark = pytest.mark.django_db
DATA = Path(__file__).parent.parent / "data"
PROD, BASE = "210987654321", "310987654321"
LINUX, RHEL = "RunInstances", "RunInstances:0010"
WINDOWS, SUSE = "RunInstances:0002", "RunInstances:000g"

# number: verdict, expected code, confidence, source, missing, unexpected, rules
IMAGES = {
    1: ("ok", RHEL, "strong", "instance", [], [], []),
    # registered from a snapshot of a RHEL server's root: the code was lost on the way
    2: ("lost", RHEL, "strong", "instance", ["RHEL"], [], ["AMI001", "AMI012"]),
    3: (
        "partial",
        "RunInstances:0006",
        "weak",
        "name",
        ["SQL Server Standard"],
        [],
        ["AMI002", "AMI012", "AMI014"],
    ),
    # imported from a data centre; AWS left its code empty
    4: ("lost", SUSE, "weak", "name", ["SUSE"], [], ["AMI001"]),
    5: ("ok", LINUX, "weak", "name", [], [], []),
    6: ("unknown", None, "none", "none", [], [], []),
    7: ("excused", RHEL, "weak", "name", ["RHEL"], [], []),
    8: ("unexpected", LINUX, "weak", "name", [], ["RHEL"], ["AMI003"]),
    9: ("wrong", RHEL, "strong", "instance", ["RHEL"], ["SUSE"], ["AMI004", "AMI012"]),
    # copied from the account of base images, which is in the recording as well
    10: ("lost", RHEL, "strong", "ancestor", ["RHEL"], [], ["AMI001"]),
    11: ("ok", "RunInstances:00g0", "weak", "name", [], [], []),
    12: ("unknown", None, "none", "none", [], [], ["AMI006"]),
    50: ("unknown", None, "none", "none", [], [], []),
    # recorded before there were codes
    70: ("unknown", RHEL, "weak", "name", [], [], []),
    71: ("unknown", WINDOWS, "medium", "name", [], [], []),
    72: ("ok", WINDOWS, "medium", "name", [], [], []),
}
# number: used, idle, reasons with instances, covered instances, cost and idle cost per hour
PURCHASES = {
    1: (2.0, 1.0, [("wrong_platform", [3, 4])], [(1, 1.0), (2, 1.0)], "0.45", "0.15"),
    2: (4.0, 0.0, [], [(5, 1.0), (6, 1.0)], "0.242", "0"),
    3: (1.0, 1.0, [("wrong_az", [8])], [(7, 1.0)], "0.108", "0.054"),
    4: (0.0, 1.0, [("not_active", [])], [], "0.2", "0"),
    5: (1.0, 0.0, [], [(9, 0.5)], "0.025", "0"),
    6: (0.0, 1.0, [("no_instance_of_type", [])], [], "4", "4"),
    7: (1.0, 2.0, [("over_bought", [])], [(11, 1.0)], "0.3", "0.2"),
    8: (0.0, 1.0, [("not_running", [12])], [], "0.7", "0.7"),
    9: (0.0, 1.0, [("wrong_tenancy", [13])], [], "0.15", "0.15"),
    10: (0.0, 1.0, [("wrong_size_not_flexible", [14])], [], None, None),
    11: (0.0, 1.0, [("not_active", [])], [], "0.06", "0"),
    # bought by the account of base images, used by the other
    51: (1.0, 0.0, [], [(10, 1.0)], "0.08", "0"),
}
# running instances, and how much of each is paid by purchases
COVERED = {
    **dict.fromkeys((1, 2, 5, 6, 7, 10, 11), 1.0),
    9: 0.5,
    **dict.fromkeys((3, 4, 8, 13, 14, 15), 0.0),
}


def number_of(aws_id):
    return int(aws_id[-4:], 16)


@pytest.fixture
def answer():
    """What the audit says after the accounts and the recording were taken in."""
    call_command("load_accounts", DATA / "accounts.toml", stdout=StringIO())
    call_command("import_dump", DATA / "recording", stdout=StringIO())
    out, at = StringIO(), parse_datetime("2026-11-24T12:00:00Z")
    with pytest.raises(SystemExit) as ended:
        call_command("audit", as_of=at, format="json", stdout=out, stderr=StringIO())
    assert ended.value.code == 1
    return json.loads(out.getvalue())


def test_every_image_is_judged(answer):
    found = {
        number_of(image["image_id"]): (
            image["verdict"],
            image["expected"]["usage_operation"],
            image["expected"]["confidence"],
            image["expected"]["source"],
            image["missing"],
            image["unexpected"],
            image["rules"],
        )
        for image in answer["images"]
    }

    assert found == IMAGES


def test_every_image_is_where_it_was_recorded(answer):
    places = {number_of(i["image_id"]): (i["account"], i["region"]) for i in answer["images"]}

    assert places == {
        **dict.fromkeys(range(1, 13), (PROD, "us-east-1")),
        50: (BASE, "us-east-1"),
        **dict.fromkeys((70, 71, 72), (PROD, "eu-west-1")),
    }


def test_what_was_not_recorded_is_null_and_what_was_empty_is_empty(answer):
    codes = {
        number_of(image["image_id"]): (image["platform_details"], image["usage_operation"])
        for image in answer["images"]
    }

    assert codes[4] == ("", "")
    assert codes[70] == (None, None)
    assert codes[72] == ("Windows", None)


def test_every_purchase_is_applied(answer):
    found = {
        number_of(bought["reserved_instances_id"]): (
            bought["used"],
            bought["idle"],
            [
                (reason["code"], [number_of(aws_id) for aws_id in reason["instance_ids"]])
                for reason in bought["reasons"]
            ],
            [(number_of(cover["instance_id"]), cover["fraction"]) for cover in bought["covers"]],
            bought["hourly_cost"],
            bought["idle_hourly_cost"],
        )
        for bought in answer["reserved_instances"]
    }

    assert found == PURCHASES


def test_a_purchase_applies_where_it_is_used(answer):
    applies = {
        number_of(bought["reserved_instances_id"]): bought["applies"]
        for bought in answer["reserved_instances"]
    }

    assert applies == {number: used > 0 for number, (used, *_) in PURCHASES.items()}


def test_every_running_instance_has_its_share(answer):
    shares = {number_of(i["instance_id"]): i["covered"] for i in answer["instances"]}

    assert shares == COVERED
