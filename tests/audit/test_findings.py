from datetime import timedelta
from decimal import Decimal

import pytest

from registry.audit.findings import BATCH, Found, reconcile
from registry.billing.rules import Violation
from registry.models import Activity, Finding, FindingState
from tests.factories import (
    LATER,
    NOON,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
    make_waiver,
)

pytestmark = pytest.mark.django_db
EARLIER = NOON - timedelta(days=1)
MAKE = {
    "image": make_image,
    "instance": make_instance,
    "reserved_instance": make_reserved_instance,
}


def violation(rule="AMI001", cost=None, **fields):
    values = {"severity": "high", "title": "Billing code lost", "message": "Lost.", "remedy": ()}
    return Found(Violation(rule, **values | fields), cost=cost)


def timeline(finding):
    rows = Activity.objects.filter(finding=finding).order_by("pk")
    assert not rows.exclude(by=None).exists()
    return list(rows.values_list("kind", "text", "at"))


def test_a_violation_opens_a_finding():
    image = make_image()
    found = violation(remedy=("Create it again.", "Discard it."))

    reconcile("image", {image.pk: [found]}, at=NOON)

    finding = Finding.objects.get()
    assert (finding.image, finding.rule, finding.severity) == (image, "AMI001", "high")
    assert finding.state == FindingState.OPEN
    assert (finding.opened_at, finding.checked_at, finding.resolved_at) == (NOON, NOON, None)
    assert finding.remedy == ["Create it again.", "Discard it."]
    assert timeline(finding) == [("opened", "", NOON)]


def test_a_purchase_has_findings_with_their_cost():
    bought = make_reserved_instance()

    found = violation("RI001", cost=Decimal("109.50"))
    reconcile("reserved_instance", {bought.pk: [found]}, at=NOON)

    finding = Finding.objects.get()
    assert finding.reserved_instance == bought
    assert finding.monthly_cost == Decimal("109.50")


def test_a_finding_that_stays_is_kept():
    image = make_image()
    reconcile("image", {image.pk: [violation()]}, at=NOON)

    reconcile("image", {image.pk: [violation()]}, at=LATER)

    finding = Finding.objects.get()
    assert (finding.opened_at, finding.checked_at) == (NOON, LATER)
    assert timeline(finding) == [("opened", "", NOON)]


def test_what_a_person_made_of_a_finding_stays():
    finding = make_finding(state="in_progress")
    found = violation(severity="critical", message="Worse.")

    reconcile("image", {finding.image.pk: [found]}, at=LATER)

    finding.refresh_from_db()
    assert finding.state == FindingState.IN_PROGRESS
    assert (finding.severity, finding.message) == ("critical", "Worse.")
    assert timeline(finding) == [("severity", "From High to Critical.", LATER)]


def test_a_finding_without_its_violation_is_resolved():
    finding = make_finding()

    reconcile("image", {finding.image.pk: []}, at=LATER)

    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED
    assert (finding.resolved_at, finding.checked_at) == (LATER, LATER)
    assert timeline(finding) == [("resolved", "", LATER)]


def test_what_comes_back_is_the_same_finding_opened_again():
    ann = make_user()
    finding = make_finding(assignee=ann, opened_at=EARLIER)
    finding.watchers.add(ann)
    reconcile("image", {finding.image.pk: []}, at=NOON)

    reconcile("image", {finding.image.pk: [violation(severity="low")]}, at=LATER)

    again = Finding.objects.get()
    assert again == finding
    assert again.state == FindingState.REOPENED
    assert (again.opened_at, again.checked_at, again.resolved_at) == (LATER, LATER, None)
    assert (again.severity, again.message) == ("low", "Lost.")
    assert (again.assignee, again.watchers.get()) == (ann, ann)
    assert timeline(finding) == [("resolved", "", NOON), ("reopened", "", LATER)]


def test_of_several_resolved_the_last_comes_back():
    image = make_image()
    times = {"opened_at": EARLIER, "state": "resolved"}
    last = make_finding(image=image, resolved_at=NOON, **times)
    make_finding(image=image, resolved_at=EARLIER, **times)

    reconcile("image", {image.pk: [violation()]}, at=LATER)

    assert Finding.objects.open().get() == last


def test_another_rule_does_not_come_back():
    image = make_image()
    make_finding(image=image, rule="AMI002", state="resolved", resolved_at=NOON)

    reconcile("image", {image.pk: [violation("AMI001")]}, at=LATER)

    assert Finding.objects.open().get().state == FindingState.OPEN


def test_another_image_does_not_come_back():
    make_finding(state="resolved", resolved_at=NOON)

    reconcile("image", {make_image().pk: [violation()]}, at=LATER)

    assert Finding.objects.open().get().state == FindingState.OPEN


