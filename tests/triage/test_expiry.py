from datetime import timedelta

import pytest

from registry.audit.findings import reconcile
from registry.models import Activity, Waiver
from registry.triage import expire_waivers
from registry.triage.expiry import BATCH
from tests.factories import LATER, NOON, make_finding, make_image, make_waiver

pytestmark = pytest.mark.django_db


def test_a_waiver_that_has_run_out_opens_its_finding_again():
    waiver, other = make_waiver(until=LATER), make_waiver(until=LATER + timedelta(seconds=1))

    assert expire_waivers(at=LATER) == 1

    waiver.refresh_from_db()
    other.refresh_from_db()
    assert waiver.finding.state == "reopened"
    assert waiver.finding.opened_at == NOON
    assert (waiver.ended_at, waiver.ended_because) == (
        LATER,
        "The waiver expired on 2026-11-24.",
    )
    line = Activity.objects.get()
    assert (line.finding, line.kind, line.by) == (waiver.finding, "unwaived", None)
    assert line.text == waiver.ended_because
    assert (other.finding.state, other.ended_at) == ("waived", None)


def test_a_waiver_runs_out_also_while_there_is_nothing_to_waive():
    waiver = make_waiver(until=LATER)
    reconcile("image", {waiver.finding.image.pk: []}, at=NOON)

    expire_waivers(at=LATER)

    waiver.refresh_from_db()
    assert waiver.ended_at == LATER
    assert waiver.finding.state == "resolved"


def test_a_waiver_expires_once():
    make_waiver(until=LATER)
    expire_waivers(at=LATER)

    assert expire_waivers(at=LATER) == 0
    assert Activity.objects.count() == 1


def test_while_none_has_run_out_it_takes_one_query(django_assert_num_queries):
    make_waiver()

    with django_assert_num_queries(1):
        expire_waivers(at=LATER)


def test_more_than_a_batch_expires():
    first = make_waiver(until=LATER)
    image = make_image()
    for number in range(BATCH):
        first.pk = None
        first.finding = make_finding(image=image, rule=f"R{number}", state="waived")
        first.save()

    assert expire_waivers(at=LATER) == BATCH + 1
    assert not Waiver.objects.filter(ended_at=None).exists()
