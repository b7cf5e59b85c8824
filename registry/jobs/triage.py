"""Triage: one action on many findings, asked for once, carried out batch by batch."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from registry.jobs.audits import request_verification
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Finding, Run
from registry.triage import Wish, advance, asked_before, counts, progress, write_down

# After that long, the worker is given back: registrations wait in the same queue.
LONGEST_TURN = timedelta(seconds=20)


def request_triage(
    findings: QuerySet[Finding], wish: Wish, *, query: str = "", key: str = "", said: str = ""
) -> Run:
    """Queue what is wished for every finding of a set, as it is now, that who asks may read.

    `query` is the filter that made the set, to be shown. Who uses a `key` twice asks once: the
    answer is the first run, with what was `said` then in its result. Raises PermissionDenied where
    they may do this nowhere, and Refused (errors by field: findings, text, person, until) where it
    makes no sense; then nothing is written.
    """
    with transaction.atomic():
        if key:  # one at a time, so that of two clicks the second finds the first
            User.objects.select_for_update(no_key=True).get(pk=wish.by.pk)
        earlier = asked_before(wish.by, key)
        if earlier:
            return earlier
        result = {"key": key, "said": said} if key else {}
        run = write_down(findings, wish, query=query, at=timezone.now(), result=result)
        after_commit(run_triage, run)
    return run


def run_triage(run_id: int) -> None:
    """Go through what is to do for a while, and give the worker back."""
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            _go_through(run)


def _go_through(run: Run) -> None:
    triage, began_at = run.triage, timezone.now()
    while advance(triage, at=timezone.now(), verify=lambda some: _verify(some, run)):
        now = timezone.now()
        if now > began_at + LONGEST_TURN:
            with transaction.atomic():
                if run.wait(until=now, note=progress(triage)):
                    after_commit(run_triage, run)
            return
    run.note = progress(triage)
    run.result = run.result | {"items": counts(triage.items.all())}


def _verify(findings: Sequence[Finding], run: Run) -> dict[int, str]:
    """Queue that the images are read again; name the run that does, for each finding."""
    if run.requested_by is None:
        return {}
    images = {finding.image.pk: finding.image for finding in findings if finding.image}
    readings = request_verification(images.values(), by=run.requested_by)
    queued = {
        image: reading.ref
        for reading in readings
        for image in reading.images.values_list("pk", flat=True)
    }
    return {
        one.pk: f"{queued[one.image_id]} reads the image again." for one in findings if one.image_id
    }
