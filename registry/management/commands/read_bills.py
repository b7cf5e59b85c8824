"""Read what AWS bills."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from registry.jobs.bills import read_folder, request_bills, run_bills
from registry.models import RunState
from registry.models.account import ACCOUNT_NUMBER
from registry.sync.bills import BillProblem, Interrupted


class Command(BaseCommand):
    help = (
        "Read Cost and Usage Reports here and now: this month and the last of every account that "
        "says where its report lies, or every month in FOLDER."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="With a report, or its months.")
        parser.add_argument("--payer", default="", help="Number of the account that pays.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, payer = options["folder"], options["payer"]
        if bool(folder) != bool(payer):
            raise CommandError("Give both a folder and --payer, or neither.")
        if folder:
            self._read_folder(folder, payer)
        else:
            self._read_all()

    def _read_folder(self, folder: Path, payer: str) -> None:
        if not re.fullmatch(ACCOUNT_NUMBER, payer, re.ASCII):
            raise CommandError(f"{payer} is no account number: it has twelve digits.")
        in_trouble = 0
        try:
            for month, text in read_folder(folder, payer=payer):
                in_trouble += bool(month.problem)
                (self.stderr if month.problem else self.stdout).write(text)
        except BillProblem as problem:
            raise CommandError(f"Nothing was read. {problem}") from None
        except Interrupted as reason:
            raise CommandError(str(reason)) from None
        if in_trouble:
            raise CommandError(f"{in_trouble} months could not be read; they are as they were.")

    def _read_all(self) -> None:
        run = request_bills(by=None)
        stopped = ""
        try:
            run_bills(run.pk)
        except Interrupted as reason:
            stopped = str(reason)
        except BillProblem:
            pass  # it is told below, with what went before
        run.refresh_from_db()
        for text in run.events.order_by("pk").values_list("text", flat=True):
            self.stdout.write(text)
        if run.state == RunState.FAILED:
            raise CommandError(stopped or "No bill could be read.")
        self.stdout.write(run.note or f"{run.ref} is under way in a worker.")
