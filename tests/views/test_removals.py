import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from registry.models import ItemState, Removal, RemovalItem, Role, RunState
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_registration,
    make_removal,
    make_removal_item,
    make_reserved_instance,
    make_run,
    make_snapshot,
    make_user,
)

DISCARD, BRING_BACK = reverse("images:discard"), reverse("images:bring-back")


@pytest.fixture
def image(db):
    return make_image(name="golden", state="available")


def form(*images, **fields):
    ids = [image.aws_id for image in images]
    words = images[0].name if len(images) == 1 else f"discard {len(images)}"
    return {
        "key": str(uuid.uuid4()),
        "pick": ids,
        "seen": ids,
        "reason": "It carries a wrong code.",
        "hold": "7",
        "cooling": "14",
        "words": words,
        "step": "submit",
    } | fields


def page_of(answer):
    return answer.content.decode().replace("&#x27;", "'")


def test_the_preview_keeps_nothing(signed_in, image):
    answer = signed_in.post(DISCARD, {"pick": image.aws_id})

    assert answer.status_code == 200
    assert f"aws ec2 disable-image --region eu-west-1 --image-id {image.aws_id}" in page_of(answer)
    assert not Removal.objects.exists()


def test_a_removal_is_asked_for_as_it_was_chosen(signed_in, image):
    answer = signed_in.post(DISCARD, form(image, deletes_snapshots="on"))

    removal = Removal.objects.get()
    assert answer.url == removal.run.get_absolute_url()
    assert removal.reason == "It carries a wrong code."
    assert removal.hold_until == removal.run.requested_at + timedelta(days=7)
    assert removal.cooling == timedelta(days=14)
    assert removal.deletes_snapshots
    assert [item.image for item in removal.items.all()] == [image]


def test_the_same_form_twice_is_one_removal(signed_in, image):
    wanted = form(image)

    signed_in.post(DISCARD, wanted)
    again = signed_in.post(DISCARD, wanted)

    assert again.url == Removal.objects.get().run.get_absolute_url()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"words": ""}, "Type “golden” to confirm.", id="nothing typed"),
        pytest.param({"words": "golden!"}, "Type “golden” to confirm.", id="something else typed"),
        pytest.param({"reason": " "}, "Say why", id="no reason"),
        pytest.param({"hold": "-1"}, "is not one of the available choices", id="negative hold"),
        pytest.param({"cooling": "x"}, "is not one of the available choices", id="no number"),
        pytest.param({"key": "x"}, "Enter a valid UUID", id="no key"),
        pytest.param({"reason": "a\x00b"}, "Null characters are not allowed", id="NUL"),
        pytest.param({"seen": ["ami-other"]}, "not the one that was shown", id="changed meanwhile"),
        pytest.param(
            {"only_disables": "on", "deletes_snapshots": "on"},
            "only be deleted where the images are deregistered",
            id="snapshots of a disabled image",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(signed_in, image, fields, says):
    answer = signed_in.post(DISCARD, form(image, **fields))

    assert answer.status_code == 422
    assert says in page_of(answer)
    assert not Removal.objects.exists()


def test_several_images_are_confirmed_by_their_number(signed_in, image):
    other = make_image(state="available", account=image.account)

    signed_in.post(DISCARD, form(image, other))

    assert RemovalItem.objects.count() == 2


def test_what_is_skipped_is_named_and_not_counted(signed_in, image):
    used = make_image(name="used", state="available", account=image.account)
    make_instance(image_id=used.aws_id, state="running", account=image.account)

    answer = signed_in.post(DISCARD, form(image, used, words="golden", seen=[image.aws_id]))

    assert answer.status_code == 302
    assert [item.image for item in RemovalItem.objects.all()] == [image]


def test_what_is_in_use_is_discarded_only_by_force(signed_in, image):
    instance = make_instance(image_id=image.aws_id, state="running", account=image.account)

    kept = signed_in.post(DISCARD, form(image))
    shown = kept.context["shown"]
    signed_in.post(DISCARD, form(image, is_forced="on", shown=shown))

    assert kept.status_code == 422
    assert instance.aws_id in page_of(kept)
    assert RemovalItem.objects.get().uses_shown[0]["aws_id"] == instance.aws_id


def test_a_use_that_was_not_shown_is_not_forced(signed_in, image):
    shown = signed_in.post(DISCARD, {"pick": image.aws_id}).context["shown"]
    make_instance(image_id=image.aws_id, state="running", account=image.account)

    answer = signed_in.post(DISCARD, form(image, is_forced="on", shown=shown))

    assert "has changed since you looked" in page_of(answer)
    assert not Removal.objects.exists()


def test_copies_that_would_stay_are_named_and_go_if_they_are_chosen(signed_in, image):
    copy = make_image(
        name="golden",
        state="available",
        account=image.account,
        region="us-east-1",
        source_image_id=image.aws_id,
        source_image_region=image.region,
    )

    shown = signed_in.post(DISCARD, {"pick": image.aws_id})
    ids = [image.aws_id, copy.aws_id]
    signed_in.post(DISCARD, form(image, with_copies="on", words="discard 2", seen=ids))

    assert f"{copy.aws_id}</code> in us-east-1" in page_of(shown)
    assert {item.image for item in RemovalItem.objects.all()} == {image, copy}


def test_all_that_match_the_filter_are_chosen(signed_in, image):
    make_image(name="other", state="available", account=image.account)

    answer = signed_in.post(DISCARD, {"all_matching": "1", "query": "q=golden"})

    assert answer.context["acting"] == [image]


@pytest.mark.parametrize(
    "fields",
    [{}, {"query": "account=nothing"}, {"query": "q=%00"}, {"query": "billing=nothing"}],
    ids=["none", "account", "nul", "verdict"],
)
def test_a_filter_that_cannot_be_read_chooses_nothing(signed_in, image, fields):
    answer = signed_in.post(DISCARD, {"all_matching": "1", **fields}, follow=True)

    assert "Select at least one image." in page_of(answer)


def test_an_address_discards_nothing(signed_in, image):
    answer = signed_in.get(DISCARD, form(image))

    assert answer.status_code == 200
    assert not Removal.objects.exists()


@pytest.mark.parametrize("path", [DISCARD, BRING_BACK])
def test_another_method_is_refused(signed_in, path):
    assert signed_in.put(path).status_code == 405


def test_a_form_holds_any_number_of_images_in_one_field(signed_in, image):
    other = make_image(name="other", state="available")
    ids = f"{image.aws_id} {other.aws_id}"

    preview = page_of(signed_in.post(DISCARD, {"pick": [image.aws_id, other.aws_id]}))
    signed_in.post(DISCARD, form(image, other, pick=ids, seen=f"{ids} "))

    assert preview.count('name="pick"') == 1
    assert preview.count('name="seen"') == 1
    assert RemovalItem.objects.count() == 2


def test_nothing_chosen_is_said(signed_in, db):
    answer = signed_in.post(DISCARD, {"pick": "ami-\x00"}, follow=True)

    assert "Select at least one image." in page_of(answer)


def test_the_snapshots_and_the_idle_purchases_are_in_the_radius(signed_in, image):
    snapshot = make_snapshot(account=image.account, volume_size=30)
    image.block_devices = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot.aws_id}}]
    image.root_snapshot_id = snapshot.aws_id
    image.expected_usage_operation = "RunInstances:0010"
    image.save()
    purchase = make_reserved_instance(
        account=image.account,
        region=image.region,
        product_description="Red Hat Enterprise Linux",
    )
    make_finding(image=None, reserved_instance=purchase, rule="RI001", monthly_cost=109)

    radius = signed_in.post(DISCARD, {"pick": image.aws_id}).context["radius"]

    assert (radius["snapshots"], radius["gib"]) == (1, 30)
    assert (radius["number"], radius["cost"]) == (1, 109)


