"""Declare accounts from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from registry.sync import AccountsInvalid, load_accounts


class Command(BaseCommand):
    help = "Make the accounts agree with a TOML file of [[account]] tables."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Only show the difference.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} can't be read: {error}") from None
        try:
            difference = load_accounts(text, is_dry=options["dry_run"])
        except AccountsInvalid as error:
            raise CommandError(f"{options['file']}: nothing was changed.\n{error}") from None
        for line in difference.lines or ("Nothing to change.",):
            self.stdout.write(line)
