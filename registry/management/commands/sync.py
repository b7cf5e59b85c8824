"""Read AWS."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from registry.jobs.syncs import request_sync, run_sync
from registry.models import RunState, Scope


class Command(BaseCommand):
    help = "Ask for a sync of every scope, or of those named; with --now, do it here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="Only this account number.")
        parser.add_argument("--region", help="Only this region.")
        parser.add_argument("--now", action="store_true", help="Here, not in a worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = Scope.objects.synced().select_related("account").order_by("pk")
        if options["account"]:
            scopes = scopes.filter(account__number=options["account"])
        if options["region"]:
            scopes = scopes.filter(region=options["region"])
        if not scopes:
            raise CommandError("There is no such scope. Declare accounts with load_accounts.")
        failed = [scope for scope in scopes if not self._sync(scope, now=options["now"])]
        if failed:
            raise CommandError(f"{len(failed)} of {len(scopes)} scopes could not be read.")

    def _sync(self, scope: Scope, *, now: bool) -> bool:
        run = request_sync(scope, by=None)
        if not now:
            self.stdout.write(f"{scope}: {run.ref} queued")
            return True
        try:
            run_sync(run.pk)
        except Exception as error:  # noqa: BLE001  # it is recorded at the run; go on with the next
            self.stderr.write(f"{scope}: {error}")
            return False
        run.refresh_from_db()
        if run.state == RunState.FAILED:
            self.stderr.write(f"{scope}: {run.error}")
            return False
        self.stdout.write(f"{scope}: {run.note or f'{run.ref} is under way in a worker'}")
        return True
