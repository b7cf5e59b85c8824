"""Patterns: seen by everyone, tried by an administrator before they count."""

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.audit import audit
from registry.models import Finding, Pattern, Role, Run
from tests.factories import NOON, make_account, make_image, make_pattern, make_user

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"
NEW = reverse("patterns:new")
GOOD = {
    "kind": "name",
    "text": "golden-*",
    "usage_operation": RHEL,
    "strength": "strong",
    "is_active": "on",
}


@pytest.fixture
def admin(client):
    client.force_login(make_user(Role.ADMIN, username="ann"))
    return client


def tried(client, address=NEW, **fields):
    """Try a pattern and return the answer, and what the page hands on to Save."""
    answer = client.post(address, GOOD | {"try": "1"} | fields)
    return answer, GOOD | {"tried": answer.context["tried"], "save": "1"} | fields


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_list_says_what_each_pattern_does(admin):
    make_image(name="golden-1"), make_image(name="golden-2"), make_image(name="other")
    make_pattern(
        text="golden-*", strength="strong", note="All are.", changed_by=make_user(username="bob")
    )
    make_pattern(kind="tag", key="OS", text="rhel*", is_active=False)

    page = text_of(admin.get(reverse("patterns:list")))

    for words in (
        "2 images",
        "0 images",
        "A policy: it decides",
        "All are.",
        "bob",
        "Switched off",
    ):
        assert words in page
    assert "Tag <bdi>OS</bdi>" in page
    assert reverse("patterns:new") in page


def test_a_reader_sees_the_patterns_and_no_way_to_change_them(client):
    mine, other = make_account(), make_account()
    make_image(name="golden-1", account=mine), make_image(name="golden-2", account=other)
    make_pattern(text="golden-*"), make_pattern(text="mine-*", account=mine)
    make_pattern(text="undisclosed-*", account=other)
    client.force_login(make_user(Role.VIEWER, account=mine))

    page = text_of(client.get(reverse("patterns:list")))

    assert "golden-*" in page
    assert "mine-*" in page
    assert "1 image<" in page
    assert "undisclosed" not in page
    assert "/patterns/new/" not in page


def test_the_list_counts_anew_when_a_pattern_has_changed(admin):
    make_image(name="golden-1")
    row = make_pattern(text="silver-*")
    assert "0 images" in text_of(admin.get(reverse("patterns:list")))

    Pattern.objects.filter(pk=row.pk).update(text="golden-*", changed_at=timezone.now())

    assert "1 image<" in text_of(admin.get(reverse("patterns:list")))


def test_trying_shows_what_comes_of_it_and_saves_nothing(admin):
    for number in range(7):
        make_image(name=f"golden-{number}")
    audit(at=NOON)

    answer, _ = tried(admin)

    page = text_of(answer)
    assert answer.status_code == 200
    assert "Fits 7 images" in page
    assert "and 2 more" in page
    assert "AMI001 on 7" in page
    assert "golden-6" in page
    assert not Pattern.objects.exists()
    assert not Finding.objects.exists()
    assert not Run.objects.exists()


def test_what_was_tried_can_be_saved(admin):
    make_image(name="golden-1")
    _, sent = tried(admin)

    answer = admin.post(NEW, sent, follow=True)

    row = Pattern.objects.get()
    assert (row.text, row.usage_operation, row.changed_by.username) == ("golden-*", RHEL, "ann")
    run = Run.objects.get(kind="audit")
    assert f"golden-* is saved. Everything is judged again: {run.ref}." in text_of(answer)


def test_what_was_not_tried_is_tried_first(admin):
    make_image(name="silver-1")
    _, sent = tried(admin)

    answer = admin.post(NEW, sent | {"text": "silver-*"})

    assert "This was not tried." in text_of(answer)
    assert "Fits 1 image<" in text_of(answer)
    assert not Pattern.objects.exists()
    admin.post(NEW, sent | {"text": "silver-*", "tried": answer.context["tried"]})
    assert Pattern.objects.get().text == "silver-*"


