from fractions import Fraction

import pytest

from registry.audit.effects import Corrected
from registry.audit.purchases import TITLES, check
from registry.billing.coverage import PurchaseUse
from registry.billing.idle import Reason


def use(*reasons, used=2, idle=1):
    return PurchaseUse(
        used=Fraction(used),
        idle=Fraction(idle),
        applies=bool(used),
        reasons=reasons,
        covers=(),
        hourly_cost=None,
        idle_hourly_cost=None,
    )


@pytest.mark.parametrize(
    ("code", "rule", "severity"),
    [
        ("wrong_platform", "RI001", "medium"),
        ("wrong_size_not_flexible", "RI002", "medium"),
        ("wrong_tenancy", "RI002", "medium"),
        ("wrong_az", "RI002", "medium"),
        ("other_account_sharing_off", "RI002", "medium"),
        ("not_running", "RI002", "medium"),
        ("over_bought", "RI002", "medium"),
        ("no_instance_of_type", "RI002", "medium"),
    ],
)
def test_an_idle_purchase_breaks_a_rule(code, rule, severity):
    (violation,) = check(use(Reason(code, ("i-1",))))

    assert (violation.rule, violation.severity) == (rule, severity)
    assert TITLES[code].lower() in violation.title
    assert violation.message == (f"1 of 3 Reserved Instances pay for nothing. {TITLES[code]}: i-1.")
    assert violation.remedy


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(use(used=3, idle=0), id="fully used"),
        pytest.param(use(Reason("not_active", ()), used=0), id="not active"),
    ],
)
def test_a_purchase_that_wastes_nothing_breaks_nothing(found):
    assert check(found) == ()


def test_a_code_that_differs_counts_before_other_causes():
    (violation,) = check(use(Reason("wrong_az", ("i-1",)), Reason("wrong_platform", ("i-2",))))

    assert violation.rule == "RI001"


def test_three_instances_are_named_and_the_others_counted():
    (violation,) = check(use(Reason("wrong_az", tuple(f"i-{n}" for n in range(5)))))

    assert violation.message.endswith("Zone differs: i-0, i-1, i-2 and 2 more.")


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"i-1"}, "Zone differs: i-0; 1 in another account."),
        ({"i-0", "i-1"}, "Zone differs: 2 instances in other accounts."),
    ],
)
def test_instances_of_other_accounts_are_counted_and_not_named(others, words):
    (violation,) = check(use(Reason("wrong_az", ("i-0", "i-1"))), others=others)

    assert violation.message.endswith(words)


def test_without_instances_none_are_named():
    (violation,) = check(use(Reason("over_bought", ()), used=Fraction(1, 2), idle=Fraction(1, 2)))

    assert violation.message == "0.5 of 1 Reserved Instances pay for nothing."


RHEL = "Red Hat Enterprise Linux"
LOST = Corrected("ami-1", "RunInstances", "RunInstances:0010")


def test_of_an_image_that_lost_the_code_the_remedy_is_to_create_it_again():
    idle = use(Reason("wrong_platform", ("i-1", "i-2", "i-3")))
    lost = {"i-1": LOST, "i-2": LOST, "i-9": LOST}

    (violation,) = check(idle, RHEL, lost)

    assert (violation.rule, violation.severity) == ("RI001", "high")
    assert violation.title == "Reserved Instances idle: AMI lost its code"
    assert violation.message.endswith("AMI lost its code: ami-1, of i-1, i-2.")
    assert "Create ami-1 again" in violation.remedy[0]
    assert RHEL in violation.remedy[0]
    assert not any("wrong platform" in step for step in violation.remedy)


def test_an_image_that_other_accounts_run_is_not_named():
    idle = use(Reason("wrong_platform", ("i-1",)))

    (violation,) = check(idle, RHEL, {"i-1": LOST}, {"i-1"})

    assert violation.severity == "high"
    assert violation.message.endswith("AMI lost its code: that of 1 instance in another account.")
    assert violation.remedy[0].startswith("Create the AMI again with CreateImage")
    assert not any("ami-1" in step for step in violation.remedy)


@pytest.mark.parametrize(
    ("platform", "lost"),
    [
        pytest.param(RHEL, {}, id="nothing lost"),
        pytest.param(RHEL, {"i-9": LOST}, id="of another instance"),
        pytest.param("Windows", {"i-1": LOST}, id="another code"),
    ],
)
def test_where_no_image_lost_the_code_the_purchase_may_be_wrong(platform, lost):
    (violation,) = check(use(Reason("wrong_platform", ("i-1",))), platform, lost)

    assert (violation.rule, violation.severity) == ("RI001", "medium")
    assert violation.title == "Reserved Instances idle: billing code differs"
    assert any("wrong platform" in step for step in violation.remedy)


def test_a_lost_code_says_nothing_where_another_cause_is_named():
    (violation,) = check(use(Reason("wrong_az", ("i-1",))), RHEL, {"i-1": LOST})

    assert violation.rule == "RI002"
    assert "lost" not in violation.message
