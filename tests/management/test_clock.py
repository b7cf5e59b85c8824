import os
import signal
import threading

import django_rq
import pytest
from django.core.management import call_command
from django.db import connection

from registry.management.commands.clock import LOCK
from registry.models import Run, RunKind, RunState, Schedule
from tests.factories import NOON, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def soon_told_to_stop():
    """SIGTERM comes again and again from now on, as from an impatient supervisor."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    is_over = threading.Event()

    def tell():
        while not is_over.wait(0.05):
            os.kill(os.getpid(), signal.SIGTERM)

    teller = threading.Thread(target=tell)
    teller.start()
    yield
    is_over.set()
    teller.join()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def another_clock():
    """A clock on another connection that is at work."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    yield
    other.close()


@pytest.fixture(autouse=True)
def _end_of_the_clock():
    """The clock's lock goes with its connection, which the tests share."""
    yield
    connection.close()


def ids():
    return django_rq.get_queue("sync").job_ids


def test_it_gives_a_new_portal_its_schedules(soon_told_to_stop):
    call_command("clock")

    kinds = set(Schedule.objects.values_list("kind", flat=True))
    assert kinds == {"sync", "prices", "report", "bills"}


def test_it_asks_for_what_is_due_until_it_is_told_to_stop(soon_told_to_stop):
    run = make_run(kind=RunKind.SYNC)

    call_command("clock")

    assert ids() == [f"run-{run.pk}-0"]


def test_it_forgets_what_is_old(soon_told_to_stop):
    make_run(state=RunState.SUCCEEDED, finished_at=NOON.replace(year=2020))

    call_command("clock")

    assert Run.objects.count() == 0


def test_it_does_nothing_while_another_one_works(another_clock, soon_told_to_stop):
    make_run(kind=RunKind.SYNC)

    call_command("clock")

    assert ids() == []


def test_it_misses_a_tick_where_there_is_no_redis(soon_told_to_stop, settings, caplog):
    away = {"URL": "unix:///nonexistent/valkey.sock"}
    settings.RQ_QUEUES = {name: config | away for name, config in settings.RQ_QUEUES.items()}
    make_run(kind=RunKind.SYNC)

    call_command("clock")

    assert "The clock missed a tick" in caplog.text
    assert Run.objects.get().state == RunState.QUEUED
