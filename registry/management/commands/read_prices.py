"""Read list prices."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from registry.jobs.prices import request_prices, run_prices
from registry.models import RunState


class Command(BaseCommand):
    help = "Ask for the list prices that are missing or old; with --now, read them here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="Here, not in a worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        run = request_prices(by=None)
        if run is None:
            raise CommandError(
                "No account reads list prices. Write reads_prices = true at one of them in the "
                "accounts file."
            )
        if not options["now"]:
            self.stdout.write(f"{run.ref} queued")
            return
        run_prices(run.pk)
        run.refresh_from_db()
        if run.state == RunState.FAILED:
            raise CommandError(run.error)
        self.stdout.write(run.note or f"{run.ref} is under way in a worker")
