"""Audits of everything, and images that are read again."""

from collections import defaultdict
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from registry.access import Action, accounts, may, may_somewhere
from registry.audit import audit, judge_images
from registry.jobs.connect import connect
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Image, ReservedInstance, Run, RunKind, Scope, Touched
from registry.sync import mirror_images


def request_audit(*, by: User | None, is_full: bool = False) -> Run:
    """Queue an audit of what has changed, or of everything; or return the one that waits already.

    One that waits becomes full where this one is to be.
    """
    if is_full:
        Touched.objects.everything()
    run, is_new = Run.objects.get_or_queue(
        kind=RunKind.AUDIT, requested_by=by, requested_at=timezone.now()
    )
    if is_new:
        after_commit(run_audit, run)
    return run


def audit_accounts(*, by: User | None) -> Run | None:
    """Queue an audit for accounts that have changed: they decide on who shares purchases.

    None: there are no purchases to share.
    """
    is_bought = ReservedInstance.objects.present().exists()
    return request_audit(by=by) if is_bought else None


def run_audit(run_id: int) -> None:
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            if run.requested_by and not may_somewhere(run.requested_by, Action.AUDIT):
                raise PermissionError(f"{run.requested_by} may not audit.")
            counts = audit(at=timezone.now(), is_full=False)
            run.result = {"images": counts.images, "findings": counts.findings}
            run.note = f"{counts.images:,} images judged, {counts.findings:,} findings open"


def request_verification(images: Iterable[Image], *, by: User) -> list[Run]:
    """Queue a new reading of `images`, one run for each scope; those `by` may not are left out."""
    allowed = set(accounts(by, Action.VERIFY).values_list("pk", flat=True))
    places: dict[tuple[int, str], list[Image]] = defaultdict(list)
    for image in images:
        if image.account_id in allowed:
            places[image.account_id, image.region].append(image)
    runs = []
    for (account_id, region), some in places.items():
        scope = Scope.objects.get(account_id=account_id, region=region)
        with transaction.atomic():
            run = Run.objects.create(
                kind=RunKind.VERIFY, scope=scope, requested_by=by, requested_at=timezone.now()
            )
            run.images.set(some)
            after_commit(run_verification, run)
        runs.append(run)
    return runs


def run_verification(run_id: int) -> None:
    """Read the images of a run again and judge them."""
    with taken(run_id) as run:
        if run is None or run.scope is None:
            return
        with recorded(run):
            scope = run.scope
            if run.requested_by and not may(run.requested_by, Action.VERIFY, scope.account):
                raise PermissionError(f"{run.requested_by} may not verify in {scope}.")
            wanted = list(run.images.values_list("aws_id", flat=True))
            records = connect(scope.account, scope.region).find_images(ids=wanted)
            images = mirror_images(records, scope, at=timezone.now())
            judge_images(images, at=timezone.now())
            run.note = f"{len(images):,} of {len(wanted):,} images read again"
