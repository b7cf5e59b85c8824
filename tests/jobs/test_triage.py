from datetime import timedelta
from itertools import count

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.utils import timezone

from registry.jobs import triage as jobs
from registry.jobs.housekeeping import JOBS, take_over_abandoned
from registry.jobs.triage import request_triage, run_triage
from registry.models import (
    Activity,
    Finding,
    Grant,
    Role,
    Run,
    RunKind,
    RunState,
    Triage,
    TriageAction,
    Waiver,
)
from registry.triage import Refused, Wish, batch, ledger
from registry.triage.act import carry_out
from tests.factories import (
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_scope,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def fay():
    return make_user(Role.FINOPS, username="fay")


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(batch, "BATCH", 2)


def triaged(by, action, findings=None, **fields):
    """Ask for one action on all findings, let a worker do it and return the run."""
    chosen = Finding.objects.all() if findings is None else findings
    run = request_triage(chosen, Wish(TriageAction(action), by, **fields))
    run_triage(run.pk)
    run.refresh_from_db()
    return run


def notes(run):
    return list(run.triage.items.order_by("pk").values_list("state", "note"))


def in_a_month():
    return timezone.now() + timedelta(days=30)


def test_every_finding_of_a_set_is_waived(fay):
    findings = [make_finding() for _ in range(3)]
    until = in_a_month()

    run = triaged(fay, "waive", text="They go in May.", person=fay, until=until)

    assert run.state == RunState.SUCCEEDED
    assert run.note == "3 done"
    assert run.result["items"] == {"pending": 0, "done": 3, "left": 0}
    assert Finding.objects.waived().count() == 3
    waivers = list(Waiver.objects.order_by("finding"))
    assert [waiver.finding for waiver in waivers] == findings
    assert {(one.reason, one.owner, one.until) for one in waivers} == {
        ("They go in May.", fay, until)
    }
    assert {(line.triage, line.by, line.kind) for line in Activity.objects.all()} == {
        (run.triage, fay, "waived")
    }


@pytest.mark.parametrize(
    ("action", "before", "after", "line"),
    [
        ("start", "open", "in_progress", "started"),
        ("assign", "open", "open", "assigned"),
        ("reopen", "in_progress", "open", "reopened"),
        ("comment", "waived", "waived", "comment"),
    ],
)
def test_each_action_is_done_to_many(fay, action, before, after, line):
    for _ in range(2):
        make_finding(state=before)

    triaged(fay, action, text="Hm.", person=fay if action == "assign" else None)

    assert [finding.state for finding in Finding.objects.all()] == [after] * 2
    assert [entry.kind for entry in Activity.objects.all()] == [line] * 2


def test_many_are_watched_also_those_that_are(fay):
    first, second = make_finding(), make_finding()
    first.watchers.add(fay)

    run = triaged(fay, "watch")

    assert run.note == "2 done"
    assert list(fay.watched_findings.order_by("pk")) == [first, second]
    assert not Activity.objects.exists()


def test_what_can_not_be_done_is_left_and_the_ledger_says_why(fay):
    make_finding()
    make_finding(state="waived")
    make_finding(state="resolved", resolved_at=timezone.now())

    run = triaged(fay, "waive", text="Why not.", person=fay, until=in_a_month())

    assert run.state == RunState.SUCCEEDED
    assert run.note == "1 done, 2 left as they are"
    assert notes(run) == [
        ("done", ""),
        ("left", "It is waived already."),
        ("left", "It is resolved. It reopens by itself if it comes back."),
    ]


def test_each_account_has_rights_of_its_own():
    mine, readable = make_account(name="mine"), make_account(name="readable")
    user = make_user(Role.FINOPS, account=mine, username="una")
    Grant.objects.create(user=user, account=readable, role=Role.VIEWER)
    for account in (mine, readable, make_account()):
        make_finding(image=make_image(account=account))

    run = triaged(user, "start")

    assert notes(run) == [("done", ""), ("left", "una may not start work on findings of readable.")]


def test_nobody_is_assigned_who_may_not_read_the_account(fay):
    here, there = make_account(), make_account(name="there")
    olga = make_user(account=here, username="olga")
    make_finding(image=make_image(account=here))
    make_finding(image=make_image(account=there))

    run = triaged(fay, "assign", person=olga)

    assert notes(run) == [("done", ""), ("left", "olga may not read there.")]


@pytest.mark.parametrize("taken_away", ["grant", "account"])
def test_the_worker_asks_for_the_permission_again(fay, taken_away):
    finding = make_finding()
    run = request_triage(Finding.objects.all(), Wish(TriageAction.START, fay))
    if taken_away == "grant":
        Grant.objects.all().delete()
    else:
        fay.is_active = False
        fay.save()

    run_triage(run.pk)

    finding.refresh_from_db()
    assert finding.state == "open"
    [(state, note)] = notes(run)
    assert (state, note[:32]) == ("left", "fay may not start work on findin")


def test_the_set_is_that_of_the_moment_it_was_asked_for(fay):
    finding = make_finding()
    run = request_triage(Finding.objects.filter(state="open"), Wish(TriageAction.START, fay))
    later = make_finding()

    run_triage(run.pk)

    assert [item.finding for item in ledger(run, fay).items] == [finding]
    later.refresh_from_db()
    assert later.state == "open"


def test_what_others_do_meanwhile_counts(fay):
    finding = make_finding()
    run = request_triage(Finding.objects.all(), Wish(TriageAction.START, fay))
    Finding.objects.filter(pk=finding.pk).update(state="in_progress")

    run_triage(run.pk)

    assert notes(run) == [("left", "Work on it has started already.")]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"action": TriageAction.COMMENT}, "text"),
        ({"action": TriageAction.START, "text": "x\0"}, "text"),
        ({"action": TriageAction.WAIVE, "text": "x"}, "person until"),
        ({"action": TriageAction.WAIVE, "until": "past"}, "text person until"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(fay, fields, error):
    make_finding()
    if fields.get("until"):
        fields = fields | {"until": timezone.now()}

    with pytest.raises(Refused) as refused:
        request_triage(Finding.objects.all(), Wish(by=fay, **fields))

    assert " ".join(refused.value.errors) == error
    assert not Run.objects.exists()
    assert not Triage.objects.exists()


def test_a_viewer_is_told_at_once():
    make_finding()

    with pytest.raises(PermissionDenied):
        request_triage(Finding.objects.all(), Wish(TriageAction.START, make_user()))


def test_a_waiver_that_ran_out_in_the_queue_waives_nothing(fay, monkeypatch):
    make_finding()
    until = timezone.now() + timedelta(minutes=1)
    wish = Wish(TriageAction.WAIVE, fay, text="Soon.", person=fay, until=until)
    run = request_triage(Finding.objects.all(), wish)
    monkeypatch.setattr(timezone, "now", lambda: until)

    run_triage(run.pk)

    assert notes(run) == [("left", "Choose a time in the future.")]
    assert not Waiver.objects.exists()


def test_images_are_read_again_in_one_run_for_each_scope(fay, small_batches):
    here, there = make_scope(), make_scope()
    one, other = make_image(account=here.account), make_image(account=there.account)
    make_finding(image=one)
    make_finding(image=other)
    make_finding(image=one, rule="AMI006")
    make_finding(instance=make_instance(account=here.account))

    run = triaged(fay, "verify")

    runs = Run.objects.filter(kind=RunKind.VERIFY)
    assert sorted((r.scope_id, r.images.get().pk) for r in runs) == sorted(
        [(here.pk, one.pk), (there.pk, other.pk)]
    )
    ref = {r.scope_id: r.ref for r in runs}
    assert notes(run) == [
        ("done", f"{ref[here.pk]} reads the image again."),
        ("done", f"{ref[there.pk]} reads the image again."),
        ("done", f"{ref[here.pk]} reads the image again."),
        ("left", "Only images are read again one by one. The next sync reads this."),
    ]
    assert not Activity.objects.exists()


def test_one_that_dies_in_a_batch_neither_repeats_nor_forgets(fay, small_batches, monkeypatch):
    findings = [make_finding() for _ in range(5)]
    run = request_triage(Finding.objects.all(), Wish(TriageAction.COMMENT, fay, text="Seen."))
    batches = count(1)

    def dies_after_acting_on_the_second_batch(*args, **fields):
        carry_out(*args, **fields)
        if next(batches) == 2:
            raise OperationalError("The connection is gone.")

    monkeypatch.setattr(batch, "carry_out", dies_after_acting_on_the_second_batch)
    with pytest.raises(OperationalError):
        run_triage(run.pk)
    assert sorted(state for state, _ in notes(run)) == ["done"] * 2 + ["pending"] * 3

    assert take_over_abandoned(at=timezone.now()) == 1
    JOBS[RunKind.TRIAGE](run.pk)

    run.refresh_from_db()
    assert (run.state, run.note, run.attempt) == (RunState.SUCCEEDED, "5 done", 2)
    commented = Activity.objects.order_by("finding").values_list("finding", flat=True)
    assert list(commented) == [finding.pk for finding in findings]


def test_a_long_one_gives_the_worker_back(fay, small_batches, monkeypatch):
    for _ in range(5):
        make_finding()
    monkeypatch.setattr(jobs, "LONGEST_TURN", timedelta(seconds=-1))

    run = triaged(fay, "start")

    assert (run.state, run.note) == (RunState.WAITING, "2 done, 3 to go")
    assert run.wake_at <= timezone.now()
    for _ in range(3):
        run_triage(run.pk)
    run.refresh_from_db()
    assert (run.state, run.note) == (RunState.SUCCEEDED, "5 done")


@pytest.mark.parametrize("number", [1, 30])
def test_a_batch_takes_the_same_queries_however_many(fay, number, django_assert_num_queries):
    for _ in range(number):
        make_finding()
    until = in_a_month()
    wish = Wish(TriageAction.WAIVE, fay, text="x", person=fay, until=until)
    run = request_triage(Finding.objects.all(), wish)

    with django_assert_num_queries(26):
        run_triage(run.pk)

    assert Finding.objects.waived().count() == number
