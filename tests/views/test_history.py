from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.models import Change, Role
from tests.factories import (
    LATER,
    NOON,
    make_image,
    make_instance,
    make_registration,
    make_removal,
    make_removal_item,
    make_run,
    make_scope,
    make_user,
)

RHEL = "RunInstances:0010"
HOSTILE = "<script>alert(1)</script>"


def changed(thing, field, before, after, at=LATER):
    key = thing._meta.model_name
    return Change.objects.create(**{key: thing}, field=field, before=before, after=after, at=at)


def page(client, thing, query=""):
    answer = client.get(f"{thing.get_absolute_url()}{query}")
    whole = answer.content.decode()
    return " ".join(whole[whole.index('id="history"') :].split("</section>")[0].split())


@pytest.mark.parametrize("make", [make_image, make_instance])
def test_what_never_changed_says_since_when(signed_in, make):
    thing = make()
    changed(thing, "presence", None, "present", at=NOON)

    text = page(signed_in, thing)

    assert "Nothing has changed since it was first seen on" in text
    assert "24 Nov 2026, 12:00" in text
    assert "timeline" not in text


@pytest.mark.parametrize("make", [make_image, make_instance])
@pytest.mark.parametrize(
    ("field", "before", "after", "words"),
    [
        ("usage_operation", "RunInstances", RHEL, ["Usage operation", ":<b>0010</b>"]),
        ("usage_operation", None, "", ["not recorded", "empty"]),
        ("platform_details", None, "Windows", ["Platform details", "Not recorded", "Windows"]),
        ("platform_details", "Windows", "", ["Windows", "Empty"]),
        ("state", "pending", "available", ["State", "pending", "available"]),
        ("presence", "present", "gone", ["Gone", "AWS shows it no longer."]),
        ("presence", "gone", "present", ["Back", "AWS shows it again."]),
        ("verdict", None, "lost", ["Verdict", "Not judged yet", "Code lost"]),
        ("expected", None, RHEL, ["Expected code", '<span class="dim">None</span>', "0010"]),
        ("declared", RHEL, "", ["Declared code", "0010", '<span class="dim">None</span>']),
        ("lineage", "ami-old", "ami-new", ["Lineage", "<summary>", "ami-old", "ami-new"]),
    ],
)
def test_a_change_reads_as_what_it_was_and_became(signed_in, make, field, before, after, words):
    thing = make()
    changed(thing, field, before, after)

    text = page(signed_in, thing)

    assert [word for word in words if word not in text] == []
    assert "24 Nov 2026, 13:00" in text
    assert "First seen" in text


def test_the_newest_comes_first_and_what_was_first_seen_last(signed_in):
    image = make_image()
    changed(image, "state", "state-1", "state-2", at=NOON)
    changed(image, "state", "state-2", "state-3", at=LATER)

    text = page(signed_in, image)

    assert text.index("state-3") < text.index("state-1") < text.index("First seen")


def test_what_aws_says_is_text(signed_in):
    image = make_image()
    changed(image, "platform_details", HOSTILE, "x")
    changed(image, "usage_operation", HOSTILE, "x")
    changed(image, "lineage", f"{HOSTILE} [{HOSTILE}]", HOSTILE)

    assert HOSTILE not in page(signed_in, image)


def test_the_latest_are_shown_and_all_on_request(signed_in):
    image = make_image()
    for number in range(21):
        changed(image, "state", f"s{number}.", "x", at=NOON + timedelta(hours=number))

    few, every = page(signed_in, image), page(signed_in, image, "?history=all")

    assert "?history=all" in few
    assert ("s1." in few, "s0." in few, "First seen" in few) == (True, False, False)
    assert ("s0." in every, "First seen" in every, "?history=all" in every) == (True, True, False)


def test_even_all_has_an_end(signed_in, monkeypatch):
    monkeypatch.setattr("registry.views.history.MOST", 30)
    image = make_image()
    for number in range(31):
        changed(image, "state", f"s{number}.", "x", at=NOON + timedelta(hours=number))

    text = page(signed_in, image, "?history=all")

    assert "Older changes are kept" in text
    assert ("s1." in text, "s0." in text) == (True, False)


def test_of_a_lineage_through_an_account_out_of_reach_only_the_ids_are_told(client, db):
    parent = make_image(usage_operation=RHEL)
    image = make_image()
    before = f"{image.aws_id} [RunInstances] ← {parent.aws_id} [{RHEL}]"
    changed(image, "lineage", before, f"{image.aws_id} [RunInstances:0800]")
    client.force_login(make_user(Role.VIEWER, account=image.account))

    text = page(client, image)

    assert parent.aws_id in text
    assert "0010" not in text
    assert "0800" in text


def test_a_lineage_within_reach_is_told_with_its_codes(signed_in):
    parent, image = make_image(usage_operation=RHEL), make_image()
    changed(image, "lineage", "", f"{image.aws_id} ← {parent.aws_id} [{RHEL}]")

    assert "0010" in page(signed_in, image)


def test_the_runs_about_an_image_are_part_of_its_history(signed_in):
    scope = make_scope()
    here = {"account": scope.account, "region": scope.region}
    image = make_image(**here)
    by = make_user(Role.ENGINEER, username="ada")
    made = make_run(kind="register", requested_by=by)
    make_registration(run=made, image_id=image.aws_id, **here)
    read = make_run(kind="verify", scope=scope, requested_at=LATER)
    read.images.add(image)
    removal = make_removal(run=make_run(kind="remove", requested_at=LATER + timedelta(hours=1)))
    make_removal_item(image=image, removal=removal)
    elsewhere = make_registration(image_id=image.aws_id, account=scope.account, region="us-east-1")
    changed(image, "state", "available", "disabled", at=LATER + timedelta(minutes=1))

    undo = make_removal(run=make_run(kind="remove"), is_undo=True)
    make_removal_item(image=image, removal=undo, state="restored")

    text = page(signed_in, image)

    told = (removal.run.ref, "disabled", read.ref, made.ref)
    places = [text.index(word) for word in told]
    assert places == sorted(places)
    assert elsewhere.run.ref not in text
    assert "Asked for by ada." in text
    assert ("Discard images" in text, "Bring images back" in text) == (True, True)


def test_a_history_costs_the_same_however_long(signed_in):
    image = make_image()
    costs = []
    for number in (1, 12):
        for _ in range(number):
            changed(image, "lineage", f"ami-1 [{RHEL}] ← i-2", "ami-1")
            make_registration(image_id=image.aws_id, account=image.account, region=image.region)
        with CaptureQueriesContext(connection) as queries:
            page(signed_in, image)
        costs.append(len(queries))

    assert costs[1] <= costs[0]
