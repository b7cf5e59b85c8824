from datetime import UTC, datetime, time

import pytest

from registry.models import Schedule


@pytest.mark.parametrize(
    ("rhythm", "at", "slot"),
    [
        pytest.param({"every_minutes": 5}, (12, 7), (24, 12, 5), id="between two"),
        pytest.param({"every_minutes": 5}, (12, 5), (24, 12, 5), id="at the minute"),
        pytest.param({"daily_at": time(2)}, (2, 0), (24, 2, 0), id="today"),
        pytest.param({"daily_at": time(2)}, (1, 59), (23, 2, 0), id="not yet today"),
    ],
)
def test_the_slot_of_a_schedule(rhythm, at, slot):
    schedule = Schedule(kind="sync", **rhythm)

    found = schedule.slot(datetime(2026, 11, 24, *at, tzinfo=UTC))

    assert found == datetime(2026, 11, *slot, tzinfo=UTC)