def test_what_is_skipped_as_things_stand_is_in_the_radius_too(signed_in, image):
    snapshot = make_snapshot(account=image.account, volume_size=30)
    image.block_devices = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot.aws_id}}]
    image.root_snapshot_id = snapshot.aws_id
    image.save()
    make_instance(image_id=image.aws_id, state="running", account=image.account)

    answer = signed_in.post(DISCARD, {"pick": image.aws_id})

    assert answer.context["acting"] == []
    assert answer.context["radius"]["snapshots"] == 1


def test_a_developer_discards_what_he_registered_himself(client, image):
    user = make_user(Role.DEVELOPER, account=image.account)
    client.force_login(user)

    before = client.post(DISCARD, form(image))
    run = make_run(kind="register", requested_by=user, state="succeeded", finished_at=LATER)
    make_registration(account=image.account, run=run, image_id=image.aws_id)
    after = client.post(DISCARD, form(image))

    assert (before.status_code, after.status_code) == (422, 302)


def test_an_image_of_another_account_is_not_found(client, image):
    client.force_login(make_user(Role.ENGINEER, account=make_account()))

    answer = client.post(DISCARD, form(image), follow=True)

    assert "Select at least one image." in page_of(answer)
    assert not Removal.objects.exists()


def test_a_viewer_may_not(client, image):
    client.force_login(make_user(Role.VIEWER))

    assert client.post(DISCARD, form(image)).status_code == 403
    assert client.post(BRING_BACK, {"pick": image.aws_id}).status_code == 403


@pytest.fixture
def disabled(image):
    """An image that a removal, now over, has disabled."""
    run = make_run(kind="remove", state="succeeded", finished_at=LATER)
    image.state = "disabled"
    image.save()
    removal = make_removal(run=run, only_disables=True)
    make_removal_item(removal=removal, image=image, state=ItemState.DISABLED, disabled_at=NOON)
    return image


