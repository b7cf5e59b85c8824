"""Make AMIs: one from options, or many from a CSV file."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from registry.forms.many import COLUMNS, Line, Unreadable, read_line, read_lines
from registry.forms.tags import written_tags
from registry.jobs.approvals import Late, confirm
from registry.jobs.registrations import ManyRefused, request_registrations, run_registration
from registry.models import MISMATCHES, Account, Method, Registration, Run, RunState
from registry.registration import Proposal, Wish, as_command, propose

MISMATCH, ERROR = 1, 2
_METHODS = (
    ("snap-", Method.SNAPSHOT, "snapshot_id"),
    ("i-", Method.INSTANCE, "source_instance_id"),
    ("ami-", Method.COPY, "source_image_id"),
)
_OPTIONS = ("account", "region", "description", "architecture", "boot_mode", "reason")


class Command(BaseCommand):
    help = (
        "Ask for AMIs; with --now, make them here. Exit code 0: queued or verified, "
        "1: a billing code differs, 2: error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "source",
            nargs="?",
            default="",
            help="What it is made of: snap-…, i-…, ami-… (a copy, with --to) or an S3 manifest.",
        )
        parser.add_argument("name", nargs="?", default="", help="The name of the AMI.")
        parser.add_argument("--account", default="", help="Account number.")
        parser.add_argument("--region", default="", help="Of the source.")
        parser.add_argument(
            "--expected", default="", help="What AWS must bill it as: RunInstances:0010."
        )
        parser.add_argument("--description", default="")
        parser.add_argument("--architecture", default="")
        parser.add_argument("--boot-mode", default="")
        parser.add_argument("--root-device", default="")
        parser.add_argument("--reason", default="", help="Why not the recommended way.")
        parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE")
        parser.add_argument("--to", action="append", default=[], metavar="REGION")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="COLUMN=VALUE",
            help=f"Any other column of the CSV file: {', '.join(COLUMNS)}.",
        )
        parser.add_argument("--csv", type=Path, help="Many images: a line for each.")
        parser.add_argument("--key", type=UUID, help="The same key twice is one request.")
        parser.add_argument(
            "--check", action="store_true", help="Only say what would become of it, and the call."
        )
        parser.add_argument(
            "--trial", action="store_true", help="Let AWS check it, and wait for --confirm."
        )
        parser.add_argument("--confirm", type=UUID, metavar="KEY", help="Go on after a trial.")
        parser.add_argument("--now", action="store_true", help="Here, not in a worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["confirm"]:
            confirmed = self._confirm(options["confirm"])
            if options["now"]:
                self._carry_out(confirmed)
            return
        key = options["key"] or uuid4()
        lines = _lines(options, key)
        wishes = [wish for line in lines for wish in line.wishes]
        _refuse(line for line in lines if line.problems)
        if options["check"]:
            self._show(propose(wishes, by=None))
            return
        registrations = self._ask(lines, wishes, key, is_trial=options["trial"])
        if options["now"]:
            self._carry_out(registrations)

    def _ask(
        self, lines: Sequence[Line], wishes: Sequence[Wish], key: UUID, *, is_trial: bool
    ) -> list[Registration]:
        batch = key if len(wishes) > 1 or is_trial else None
        try:
            found = request_registrations(wishes, by=None, batch=batch, is_trial=is_trial)
        except ManyRefused as error:
            owners = [line for line in lines for _ in line.wishes]
            for position, problems in error.problems.items():
                owners[position].problems |= problems
            _refuse(line for line in lines if line.problems)
            raise
        for registration in found:
            self.stdout.write(f"{registration.run.ref} queued, key {registration.key}")
        if is_trial:
            self.stdout.write(f"Go on with: manage.py register --confirm {key}")
        return found

    def _confirm(self, batch: UUID) -> list[Registration]:
        rows = Registration.objects.filter(batch=batch).select_related("run").order_by("pk")
        if not rows:
            raise CommandError(f"There is no trial {batch}.", returncode=ERROR)
        for registration in rows:
            try:
                confirm(registration.run, by=None)
            except PermissionDenied as error:
                raise CommandError(f"{registration.run.ref}: {error}", returncode=ERROR) from None
            except Late as error:
                self.stdout.write(str(error))
            else:
                self.stdout.write(f"{registration.run.ref} confirmed")
        return list(rows)

    def _show(self, proposals: Sequence[Proposal]) -> None:
        for proposal in proposals:
            name = proposal.registration.name
            if proposal.prediction:
                code = proposal.prediction.usage_operation or "not known"
                self.stdout.write(f"{name}: code {proposal.prediction.outcome}, {code}")
                for sentence in (*proposal.prediction.reasons, proposal.prediction.advice):
                    self.stdout.write(f"- {sentence}")
            for field, problem in proposal.problems.items():
                self.stdout.write(f"! {field}: {problem}")
            self.stdout.write(as_command(proposal.registration))
        if any(proposal.problems for proposal in proposals):
            raise CommandError("It can't be made as it is.", returncode=ERROR)

    def _carry_out(self, registrations: Sequence[Registration]) -> None:
        errors, is_mismatch = [], False
        for registration in registrations:
            run = _finished(registration.run)
            if run.state == RunState.FAILED:
                errors.append(run.error)
                continue
            self.stdout.write(run.note)
            for step in run.result.get("advice", []):
                self.stdout.write(f"- {step}")
            registration.refresh_from_db()
            is_mismatch |= registration.verdict in MISMATCHES
        if errors:
            raise CommandError("\n".join(errors), returncode=ERROR)
        if is_mismatch:
            sys.exit(MISMATCH)


def _lines(options: dict[str, Any], key: UUID) -> list[Line]:
    accounts = Account.objects.all()
    if not options["csv"]:
        return [read_line(1, _cells(options), key=key, accounts=accounts)]
    try:
        text = options["csv"].read_text(encoding="utf-8-sig")
        return read_lines(text, key=key, accounts=accounts)
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        raise CommandError(f"{options['csv']}: {error}", returncode=ERROR) from None


def _cells(options: dict[str, Any]) -> dict[str, str]:
    cells = dict(map(_pair, options["set"]))
    unknown = sorted(cells.keys() - set(COLUMNS))
    if unknown:
        raise CommandError(f"There is no column {', '.join(unknown)}.", returncode=ERROR)
    cells |= {name: options[name] for name in _OPTIONS if options[name]}
    source = options["source"]
    method, field = next(
        ((method, field) for start, method, field in _METHODS if source.startswith(start)),
        (Method.MANIFEST, "image_location"),
    )
    cells |= {
        "method": method,
        field: source,
        "name": options["name"],
        "expected_usage_operation": options["expected"],
        "destinations": " ".join(options["to"]),
    }
    if options["root_device"]:
        cells["root_device_name"] = options["root_device"]
    if options["tag"]:
        cells["tags"] = written_tags(_pair(text) for text in options["tag"])
    return cells


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"Write {text!r} as NAME=VALUE.", returncode=ERROR)
    return name, value


def _refuse(wrong: Iterator[Line]) -> None:
    texts = [
        f"Line {line.number}, {field}: {text}"
        for line in wrong
        for field, text in line.problems.items()
    ]
    if texts:
        said = "\n".join(texts)
        raise CommandError(f"Nothing was sent to AWS.\n{said}", returncode=ERROR)


def _finished(run: Run) -> Run:
    """Carry the run out, or watch a worker do it, until it is over or waits for somebody."""
    while True:
        with suppress(Exception):  # how it ended stands at the run
            run_registration(run.pk)
        run.refresh_from_db()
        if run.is_over or run.state == RunState.HELD:
            return run
        pause = (run.wake_at - timezone.now()).total_seconds() if run.wake_at else 1.0
        time.sleep(min(max(pause, 0.1), 60.0))
