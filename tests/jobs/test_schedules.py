from datetime import timedelta

import pytest

from registry.jobs.housekeeping import keep_schedule
from registry.jobs.schedules import ensure_schedules
from registry.models import Run, RunKind, Schedule, ScheduleKind
from tests.factories import NOON, make_schedule, make_scope

pytestmark = pytest.mark.django_db
TOMORROW = NOON + timedelta(days=1)


def test_a_new_portal_syncs_every_five_minutes_and_does_the_rest_once_a_day():
    ensure_schedules(at=NOON)

    assert sorted(Schedule.objects.values_list("kind", "every_minutes")) == [
        ("bills", None),
        ("prices", None),
        ("report", None),
        ("sync", 5),
    ]


def test_the_first_report_comes_with_the_next_night():
    ensure_schedules(at=NOON)
    nightly = Schedule.objects.get(kind=ScheduleKind.REPORT)

    assert not keep_schedule(nightly, at=NOON + timedelta(hours=1))
    assert keep_schedule(nightly, at=TOMORROW)
    assert Run.objects.get().kind == RunKind.REPORT


def test_the_first_sync_comes_at_once():
    make_scope()
    ensure_schedules(at=NOON)

    assert keep_schedule(Schedule.objects.get(kind=ScheduleKind.SYNC), at=NOON)
    assert Run.objects.get().kind == RunKind.SYNC


def test_what_somebody_changed_or_disabled_stays():
    make_schedule(kind="sync", daily_at=None, every_minutes=60)
    make_schedule(is_enabled=False)
    make_schedule(kind="bills")

    ensure_schedules(at=NOON)

    assert Schedule.objects.count() == 4
    assert not Schedule.objects.get(kind=ScheduleKind.REPORT).is_enabled


@pytest.mark.parametrize(
    ("schedules", "interval"),
    [
        pytest.param([], None, id="none"),
        pytest.param([{"every_minutes": 60}], timedelta(hours=1), id="every hour"),
        pytest.param([{"every_minutes": 60}, {"every_minutes": 5}], timedelta(minutes=5), id="two"),
        pytest.param([{"every_minutes": 60, "is_enabled": False}], None, id="disabled"),
    ],
)
def test_how_often_a_scope_is_read(schedules, interval):
    for fields in schedules:
        make_schedule(kind="sync", daily_at=None, **fields)
    make_schedule(kind="report")

    assert Schedule.objects.sync_interval() == interval
