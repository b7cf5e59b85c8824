"""PostgreSQL and Valkey for one run of the suite; they go with it, whatever ends it."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.guardian import Guardian
from sandbox.postgres import Postgres
from sandbox.valkey import Valkey


@dataclass(frozen=True)
class Services:
    database_url: str
    redis_url: str


def start() -> Services:
    """Start both servers on empty data; they are stopped when this process ends."""
    home = Path(tempfile.mkdtemp(prefix="amiportal-tests-"))
    guardian = Guardian()
    postgres = Postgres(home / "postgres", durable=False)
    valkey = Valkey(home / "valkey", durable=False)
    postgres.start(guardian)
    valkey.start(guardian)

    def stop() -> None:
        postgres.stop(guardian)
        valkey.stop(guardian)
        guardian.close()
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(stop)
    return Services(database_url=postgres.url("postgres"), redis_url=valkey.url)
