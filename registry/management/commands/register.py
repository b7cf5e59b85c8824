"""Register an AMI from a snapshot."""

import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from registry.jobs.registrations import request_registration, run_registration
from registry.models import MISMATCHES, Account, Registration, Run, RunState
from registry.registration import Refused

MISMATCH, ERROR = 1, 2


class Command(BaseCommand):
    help = (
        "Ask for an AMI from a snapshot; with --now, make it here. "
        "Exit code 0: queued or verified, 1: the billing code differs, 2: error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("snapshot", help="The snapshot of the root volume.")
        parser.add_argument("name", help="The name of the AMI.")
        parser.add_argument("--account", required=True, help="Account number.")
        parser.add_argument("--region", required=True)
        parser.add_argument(
            "--expected", required=True, help="What AWS must bill it as: RunInstances:0010."
        )
        parser.add_argument("--description", default="")
        parser.add_argument("--architecture", default="x86_64")
        parser.add_argument("--boot-mode", default="")
        parser.add_argument("--root-device", default="/dev/xvda")
        parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE")
        parser.add_argument("--key", type=UUID, help="The same key twice is one registration.")
        parser.add_argument("--now", action="store_true", help="Here, not in a worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.numbered(options["account"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['account']}.", returncode=ERROR)
        try:
            registration = request_registration(
                key=options["key"] or uuid4(),
                account=account,
                by=None,
                region=options["region"],
                snapshot_id=options["snapshot"],
                name=options["name"],
                expected_usage_operation=options["expected"],
                description=options["description"],
                architecture=options["architecture"],
                boot_mode=options["boot_mode"],
                root_device_name=options["root_device"],
                tags=dict(map(_tag, options["tag"])),
            )
        except Refused as error:
            problems = "\n".join(f"{field}: {text}" for field, text in error.problems.items())
            raise CommandError(f"Nothing was sent to AWS.\n{problems}", returncode=ERROR) from None
        self.stdout.write(f"{registration.run.ref} queued, key {registration.key}")
        if options["now"]:
            self._carry_out(registration)

    def _carry_out(self, registration: Registration) -> None:
        run = _finished(registration.run)
        if run.state == RunState.FAILED:
            raise CommandError(run.error, returncode=ERROR)
        self.stdout.write(run.note)
        for step in run.result.get("advice", []):
            self.stdout.write(f"- {step}")
        registration.refresh_from_db()
        if registration.verdict in MISMATCHES:
            sys.exit(MISMATCH)


def _finished(run: Run) -> Run:
    """Carry the run out, or watch a worker do it, until it is over."""
    while True:
        with suppress(Exception):  # how it ended stands at the run
            run_registration(run.pk)
        run.refresh_from_db()
        if run.is_over:
            return run
        pause = (run.wake_at - timezone.now()).total_seconds() if run.wake_at else 1.0
        time.sleep(min(max(pause, 0.1), 60.0))


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"Write the tag {text!r} as KEY=VALUE.", returncode=ERROR)
    return key, value