def test_what_somebody_has_changed_meanwhile_is_shown_first(admin):
    row = make_pattern(text="golden-*")
    address = reverse("patterns:detail", args=[row.pk])
    _, sent = tried(admin, address)
    Pattern.objects.filter(pk=row.pk).update(note="Mine.", changed_at=timezone.now())

    answer = admin.post(address, sent)

    assert "This was not tried." in text_of(answer)
    assert Pattern.objects.get().note == "Mine."


def test_a_pattern_is_changed(admin):
    image = make_image(name="golden-1")
    row = make_pattern(text="golden-*", usage_operation=RHEL, strength="strong")
    audit(at=NOON)
    address = reverse("patterns:detail", args=[row.pk])

    answer, sent = tried(admin, address, is_active="")

    assert "Findings that are resolved" in text_of(answer)
    assert "AMI001 on 1" in text_of(answer)
    admin.post(address, sent)
    row.refresh_from_db()
    assert not row.is_active
    audit(at=NOON)
    image.refresh_from_db()
    assert image.verdict == "unknown"


def test_a_pattern_that_changes_nothing_says_so(admin):
    answer, _ = tried(admin, text="nothing-like-it")

    assert "No finding opens or is resolved" in text_of(answer)


def test_too_many_images_are_not_judged_while_somebody_waits(admin, monkeypatch):
    monkeypatch.setattr("registry.audit.replay.MOST", 1)
    make_image(name="golden-1"), make_image(name="golden-2")
    row = make_pattern(text="golden-*", is_active=False)

    answer, sent = tried(admin, reverse("patterns:detail", args=[row.pk]))

    assert "2 images are too many to try here" in text_of(answer)
    assert f"manage.py audit --dry-run --pattern {row.pk}" in text_of(answer)
    assert "Findings that open" not in text_of(answer)
    admin.post(reverse("patterns:detail", args=[row.pk]), sent)
    assert Pattern.objects.get().is_active


def test_deleting_shows_what_comes_of_it_first(admin):
    make_image(name="golden-1")
    row = make_pattern(text="golden-*", strength="strong")
    audit(at=NOON)
    address = reverse("patterns:delete", args=[row.pk])

    page = text_of(admin.get(address))

    assert "Findings that are resolved" in page
    assert Pattern.objects.exists()
    answer = admin.post(address, follow=True)
    assert not Pattern.objects.exists()
    assert "golden-* is deleted." in text_of(answer)


def test_what_is_wrong_is_said_and_nothing_is_tried(admin):
    answer = admin.post(NEW, GOOD | {"text": "*", "save": "1"})

    assert answer.status_code == 422
    assert "This fits every name." in text_of(answer)
    assert "Fits" not in text_of(answer)


def test_a_double_that_comes_between_is_refused(admin, monkeypatch):
    _, sent = tried(admin)
    make_pattern(text="golden-*")
    monkeypatch.setattr("registry.forms.patterns.PatternForm.clean", lambda form: form.cleaned_data)
    monkeypatch.setattr("registry.models.Pattern.validate_constraints", lambda *_, **__: None)

    answer = admin.post(NEW, sent)

    assert answer.status_code == 422
    assert "Somebody has just saved a pattern like this one." in text_of(answer)
    assert Pattern.objects.count() == 1


def test_what_aws_and_people_wrote_is_text(admin):
    evil = "<script>alert(1)</script>"
    make_image(name=f"golden-{evil}")
    make_pattern(text=f"*{evil}", note=evil)

    pages = [
        tried(admin)[0],
        admin.get(reverse("patterns:list")),
        admin.get(reverse("patterns:delete", args=[Pattern.objects.get().pk])),
    ]

    assert all(evil not in page.content.decode() for page in pages)


def test_a_pattern_that_is_not_there(admin):
    for name in ("patterns:detail", "patterns:delete"):
        for pk in (1, 10**30):
            assert admin.get(reverse(name, args=[pk])).status_code == 404