def test_one_thing_may_break_two_rules():
    image = make_image()

    reconcile("image", {image.pk: [violation("AMI001"), violation("AMI006")]}, at=NOON)

    assert sorted(Finding.objects.values_list("rule", flat=True)) == ["AMI001", "AMI006"]


def test_what_was_not_judged_is_left_alone():
    finding = make_finding()

    reconcile("image", {make_image().pk: []}, at=LATER)

    finding.refresh_from_db()
    assert finding.state == FindingState.OPEN
    assert finding.checked_at == NOON


@pytest.mark.parametrize("subject", MAKE)
def test_a_thing_of_each_kind_has_its_findings(subject):
    thing = MAKE[subject]()

    reconcile(subject, {thing.pk: [violation("AMI020")]}, at=NOON)
    reconcile(subject, {thing.pk: []}, at=LATER)

    assert Finding.objects.get().thing == thing
    assert Finding.objects.get().state == FindingState.RESOLVED


@pytest.mark.parametrize("subject", MAKE)
def test_the_findings_of_what_is_gone_are_resolved(subject):
    finding = make_finding(**{subject: MAKE[subject](gone_at=NOON)})

    reconcile(subject, {}, at=LATER, is_all=True)

    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED


def test_what_appeared_while_all_were_judged_keeps_its_findings():
    finding = make_finding()

    reconcile("image", {make_image().pk: []}, at=LATER, is_all=True)

    finding.refresh_from_db()
    assert finding.state == FindingState.OPEN


def test_images_and_purchases_do_not_mix():
    finding = make_finding(image=make_image(gone_at=NOON))

    reconcile("reserved_instance", {finding.image.pk: []}, at=LATER, is_all=True)

    finding.refresh_from_db()
    assert finding.state == FindingState.OPEN


def test_an_audit_as_of_an_earlier_time_resolves_nothing_before_it_was_opened():
    finding = make_finding(opened_at=NOON)

    reconcile("image", {finding.image.pk: []}, at=EARLIER)

    finding.refresh_from_db()
    assert finding.resolved_at == NOON


def test_a_title_is_cut_to_its_column():
    image = make_image()

    reconcile("image", {image.pk: [violation(title="x" * 300)]}, at=NOON)

    assert len(Finding.objects.get().title) == 200


@pytest.mark.parametrize("count", [1, 40])
def test_the_number_of_queries_does_not_grow(count, django_assert_num_queries):
    kept = [make_finding().image.pk for _ in range(count)]
    over = [make_finding().image.pk for _ in range(count)]
    waived = [make_waiver().finding.image.pk for _ in range(count)]
    resolved = {"state": "resolved", "resolved_at": NOON}
    back = [make_finding(**resolved).image.pk for _ in range(count)]
    new = [make_image().pk for _ in range(count)]
    changed = violation(message="Other.", severity="critical")
    violations = {pk: [changed] for pk in (*kept, *waived, *back, *new)} | {pk: [] for pk in over}

    with django_assert_num_queries(22):  # five of them begin, lock, and end a savepoint
        reconcile("image", violations, at=LATER)

    assert Finding.objects.filter(state=FindingState.REOPENED).count() == 2 * count


def test_everything_that_a_rule_says_now_is_taken_over():
    finding, other = make_finding(monthly_cost=Decimal("2.50")), make_finding()
    now = {"severity": "low", "title": "Größe", "message": 'A "new" one.', "remedy": ("Add \\.",)}
    dear = violation(cost=Decimal("0.10"))
    violations = {finding.image.pk: [violation(**now)], other.image.pk: [dear]}

    reconcile("image", violations, at=LATER)

    shown = ("severity", "title", "message", "remedy", "monthly_cost")
    assert list(Finding.objects.order_by("pk").values_list(*shown)) == [
        ("low", "Größe", 'A "new" one.', ["Add \\."], None),
        ("high", "Billing code lost", "Lost.", [], Decimal("0.10")),
    ]


def test_more_than_a_batch_is_changed_in_a_statement_for_each(django_assert_num_queries):
    image = make_image()
    rules = [f"R{number}" for number in range(BATCH + 1)]
    reconcile("image", {image.pk: [violation(rule) for rule in rules]}, at=NOON)
    worse = [violation(rule, severity="critical") for rule in rules]

    with django_assert_num_queries(11) as statements:  # five begin, lock, and end a savepoint
        reconcile("image", {image.pk: worse}, at=LATER)

    assert set(Finding.objects.values_list("severity", flat=True)) == {"critical"}
    assert not any("CASE" in row["sql"] for row in statements)
