from datetime import timedelta

import pytest

from registry.audit.findings import Found, reconcile
from registry.audit.waivers import facts_of
from registry.billing.rules import Violation
from registry.models import Activity, FindingState, Image
from tests.factories import (
    LATER,
    NOON,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_waiver,
)

pytestmark = pytest.mark.django_db
MUCH_LATER = LATER + timedelta(days=1)
RHEL = "RunInstances:0010"


def judged(waiver, *, severity="high", at=LATER, **found):
    """Let an audit find the same again, and return the waiver as it is then."""
    said = Violation("AMI001", severity=severity, title="Lost", message="Lost.", remedy=())
    reconcile("image", {waiver.finding.image.pk: [Found(said)]}, at=at)
    waiver.refresh_from_db()
    return waiver


@pytest.mark.parametrize("severity", ["high", "medium", "low"])
def test_a_waiver_holds_while_nothing_gets_worse(severity):
    waiver = judged(make_waiver(), severity=severity)

    assert (waiver.ended_at, waiver.ended_because) == (None, "")
    assert waiver.finding.state == FindingState.WAIVED
    assert not Activity.objects.filter(kind="unwaived").exists()


def test_a_waiver_ends_at_its_time_and_not_before():
    waiver = make_waiver(until=LATER)

    assert judged(waiver, at=LATER - timedelta(seconds=1)).ended_at is None
    assert judged(waiver, at=LATER).ended_at == LATER
    assert waiver.ended_because == "The waiver expired on 2026-11-24."


def test_waivers_end_in_every_batch(monkeypatch):
    monkeypatch.setattr("registry.audit.findings.BATCH", 2)
    image = make_image()
    waivers = [make_waiver(finding=make_finding(image=image, rule=rule)) for rule in "ABC"]
    worse = [Found(Violation(rule, "critical", "Lost", "Lost.", ())) for rule in "ABC"]

    reconcile("image", {image.pk: worse}, at=LATER)

    for waiver in waivers:
        waiver.refresh_from_db()
        assert (waiver.ended_at, waiver.finding.state) == (LATER, FindingState.REOPENED)


def test_a_waiver_ends_when_the_finding_gets_worse():
    waiver = judged(make_waiver(severity="medium"))

    assert waiver.ended_because == "It got worse: Medium was waived, High is."


@pytest.mark.parametrize("field", ["usage_operation", "expected_usage_operation"])
def test_a_waiver_ends_when_the_code_or_the_expectation_changes(field):
    image = make_image(usage_operation="RunInstances", expected_usage_operation=RHEL)
    waiver = make_waiver(finding=make_finding(image=image))
    Image.objects.filter(pk=image.pk).update(**{field: "RunInstances:0002"})

    judged(waiver)

    assert waiver.ended_at == LATER
    assert waiver.ended_because.startswith(
        "The code is not what was waived: RunInstances→RunInstances:0010 was, "
    )
    assert "RunInstances:0002" in waiver.ended_because


def test_a_waiver_that_ends_opens_its_finding_again():
    waiver = judged(make_waiver(until=LATER))

    waiver.finding.refresh_from_db()
    assert waiver.finding.state == FindingState.REOPENED
    assert waiver.finding.opened_at == NOON
    line = Activity.objects.get(kind="unwaived")
    assert (line.finding, line.at, line.by) == (waiver.finding, LATER, None)
    assert line.text == waiver.ended_because


def test_what_goes_away_and_comes_back_is_still_waived():
    waiver = make_waiver()
    finding = waiver.finding
    reconcile("image", {finding.image.pk: []}, at=LATER)
    finding.refresh_from_db()
    assert (finding.state, finding.resolved_at) == (FindingState.RESOLVED, LATER)

    judged(waiver, at=MUCH_LATER)

    finding.refresh_from_db()
    assert (finding.state, finding.resolved_at) == (FindingState.WAIVED, None)
    assert waiver.ended_at is None
    assert not Activity.objects.filter(kind="unwaived").exists()


def test_what_comes_back_worse_is_open_again():
    waiver = make_waiver(severity="medium")
    reconcile("image", {waiver.finding.image.pk: []}, at=LATER)

    judged(waiver, at=MUCH_LATER)

    waiver.finding.refresh_from_db()
    assert waiver.finding.state == FindingState.REOPENED
    assert waiver.ended_because == "It got worse: Medium was waived, High is."


def test_a_waiver_that_ended_long_ago_opens_nothing_and_does_not_end_again():
    over = {"until": LATER, "ended_at": NOON, "ended_because": "Reopened by ann."}
    first = make_waiver(**over)
    waiver = make_waiver(finding=first.finding)
    last = make_waiver(finding=first.finding, **over)

    assert judged(waiver).ended_at is None
    waiver.finding.refresh_from_db()
    assert waiver.finding.state == FindingState.WAIVED

    assert judged(waiver, at=waiver.until).ended_at == waiver.until
    for ended in (first, last):
        ended.refresh_from_db()
        assert (ended.ended_at, ended.ended_because) == (NOON, "Reopened by ann.")


def test_what_was_not_judged_keeps_its_waiver():
    waiver, judged_one = make_waiver(until=LATER), make_waiver()

    judged(judged_one)

    waiver.refresh_from_db()
    assert waiver.ended_at is None


@pytest.mark.parametrize(
    ("thing", "facts"),
    [
        ({"image": {"usage_operation": None, "expected_usage_operation": ""}}, "unknown→none"),
        (
            {"image": {"usage_operation": "RunInstances", "expected_usage_operation": RHEL}},
            "RunInstances→RunInstances:0010",
        ),
        ({"instance": {"usage_operation": RHEL}}, RHEL),
        ({"instance": {"usage_operation": ""}}, "none"),
        ({"reserved_instance": {}}, ""),
        (
            {"image": {"usage_operation": "x" * 64, "expected_usage_operation": "y"}},
            f"{'x' * 64}→y",
        ),
    ],
)
def test_a_waiver_is_of_the_code_as_it_is(thing, facts):
    make = {
        "image": make_image,
        "instance": make_instance,
        "reserved_instance": make_reserved_instance,
    }
    ((kind, fields),) = thing.items()

    assert facts_of(make_finding(**{kind: make[kind](**fields)})) == facts
