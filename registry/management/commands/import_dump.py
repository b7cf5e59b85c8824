"""Mirror recorded answers of AWS."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from registry.jobs.audits import request_audit
from registry.models.account import ACCOUNT_NUMBER, REGION
from registry.sync import DumpInvalid, import_dump
from registry.sync.dumps import FILES


class Command(BaseCommand):
    help = "Mirror what `aws ec2 describe-… --output json` printed: an audit without credentials."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="With images.json, instances.json, …")
        parser.add_argument("--account", default="", help="Without it: ACCOUNT/REGION/ folders.")
        parser.add_argument("--region", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, account, region = options["folder"], options["account"], options["region"]
        _check(folder, account, region)
        try:
            imported = import_dump(folder, account=account, region=region, at=timezone.now())
        except DumpInvalid as error:
            raise CommandError(f"Nothing was imported. {error}") from None
        for path in imported.ignored:
            self.stderr.write(f"{path} was not read: it is none of {', '.join(FILES)}.")
        for place, change in imported.changes.items():
            self.stdout.write(
                f"{place}: {change.seen} seen, {change.new} new, {change.changed} changed, "
                f"{change.gone} gone"
            )
        self.stdout.write(f"{request_audit(by=None).ref} judges it; `audit` does so here and now.")


def _check(folder: Path, account: str, region: str) -> None:
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    if bool(account) != bool(region):
        raise CommandError("Give both --account and --region, or neither.")
    if account and not re.fullmatch(ACCOUNT_NUMBER, account, re.ASCII):
        raise CommandError(f"{account} is no account number: it has twelve digits.")
    if region and not re.fullmatch(REGION, region, re.ASCII):
        raise CommandError(f"{region} is no region: write us-east-1.")