def test_a_disabled_image_is_brought_back(signed_in, disabled):
    shown = signed_in.get(BRING_BACK, {"pick": disabled.aws_id})
    wanted = {"key": str(uuid.uuid4()), "pick": disabled.aws_id, "reason": "A mistake."}
    answer = signed_in.post(BRING_BACK, wanted)

    removal = Removal.objects.get(is_undo=True)
    assert "launch permissions" in page_of(shown)
    assert answer.url == removal.run.get_absolute_url()


def test_what_is_there_is_not_brought_back(signed_in, image):
    wanted = {"key": str(uuid.uuid4()), "pick": image.aws_id, "reason": "A mistake."}

    answer = signed_in.post(BRING_BACK, wanted)

    assert answer.status_code == 422
    assert not Removal.objects.exists()


def test_the_image_page_offers_what_can_be_done(signed_in, disabled):
    text = page_of(signed_in.get(disabled.get_absolute_url()))

    assert f"{BRING_BACK}?pick={disabled.aws_id}" in text
    assert f"{DISCARD}?pick={disabled.aws_id}" in text


@pytest.fixture
def item(image):
    return make_removal_item(image=image, uses=[{"kind": "ec2:Instance", "aws_id": "i-1"}])


def test_the_ledger_shows_every_image(signed_in, item):
    text = page_of(signed_in.get(item.removal.run.get_absolute_url()))

    assert item.image.aws_id in text
    assert "instance i-1" in text
    assert "Nobody needs them." in text


def test_the_ledger_hides_images_of_accounts_that_one_may_not_read(client, item):
    other = make_image(name="undisclosed")
    make_removal_item(removal=item.removal, image=other)
    client.force_login(make_user(Role.ENGINEER, account=item.image.account))

    text = page_of(client.get(item.removal.run.get_absolute_url()))

    assert "undisclosed" not in text
    assert other.aws_id not in text
    assert "1 more that are not shown" in text


def test_a_removal_is_paused_and_resumed(signed_in, item):
    ref = item.removal.run.ref

    signed_in.post(reverse("jobs:pause", args=[ref]))
    paused = Removal.objects.get().is_paused
    signed_in.post(reverse("jobs:resume", args=[ref]))

    assert paused
    assert not Removal.objects.get().is_paused
    assert Removal.objects.get().run.state == RunState.QUEUED


def test_an_image_is_kept(signed_in, item):
    ref = item.removal.run.ref

    signed_in.post(reverse("jobs:keep", args=[ref]), {"item": item.pk})

    item.refresh_from_db()
    assert item.state == ItemState.KEPT


@pytest.mark.parametrize("wanted", ["", "x", "0", "9" * 30, "²"])
def test_an_image_that_is_not_in_the_ledger_is_not_found(signed_in, item, wanted):
    answer = signed_in.post(reverse("jobs:keep", args=[item.removal.run.ref]), {"item": wanted})

    assert answer.status_code == 404


def test_failed_images_are_tried_again(signed_in, item):
    RemovalItem.objects.update(state=ItemState.FAILED, error="AWS refused.")
    run = item.removal.run
    run.state, run.finished_at = RunState.SUCCEEDED, LATER
    run.save()

    signed_in.post(reverse("jobs:retry", args=[run.ref]))

    item.refresh_from_db()
    assert item.state == ItemState.MARKED


def test_what_cannot_be_done_any_more_is_said(signed_in, item):
    answer = signed_in.post(reverse("jobs:resume", args=[item.removal.run.ref]), follow=True)

    assert "is not paused" in page_of(answer)


def test_a_job_that_discards_nothing_cannot_be_paused(signed_in, db):
    run = make_registration().run

    assert signed_in.post(reverse("jobs:pause", args=[run.ref])).status_code == 404


def test_the_preview_takes_the_same_queries_however_many_images(
    signed_in, image, django_assert_max_num_queries
):
    ids = [image.aws_id]
    for _ in range(20):
        ids.append(make_image(account=image.account, state="available").aws_id)

    with django_assert_max_num_queries(38):
        signed_in.post(DISCARD, {"pick": ids})


def test_the_timeline_hides_what_happens_in_accounts_that_one_may_not_read(client, item):
    other = make_image(name="undisclosed")
    make_removal_item(removal=item.removal, image=other)
    for image in (item.image, other):
        item.removal.run.record(f"Looked at {image.aws_id}.", at=NOON, subject=image.aws_id)
    client.force_login(make_user(Role.ENGINEER, account=item.image.account))

    text = page_of(client.get(item.removal.run.get_absolute_url()))

    assert f"Looked at {item.image.aws_id}." in text
    assert other.aws_id not in text


def test_the_names_of_another_account_are_not_told_in_the_ledger(client, item):
    use = {"kind": "ec2:Instance", "aws_id": "i-2", "name": "payroll", "account": "1"}
    RemovalItem.objects.filter(pk=item.pk).update(uses=[use])
    client.force_login(make_user(Role.ENGINEER, account=item.image.account))

    text = page_of(client.get(item.removal.run.get_absolute_url()))

    assert "instance i-2" in text
    assert "payroll" not in text
