from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registry.billing.remedies import IdlePurchase, remedies

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RHEL, SUSE, WINDOWS = "Red Hat Enterprise Linux", "SUSE Linux", "Windows"
PLAIN = "RunInstances"
BOUGHT = IdlePurchase(
    platform=RHEL,
    instance_type="m5.large",
    region="eu-west-1",
    is_regional=True,
    tenancy="default",
    offering_class="standard",
    start=NOON - timedelta(days=100),
    end=NOON + timedelta(days=265),
    causes=("wrong_platform",),
    lost_images=("ami-1",),
    near_codes=frozenset({PLAIN}),
)


def found(**fields):
    return {each.code: each for each in remedies(replace(BOUGHT, **fields), at=NOON)}


def test_a_lost_code_is_put_right_first_and_the_impossible_comes_last():
    order = [(each.code, each.is_possible) for each in remedies(BOUGHT, at=NOON)]

    assert order == [
        ("correct", True),
        ("run", True),
        ("sell", True),
        ("expire", True),
        ("convert", False),
        ("exchange", False),
    ]


@pytest.mark.parametrize(
    ("causes", "codes"),
    [
        (("over_bought",), set()),
        (("no_instance_of_type",), set()),
        (("wrong_tenancy",), set()),
        (("wrong_platform",), {"correct", "convert"}),
        (("wrong_az",), {"modify"}),
        (("wrong_size_not_flexible", "over_bought"), {"modify"}),
        (("other_account_sharing_off", "not_running"), {"share", "start"}),
    ],
)
def test_each_cause_has_its_remedies_beside_those_that_are_always_there(causes, codes):
    assert found(causes=causes).keys() == codes | {"run", "exchange", "sell", "expire"}


@pytest.mark.parametrize(
    ("fields", "is_possible", "words"),
    [
        pytest.param({}, True, "ami-1 should be billed as Red Hat", id="one image"),
        pytest.param(
            {"lost_images": ("ami-1", "ami-2", "ami-3")},
            True,
            "ami-1, ami-2 and 1 more",
            id="three images",
        ),
        pytest.param({"lost_images": ()}, False, "Of no AMI", id="none lost it"),
        pytest.param({"lost_elsewhere": 2}, True, "ami-1 and 2 more should", id="some unnamed"),
        pytest.param(
            {"lost_images": (), "lost_elsewhere": 1},
            True,
            "1 AMI in accounts that you can't read should",
            id="none named",
        ),
    ],
)
def test_an_image_is_corrected_where_one_lost_the_code(fields, is_possible, words):
    remedy = found(**fields)["correct"]

    assert remedy.is_possible is is_possible
    assert words in remedy.why


@pytest.mark.parametrize(
    ("platform", "near", "is_possible", "words"),
    [
        pytest.param(RHEL, {PLAIN}, False, "from Linux/UNIX to Red Hat", id="a lost RHEL"),
        pytest.param(SUSE, {PLAIN}, False, "from Linux/UNIX to SUSE", id="a lost SUSE"),
        pytest.param(RHEL, {""}, False, "No platform details", id="a code left empty"),
        pytest.param(
            RHEL, {"RunInstances:00g0"}, True, "from Red Hat BYOL Linux to Red Hat", id="RHEL back"
        ),
        pytest.param(
            "Linux/UNIX",
            {"RunInstances:0010"},
            True,
            "from Red Hat Enterprise Linux to Red Hat BYOL Linux",
            id="RHEL to a subscription, which Linux pays for",
        ),
        pytest.param(
            WINDOWS, {"RunInstances:0800"}, True, "from Windows BYOL to Windows", id="Windows"
        ),
        pytest.param(WINDOWS, {PLAIN}, False, "from Linux/UNIX to Windows", id="no Windows"),
        pytest.param(RHEL, {None}, None, "isn't recorded", id="a code never recorded"),
        pytest.param(RHEL, set(), None, "isn't recorded", id="nothing near"),
    ],
)
def test_a_license_is_converted_only_where_aws_lists_it(platform, near, is_possible, words):
    remedy = found(platform=platform, near_codes=frozenset(near))["convert"]

    assert remedy.is_possible is is_possible
    assert words in remedy.why


@pytest.mark.parametrize(
    ("fields", "is_possible", "words"),
    [
        pytest.param(
            {"causes": ("wrong_az",), "is_regional": False}, True, "reserves no", id="zone"
        ),
        pytest.param({"causes": ("wrong_size_not_flexible",)}, False, "only for", id="RHEL"),
        pytest.param(
            {
                "causes": ("wrong_size_not_flexible",),
                "platform": "Linux/UNIX",
                "is_regional": False,
            },
            True,
            "other sizes",
            id="zonal Linux",
        ),
        pytest.param(
            {
                "causes": ("wrong_size_not_flexible",),
                "platform": "Linux/UNIX",
                "instance_type": "g4dn.xlarge",
                "is_regional": False,
            },
            False,
            "not in every family",
            id="a family that does not flex",
        ),
    ],
)
def test_what_a_modification_can_change(fields, is_possible, words):
    remedy = found(**fields)["modify"]

    assert remedy.is_possible is is_possible
    assert words in remedy.why


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("fields", "is_possible", "words"),
    [
        pytest.param({"offering_class": "standard"}, False, "It is standard", id="standard"),
        pytest.param({"offering_class": ""}, None, "never recorded", id="class not recorded"),
        pytest.param({"end": NOON + 24 * HOUR}, True, "worth as much", id="24 hours left"),
        pytest.param({"end": NOON + 23 * HOUR}, False, "24 hours", id="23 hours left"),
        pytest.param({"end": None}, None, "never recorded", id="end not recorded"),
    ],
)
def test_when_a_purchase_can_be_exchanged(fields, is_possible, words):
    remedy = found(**{"offering_class": "convertible"} | fields)["exchange"]

    assert remedy.is_possible is is_possible
    assert words in remedy.why


@pytest.mark.parametrize(
    ("fields", "is_possible", "words"),
    [
        pytest.param({}, True, "12 %", id="as it should be"),
        pytest.param({"offering_class": "convertible"}, False, "It is conv", id="convertible"),
        pytest.param({"offering_class": ""}, None, "never recorded", id="class not recorded"),
        pytest.param({"start": NOON - 30 * DAY}, True, "12 %", id="active for 30 days"),
        pytest.param(
            {"start": NOON - 29 * DAY}, False, "from 25 November 2026 on", id="active for 29 days"
        ),
        pytest.param({"end": NOON + 30 * DAY}, True, "12 %", id="a month left"),
        pytest.param({"end": NOON + 29 * DAY}, False, "Less than a month", id="29 days left"),
        pytest.param({"start": None}, None, "never recorded", id="start not recorded"),
        pytest.param({"end": None}, None, "never recorded", id="end not recorded"),
        pytest.param({"region": "eu-south-1"}, False, "opt in", id="a region to opt in to"),
    ],
)
def test_when_a_purchase_can_be_sold(fields, is_possible, words):
    remedy = found(**fields)["sell"]

    assert remedy.is_possible is is_possible
    assert words in remedy.why


def test_what_nothing_helps_against_ends_some_day():
    assert "It ends on 16 August 2027." in found()["expire"].why
    assert "never recorded" in found(end=None)["expire"].why


def test_new_work_runs_where_the_purchase_is_for():
    assert "m5.large with Red Hat Enterprise Linux in eu-west-1." in found()["run"].why
    why = found(is_regional=False, tenancy="dedicated")["run"].why
    assert "in its zone of eu-west-1, dedicated tenancy." in why
