"""Declare accounts from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from registry.jobs.audits import audit_accounts
from registry.sync import AccountsInvalid, load_accounts


class Command(BaseCommand):
    help = "Make the accounts agree with a TOML file of [[account]] tables."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Only show the difference.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
            text = content.decode()
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            message = f"{options['file']}: line {line}: this is not text in UTF-8."
            raise CommandError(message) from None
        try:
            difference = load_accounts(text, is_dry=options["dry_run"])
        except AccountsInvalid as error:
            raise CommandError(f"{options['file']}: nothing was changed.\n{error}") from None
        for line in difference.lines or ("Nothing to change.",):
            self.stdout.write(line)
        if difference.lines and not options["dry_run"] and (run := audit_accounts(by=None)):
            self.stdout.write(f"{run.ref} judges Reserved Instances again.")
