"""Freeze the audit as it stands."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from registry.jobs.reports import request_report, run_report
from registry.reports.render import findings_csv


class Command(BaseCommand):
    help = "Make an audit report of what was judged last, and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=("text", "csv"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        report = request_report(by=None)
        run_report(report.run_id)
        report.refresh_from_db()
        if options["format"] == "csv":
            self.stdout.write(findings_csv(report.result), ending="")
            return
        totals, difference = report.result["totals"], report.result["difference"]
        idle = totals["idle_per_month"]
        self.stdout.write(
            f"{report.ref}: {totals['images']:,} images, {totals['open_findings']:,} findings "
            f"open, {len(difference['opened'])} opened and {len(difference['closed'])} closed "
            f"since the report before; idle Reserved Instances cost "
            f"{'an unknown amount' if idle is None else f'${idle}'} per month."
        )
