"""The clock: it asks for what is due, again and again."""

import logging
import signal
import threading
from typing import Any

from django.core.management import BaseCommand
from django.db import Error, connection
from django.utils import timezone
from redis.exceptions import RedisError

from registry.jobs import housekeeping
from registry.jobs.schedules import ensure_schedules

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5.0
TICKS_AN_HOUR = 720
# One clock works at a time; the lock goes with its connection.
LOCK = 0x414D49434C4B


class Command(BaseCommand):
    help = "Ask for what is due, every five seconds, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        ticks = 0
        while True:
            self._tick(ticks)
            ticks += 1
            if stop.wait(PAUSE_SECONDS):
                return

    def _tick(self, ticks: int) -> None:
        try:
            if not _is_ours():
                return
            if ticks % TICKS_AN_HOUR == 0:
                ensure_schedules(at=timezone.now())
                housekeeping.forget_old(at=timezone.now())
            housekeeping.tick(at=timezone.now())
        except (Error, RedisError) as error:
            logger.warning("The clock missed a tick: %s", error)
            connection.close()


def _is_ours() -> bool:
    """Say whether this clock is the one that works; holding the lock again is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
