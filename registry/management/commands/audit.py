"""Judge everything, and print what came of it."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from registry.audit import audit, audit_answer
from registry.audit.answer import changes_answer, replay_answer
from registry.audit.known import Known
from registry.audit.patterns import as_own, in_force
from registry.audit.replay import Replay, replay_mirror, with_patterns
from registry.models import Account, Finding, FindingState, Image, Pattern, Scope

FINDINGS, ERROR = 1, 2
YEARS = range(2006, 2101)  # EC2 began in 2006


class Command(BaseCommand):
    help = (
        "Audit images and Reserved Instances. Exit code 0: nothing open, 1: findings, 2: error. "
        "With --dry-run, of the images only, 0: nothing would change, 1: something would."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="Print only this account number.")
        parser.add_argument("--region", help="Print only this region.")
        what_if = parser.add_mutually_exclusive_group()
        what_if.add_argument("--as-of", type=_moment, help="Judge as at this time, for recordings.")
        what_if.add_argument(
            "--dry-run", action="store_true", help="Tell what an audit would change, and stop."
        )
        parser.add_argument(
            "--pattern", type=int, help="With --dry-run: as if the pattern with this number was on."
        )
        parser.add_argument(
            "--changes",
            action="store_true",
            help="With --format json: also what one change would do, ranked.",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        account, region = options["account"], options["region"]
        at = options["as_of"] or timezone.now()
        _check_options(options)
        try:
            _check(account, region)
            if options["dry_run"]:
                self._replay(account, region, options)
                return
            with transaction.atomic():
                audit(at=at)
                answer = audit_answer(account=account, region=region, at=at)
                if options["changes"]:
                    answer["changes"] = changes_answer(account=account, region=region)
                has_findings = _has_findings(account, region)
                # What would be at another time is an answer, not what the portal knows.
                transaction.set_rollback(bool(options["as_of"]))
            self._warn(account, region)
        except CommandError:
            raise
        except Exception as error:
            raise CommandError(f"The audit failed: {error}", returncode=ERROR) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False))
        else:
            self._print(answer)
        if has_findings:
            sys.exit(FINDINGS)

    def _replay(self, account: str | None, region: str | None, options: dict[str, Any]) -> None:
        images = Image.objects.all()
        if account:
            images = images.filter(account__number=account)
        if region:
            images = images.filter(region=region)
        found = replay_mirror(images, _known(options["pattern"]))
        if options["format"] == "json":
            self.stdout.write(json.dumps(replay_answer(found), indent=1, ensure_ascii=False))
        else:
            self._tell(found)
        if not found.is_empty:
            sys.exit(FINDINGS)

    def _tell(self, found: Replay) -> None:
        for verb, pairs in (("would open", found.added), ("would be resolved", found.removed)):
            for image, rule in pairs:
                self.stdout.write(f"{image.account} {image.region} {image.aws_id}: {rule} {verb}")
        for one in found.changed:
            image, before, after = one.image, one.before, one.after
            self.stdout.write(
                f"{image.account} {image.region} {image.aws_id}: {before.verdict or 'not judged'}, "
                f"expected {before.expected}, would be {after.verdict}, expected {after.expected}"
            )
        self.stdout.write(
            f"{found.judged:,} images judged: {len(found.added):,} findings would open, "
            f"{len(found.removed):,} would be resolved, {len(found.changed):,} images would be "
            "judged otherwise. Nothing was written."
        )

    def _warn(self, account: str | None, region: str | None) -> None:
        scopes = Scope.objects.enabled().select_related("account")
        if account:
            scopes = scopes.filter(account__number=account)
        if region:
            scopes = scopes.filter(region=region)
        for scope in scopes.filter(synced_at=None):
            self.stderr.write(f"{scope} has never been read.")
        for scope in scopes.failing():
            self.stderr.write(f"{scope} can't be read since {scope.failing_since}: {scope.error}")

    def _print(self, answer: dict[str, Any]) -> None:
        for image in answer["images"]:
            if image["rules"]:
                expected = image["expected"]
                self.stdout.write(
                    f"{image['account']} {image['region']} {image['image_id']}: "
                    f"{image['verdict']}, billed as {image['usage_operation'] or 'nothing'}, "
                    f"expected {expected['usage_operation']} ({expected['confidence']}, "
                    f"{expected['source']})"
                )
        for instance in answer["instances"]:
            if instance["rules"]:
                self.stdout.write(f"{instance['instance_id']}: {', '.join(instance['rules'])}")
        for bought in answer["reserved_instances"]:
            codes = [reason["code"] for reason in bought["reasons"]]
            if bought["idle"] and codes != ["not_active"]:
                cost = bought["idle_hourly_cost"]
                causes = ", ".join(codes) or "cause not known"
                self.stdout.write(
                    f"{bought['account']} {bought['region']} {bought['reserved_instances_id']}: "
                    f"{bought['idle']:g} of {bought['count']} idle ({causes}), "
                    f"{'cost unknown' if cost is None else f'{cost} per hour'}"
                )
        judged = (
            f"{len(answer['images']):,} images, {len(answer['reserved_instances']):,} purchases"
        )
        self.stdout.write(f"{judged} judged as of {answer['as_of']}.")


def _known(pattern: int | None) -> Known:
    """Return what images are judged by; with one pattern more, if one is named."""
    known = Known.load()
    if pattern is None:
        return known
    row = Pattern.objects.filter(pk=pattern).first()
    if row is None:
        raise CommandError(f"There is no pattern {pattern}.", returncode=ERROR)
    return with_patterns(known, in_force() | {row.pk: as_own(row)})


def _check_options(options: dict[str, Any]) -> None:
    if options["pattern"] is not None and not options["dry_run"]:
        raise CommandError("--pattern goes with --dry-run.", returncode=ERROR)
    if options["changes"] and (options["dry_run"] or options["format"] != "json"):
        raise CommandError("--changes goes with --format json, not --dry-run.", returncode=ERROR)


def _check(account: str | None, region: str | None) -> None:
    scopes = Scope.objects.all()
    if account:
        if not Account.objects.numbered(account).exists():
            raise CommandError(f"There is no account {account}.", returncode=ERROR)
        scopes = scopes.filter(account__number=account)
    if region and not scopes.filter(region=region).exists():
        whose = f" of account {account}" if account else ""
        raise CommandError(f"There is no region {region}{whose}.", returncode=ERROR)


def _has_findings(account: str | None, region: str | None) -> bool:
    for thing in ("image", "instance", "reserved_instance"):
        found = Finding.objects.open().exclude(state=FindingState.WAIVED).exclude(**{thing: None})
        if account:
            found = found.filter(**{f"{thing}__account__number": account})
        if region:
            found = found.filter(**{f"{thing}__region": region})
        if found.exists():
            return True
    return False


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.year not in YEARS:
        raise ArgumentTypeError(f"{text} is not between {YEARS[0]} and {YEARS[-1]}.")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
