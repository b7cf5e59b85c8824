from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from registry.models import Activity, Finding, Waiver
from registry.triage import (
    LONGEST_TEXT,
    LONGEST_WAIVER,
    Late,
    Refused,
    assign,
    comment,
    reopen,
    start,
    unwatch,
    waive,
    watch,
)
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_user,
    make_waiver,
)

pytestmark = pytest.mark.django_db
RESOLVED = {"state": "resolved", "resolved_at": NOON}


def timeline(finding):
    rows = Activity.objects.filter(finding=finding).order_by("pk")
    return [(row.kind, row.text, row.by.username, row.at) for row in rows]


def waived(finding, owner, by, *, reason="It goes in May.", until=LATER, at=NOON):
    return waive(finding, owner=owner, reason=reason, until=until, by=by, at=at)


def test_a_comment_is_a_line_of_the_timeline(dora):
    finding = make_finding()

    comment(finding, " I know <b>this</b> one. ", by=dora, at=LATER)

    assert timeline(finding) == [("comment", "I know <b>this</b> one.", "dora", LATER)]
    finding.refresh_from_db()
    assert finding.state == "open"
    assert not finding.watchers.exists()


def test_what_is_resolved_can_still_be_commented_on(dora):
    finding = make_finding(**RESOLVED)

    comment(finding, "It was me.", by=dora, at=LATER)

    assert len(timeline(finding)) == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Write a comment."),
        (" \n", "Write a comment."),
        ("x" * (LONGEST_TEXT + 1), "Say it in at most 2,000 characters."),
        ("a\0b", "Leave out what can't be kept, such as the character NUL."),
        ("a\ud800b", "Leave out what can't be kept, such as the character NUL."),
    ],
)
def test_a_comment_that_makes_no_sense_is_refused(dora, text, error):
    with pytest.raises(Refused) as refused:
        comment(make_finding(), text, by=dora, at=NOON)

    assert refused.value.errors == {"text": error}
    assert not Activity.objects.exists()


def test_the_longest_comment_is_kept(dora):
    comment(make_finding(), "x" * LONGEST_TEXT, by=dora, at=NOON)

    assert len(Activity.objects.get().text) == LONGEST_TEXT


def test_a_finding_is_watched_once_and_no_more(dora):
    finding = make_finding()

    watch(finding, by=dora)
    watch(finding, by=dora)
    assert list(finding.watchers.all()) == [dora]

    unwatch(finding, by=dora)
    unwatch(finding, by=dora)
    assert not finding.watchers.exists()
    assert timeline(finding) == []


def test_to_start_takes_the_finding_on(dora):
    finding = make_finding(state="reopened")

    start(finding, by=dora, at=LATER)

    finding.refresh_from_db()
    assert (finding.state, finding.assignee) == ("in_progress", dora)
    assert timeline(finding) == [("started", "Assigned to dora.", "dora", LATER)]


def test_to_start_for_somebody_leaves_it_theirs(dora, fay):
    finding = make_finding(assignee=dora)

    start(finding, by=fay, at=LATER)

    finding.refresh_from_db()
    assert (finding.state, finding.assignee) == ("in_progress", dora)
    assert timeline(finding) == [("started", "", "fay", LATER)]


def test_a_finding_is_assigned_and_given_back(dora):
    finding = make_finding()

    assign(finding, dora, by=dora, at=NOON)
    finding.refresh_from_db()
    assert (finding.assignee, finding.state) == (dora, "open")

    assign(finding, None, by=dora, at=LATER)
    finding.refresh_from_db()
    assert finding.assignee is None
    assert timeline(finding) == [
        ("assigned", "Assigned to dora.", "dora", NOON),
        ("assigned", "Taken from dora.", "dora", LATER),
    ]


def test_who_triages_assigns_others_and_takes_from_others(dora, fay):
    finding = make_finding()

    assign(finding, dora, by=fay, at=NOON)
    assign(finding, fay, by=fay, at=LATER)

    finding.refresh_from_db()
    assert finding.assignee == fay


def test_who_does_not_triage_takes_nothing_from_others(dora, fay):
    finding = make_finding(assignee=fay)

    for act in (
        lambda: assign(finding, dora, by=dora, at=NOON),
        lambda: assign(finding, None, by=dora, at=NOON),
        lambda: start(finding, by=dora, at=NOON),
    ):
        with pytest.raises(PermissionDenied, match="dora may not"):
            act()

    finding.refresh_from_db()
    assert (finding.assignee, finding.state) == (fay, "open")
    assert timeline(finding) == []


def test_nobody_is_assigned_or_answers_who_may_not_read_the_account(fay):
    finding = make_finding(image=make_image(account=make_account(name="core-prod")))
    olga = make_user(account=make_account(), username="olga")
    gone = make_user(username="gone", is_active=False)

    for person in (olga, gone):
        for act in (
            lambda: assign(finding, person, by=fay, at=NOON),  # noqa: B023 - called at once
            lambda: waived(finding, person, fay),  # noqa: B023
        ):
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.errors == {"person": f"{person} may not read core-prod."}

    assert not Activity.objects.exists()


