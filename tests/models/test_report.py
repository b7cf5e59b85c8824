from datetime import datetime, time

import pytest

from registry.models import Schedule


@pytest.mark.parametrize(
    ("rhythm", "at", "slot"),
    [
        pytest.param({"every_minutes": 5}, "24T12:07Z", "24T12:05Z", id="between two"),
        pytest.param({"every_minutes": 5}, "24T12:05Z", "24T12:05Z", id="at the minute"),
        pytest.param({"daily_at": time(2)}, "24T02:00Z", "24T02:00Z", id="today"),
        pytest.param({"daily_at": time(2)}, "24T01:59Z", "23T02:00Z", id="not yet today"),
    ],
)
def test_the_slot_of_a_schedule(rhythm, at, slot):
    schedule = Schedule(kind="sync", **rhythm)

    found = schedule.slot(datetime.fromisoformat(f"2026-11-{at}"))

    assert found == datetime.fromisoformat(f"2026-11-{slot}")
