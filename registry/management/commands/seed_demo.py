"""The people and accounts of the demo."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from registry import aws
from registry.jobs.bills import request_bills
from registry.jobs.prices import request_prices
from registry.jobs.reports import request_report
from registry.jobs.schedules import ensure_schedules
from registry.jobs.syncs import request_sync
from registry.models import Account, Grant, Image, Role, Run, Scope

PASSWORD = "look-around"  # noqa: S105  # of a simulated company, printed at every start
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
MANAGEMENT = "100000000001"
BILL = "s3://northwind-bills/cur/northwind"
DEVELOPERS_ACCOUNT = "dev-sandbox"
WAIT_SECONDS = 600


class Command(BaseCommand):
    help = "Make the demo's users and accounts and read the simulated company, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", action="store_true", help="Until everything is read.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is for the demo: make demo.")
        is_new = not Account.objects.exists()
        with transaction.atomic():
            self._accounts()
            self._people()
            ensure_schedules(at=timezone.now())
        if is_new:
            for scope in Scope.objects.synced():
                request_sync(scope, by=None)
        if options["wait"] and not Image.objects.exclude(judged_at=None).exists():
            self._wait()
            request_prices(by=None)
            request_report(by=None)
            request_bills(by=None)
        self.stdout.write("Sign in with one of these, password " + PASSWORD + ":")
        for role in Role:
            self.stdout.write(f"  {role.value}")

    def _accounts(self) -> None:
        for number, name in aws.list_accounts(aws.Access(), REGIONS[0]):
            account, _ = Account.objects.update_or_create(
                number=number,
                defaults={
                    "name": name,
                    "payer": MANAGEMENT,
                    "role_arn": f"arn:aws:iam::{number}:role/amiportal",
                    "external_id": f"northwind-{number[:4]}",
                    "reads_prices": number == MANAGEMENT,
                    "bill": BILL if number == MANAGEMENT else "",
                },
            )
            for region in REGIONS:
                Scope.objects.get_or_create(account=account, region=region)

    def _people(self) -> None:
        for role in Role:
            user, is_new = User.objects.get_or_create(
                username=role.value, defaults={"is_staff": role == Role.ADMIN}
            )
            if is_new:
                user.set_password(PASSWORD)
                user.save()
            account = None
            if role == Role.DEVELOPER:
                account = Account.objects.get(name=DEVELOPERS_ACCOUNT)
            Grant.objects.get_or_create(user=user, account=account, role=role)

    def _wait(self) -> None:
        """Return when every sync is over and everything is judged."""
        deadline = time.monotonic() + WAIT_SECONDS
        self.stdout.write("Reading the simulated company.")
        while time.monotonic() < deadline:
            is_busy = Run.objects.active().filter(kind__in=("sync", "audit")).exists()
            if not is_busy and Image.objects.exclude(judged_at=None).exists():
                return
            time.sleep(0.5)
        raise CommandError("The simulated company could not be read. The logs say more.")