@pytest.mark.parametrize("state", ["open", "in_progress", "reopened"])
def test_a_waiver_remembers_what_was_waived(vic, fay, state):
    image = make_image(usage_operation="RunInstances", expected_usage_operation="RunInstances:0010")
    finding = make_finding(image=image, state=state, assignee=fay)

    waived(finding, vic, fay, reason=" It goes in May. ")

    finding.refresh_from_db()
    assert (finding.state, finding.assignee) == ("waived", fay)
    waiver = finding.waivers.get()
    assert (waiver.owner, waiver.by, waiver.at, waiver.until) == (vic, fay, NOON, LATER)
    assert waiver.reason == "It goes in May."
    assert (waiver.facts, waiver.severity) == ("RunInstances→RunInstances:0010", "high")
    text = "vic answers for it until 2026-11-24. It goes in May."
    assert timeline(finding) == [("waived", text, "fay", NOON)]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"reason": " "}, {"text": "Say why it may stay as it is."}),
        ({"reason": "x\0"}, {"text": "Leave out what can't be kept, such as the character NUL."}),
        ({"owner": None}, {"person": "Name who answers for it."}),
        ({"until": None}, {"until": "Say until when."}),
        ({"until": NOON}, {"until": "Choose a time in the future."}),
        (
            {"until": NOON + LONGEST_WAIVER + timedelta(seconds=1)},
            {"until": "A waiver lasts a year at most."},
        ),
        (
            {"reason": "", "owner": None, "until": None},
            {
                "text": "Say why it may stay as it is.",
                "person": "Name who answers for it.",
                "until": "Say until when.",
            },
        ),
    ],
)
def test_a_waiver_that_makes_no_sense_is_refused(fay, fields, errors):
    finding = make_finding()
    whole = {"owner": fay, "reason": "It goes in May.", "until": LATER}

    with pytest.raises(Refused) as refused:
        waive(finding, **whole | fields, by=fay, at=NOON)

    assert refused.value.errors == errors
    assert not Waiver.objects.exists()


def test_a_waiver_lasts_a_year_and_a_day_of_leap_at_most(fay):
    waived(make_finding(), fay, fay, until=NOON + LONGEST_WAIVER)

    assert Waiver.objects.get().until == NOON + timedelta(days=366)


def test_to_reopen_ends_the_waiver(fay):
    waiver = make_waiver()

    reopen(waiver.finding, by=fay, at=LATER, reason="Olga has left.")

    waiver.refresh_from_db()
    assert waiver.finding.state == "open"
    assert (waiver.ended_at, waiver.ended_because) == (LATER, "Reopened by fay.")
    assert timeline(waiver.finding) == [("reopened", "Olga has left.", "fay", LATER)]


def test_waived_again_only_the_new_waiver_is_in_force(fay):
    first = make_waiver()
    reopen(first.finding, by=fay, at=LATER)

    waived(first.finding, fay, fay, until=LATER + timedelta(days=1), at=LATER)

    assert Waiver.objects.get(ended_at=None) != first


def test_to_reopen_work_in_progress_says_that_nobody_is_at_it(fay, dora):
    finding = make_finding(state="in_progress", assignee=dora)

    reopen(finding, by=fay, at=LATER)

    finding.refresh_from_db()
    assert (finding.state, finding.assignee) == ("open", dora)


@pytest.mark.parametrize(
    ("fields", "act", "sentence"),
    [
        ({"state": "in_progress"}, "start", "Work on it has started already."),
        ({"state": "waived"}, "start", "It is waived. Reopen it first."),
        ({"state": "waived"}, "waive", "It is waived already."),
        ({"state": "open"}, "reopen", "It is open already."),
        ({"state": "reopened"}, "reopen", "It is open already."),
        (RESOLVED, "start", "It is resolved. It reopens by itself if it comes back."),
        (RESOLVED, "waive", "It is resolved. It reopens by itself if it comes back."),
        (RESOLVED, "reopen", "It is resolved. It reopens by itself if it comes back."),
        (RESOLVED, "assign", "It is resolved. It reopens by itself if it comes back."),
        ({}, "take", "Nobody is assigned."),
    ],
)
def test_what_the_state_does_not_allow_is_too_late(fay, fields, act, sentence):
    finding = make_finding(**fields)
    acts = {
        "start": lambda: start(finding, by=fay, at=NOON),
        "waive": lambda: waived(finding, fay, fay),
        "reopen": lambda: reopen(finding, by=fay, at=NOON),
        "assign": lambda: assign(finding, fay, by=fay, at=NOON),
        "take": lambda: assign(finding, None, by=fay, at=NOON),
    }

    with pytest.raises(Late) as late:
        acts[act]()

    assert str(late.value) == sentence
    assert Finding.objects.get().state == fields.get("state", "open")
    assert not Activity.objects.exists()


def test_to_assign_the_same_person_twice_is_too_late(fay):
    finding = make_finding(assignee=fay)

    with pytest.raises(Late, match="fay is assigned already"):
        assign(finding, fay, by=fay, at=NOON)


def test_what_others_did_meanwhile_counts(fay):
    finding = make_finding()
    seen_before = Finding.objects.get()
    waived(finding, fay, fay)

    with pytest.raises(Late):
        start(seen_before, by=fay, at=NOON)


def test_a_finding_is_taken_in_the_order_of_the_audit(fay):
    # The table, as an audit does, and only then the row; else each could wait for the other.
    with connection.execute_wrapper(statements := Statements()):
        comment(make_finding(), "Hm.", by=fay, at=NOON)

    taken = [sql for sql in statements.seen if "LOCK TABLE" in sql or "FOR NO KEY" in sql]
    assert ["LOCK TABLE" in sql for sql in taken] == [True, False]


class Statements:
    def __init__(self):
        self.seen = []

    def __call__(self, execute, sql, params, many, context):
        self.seen.append(str(sql))
        return execute(sql, params, many, context)
