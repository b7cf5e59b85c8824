import json
import uuid

import pytest

from registry.jobs.removals import run_removal
from registry.models import ItemState, Removal, Role, Run, RunState
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_instance,
    make_removal,
    make_removal_item,
    make_run,
)
from tests.removal.simulated import in_aws, put_image

pytestmark = pytest.mark.django_db
KEY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def image(aws, scope):
    """An image that nobody uses, in AWS and in the mirror."""
    return put_image(aws, scope)


@pytest.fixture
def ask(program, image):
    """Ask for the removal of the image."""

    def asked(by=program, **fields):
        return by.post("/removals", {"images": [image.aws_id], "reason": "It is old.", **fields})

    return asked


def work(times=1):
    for _ in range(times):
        run_removal(Run.objects.get(kind="remove").pk)


def test_a_check_says_what_would_happen(program, image):
    instance = make_instance(account=image.account, image_id=image.aws_id, name="web")

    found = program.post("/removals/check", {"images": [image.aws_id]}).json()

    (line,) = found["images"]
    assert line["uses"] == [
        {
            "kind": "ec2:Instance",
            "aws_id": instance.aws_id,
            "name": "web",
            "account": image.account.number,
        }
    ]
    assert "web" in line["kept"]
    assert (found["acting"], found["skipped"], found["calls"]) == (0, 1, [])
    assert found["accounts"] == [image.account.number]
    assert found["warnings"]


def test_a_check_prints_the_calls(program, image):
    found = program.post("/removals/check", {"images": [image.aws_id], "only_disables": True})

    assert found.json()["calls"] == [
        f"aws ec2 disable-image --region eu-west-1 --image-id {image.aws_id}"
    ]


def test_a_check_sends_nothing_and_keeps_nothing(program, image, aws):
    program.post("/removals/check", {"images": [image.aws_id]})

    assert aws.operations_called() == []
    assert not Run.objects.exists()


def test_the_names_of_another_account_are_not_told(another, image):
    elsewhere = make_account()
    make_instance(account=elsewhere, image_id=image.aws_id, name="undisclosed")
    engineer = another(Role.ENGINEER, account=image.account)

    answer = engineer.post("/removals/check", {"images": [image.aws_id]})

    assert answer.json()["skipped"] == 1
    assert "undisclosed" not in answer.content.decode()


def test_a_removal_is_asked_for(ask, image, program):
    answer = ask(hold_hours=24, cooling_hours=48)

    removal = Removal.objects.get()
    assert answer.status_code == 201
    assert removal.run.requested_by == program.user
    found = answer.json()
    assert (found["key"], found["state"]) == (str(removal.key), "queued")
    assert (found["reason"], found["cooling_hours"]) == ("It is old.", 48.0)
    assert found["hold_until"] is not None
    assert [item["image_id"] for item in found["items"]] == [image.aws_id]


def test_the_same_key_twice_is_the_same_removal(ask):
    first, second = ask(key=KEY), ask(key=KEY)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Run.objects.count() == 1


def test_a_key_of_other_images_is_refused(ask, program, aws, scope):
    ask(key=KEY)
    other = put_image(aws, scope)

    answer = program.post("/removals", {"key": KEY, "images": [other.aws_id], "reason": "Old."})

    assert answer.status_code == 409
    assert Run.objects.count() == 1


def test_the_key_can_be_a_header(program, image):
    wish, header = {"images": [image.aws_id], "reason": "Old."}, {"Idempotency-Key": KEY}

    answers = [program.post("/removals", wish, **header) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert {answer.json()["key"] for answer in answers} == {KEY}
    answer = program.post("/removals", {**wish, "key": str(uuid.uuid4())}, **header)
    assert answer.json()["problems"] == {"key": "Idempotency-Key says another key."}


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "Otherwise."},
        {"hold_hours": 1},
        {"cooling_hours": 1},
        {"only_disables": True},
        {"deletes_snapshots": True},
        {"is_forced": True},
    ],
)
def test_a_key_of_another_wish_for_the_same_images_is_refused(ask, fields):
    ask(key=KEY)

    assert ask(key=KEY, **fields).status_code == 409
    assert Run.objects.count() == 1


def test_the_same_key_with_the_same_waits_is_the_same_removal(ask):
    waits = {"hold_hours": 2, "cooling_hours": 3, "reason": " Old. "}

    answers = [ask(key=KEY, **waits) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]


def test_a_key_of_another_person_tells_nothing(ask, another):
    ask(key=KEY)

    answer = ask(another(Role.ENGINEER), key=KEY)

    assert answer.status_code == 409
    assert "It is old." not in answer.content.decode()


def test_it_is_carried_out_and_its_ledger_shown(ask, program, image, aws):
    key = ask().json()["key"]

    work(times=2)

    found = program.get(f"/removals/{key}").json()
    assert found["state"] == RunState.SUCCEEDED
    assert found["items"][0]["state"] == ItemState.DEREGISTERED
    assert found["items"][0]["deregistered_at"] is not None
    assert image.aws_id in {event["subject"] for event in found["timeline"]}


def test_it_is_paused_and_resumed(ask, program):
    key = ask().json()["key"]

    paused = program.post(f"/removals/{key}/pause").json()
    resumed = program.post(f"/removals/{key}/resume").json()

    assert (paused["is_paused"], paused["state"]) == (True, RunState.HELD)
    assert (resumed["is_paused"], resumed["state"]) == (False, RunState.QUEUED)


@pytest.mark.parametrize("word", ["resume", "retry"])
def test_what_comes_at_a_wrong_time_is_told(ask, program, word):
    key = ask().json()["key"]

    answer = program.post(f"/removals/{key}/{word}")

    assert answer.status_code == 409
    assert answer.json()["detail"].endswith(".")


def test_what_failed_is_tried_again(ask, program, image, aws):
    key = ask().json()["key"]
    aws.fail("DisableImage", "access-denied", times=1)
    work()
    failed = program.get(f"/removals/{key}").json()

    retried = program.post(f"/removals/{key}/retry").json()

    assert failed["items"][0]["state"] == ItemState.FAILED
    assert (retried["state"], retried["items"][0]["state"]) == ("queued", ItemState.MARKED)


def test_an_image_is_kept(ask, program, image, aws):
    key = ask(hold_hours=24).json()["key"]

    found = program.post(f"/removals/{key}/items/{image.aws_id}/keep").json()

    assert found["items"][0]["state"] == ItemState.KEPT
    assert found["items"][0]["note"] == "Kept by erin."


def test_an_image_of_another_removal_is_not_kept(ask, program):
    key = ask().json()["key"]

    answer = program.post(f"/removals/{key}/items/ami-1/keep")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no image ami-1 in this removal."}


def test_it_is_undone(ask, program, image, aws):
    key = ask(only_disables=True).json()["key"]
    work()
    assert in_aws(aws, image)["State"] == "disabled"

    answer = program.post(f"/removals/{key}/undo", {"reason": "It is needed.", "key": KEY})

    assert answer.status_code == 201
    assert (answer.json()["is_undo"], answer.json()["key"]) == (True, KEY)
    run_removal(Removal.objects.get(key=KEY).run_id)
    assert in_aws(aws, image)["State"] == "available"


def test_the_same_undo_twice_is_one(ask, program, image, aws):
    key = ask(only_disables=True).json()["key"]
    work()

    answers = [
        program.post(f"/removals/{key}/undo", {"reason": "It is needed.", "key": KEY})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 200]


def test_what_was_not_done_is_not_undone(ask, program, image):
    key = ask(hold_hours=24).json()["key"]

    answer = program.post(f"/removals/{key}/undo", {"reason": "It is needed."})

    assert answer.status_code == 422
    assert answer.json()["problems"] == {"images": "Nothing was done to them."}


HOSTILE = [
    ("none", "images", [], "Give at least one."),
    ("no list", "images", "ami-1", "Write a list."),
    ("no such image", "images", ["ami-1"], "There is no image ami-1."),
    ("too many", "images", ["x"] * 1_001, "Give at most 1,000."),
    ("a number as switch", "is_forced", 1, "Write true or false."),
    ("a field misspelled", "force", True, "There is no such field."),
]


@pytest.mark.parametrize("address", ["/removals", "/removals/check"])
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, *case in HOSTILE])
def test_what_makes_no_sense_is_told_at_its_field(program, image, address, case):
    field, value, says = case
    wanted = {"images": [image.aws_id]} | ({"reason": "Old."} if address == "/removals" else {})

    answer = program.post(address, json.dumps(wanted | {field: value}))

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {field}
    assert says in answer.json()["problems"][field]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("image_id", "says"),
    [
        pytest.param(1, "Write a text.", id="a number"),
        pytest.param("a\0", "Leave the character NUL out.", id="a NUL"),
        pytest.param("\ud800", "Half a surrogate pair", id="half a surrogate"),
        pytest.param("x" * 65, "Use at most 64 characters.", id="a long one"),
    ],
)
def test_an_id_that_is_none_is_told_with_its_place(program, image_id, says):
    answer = program.post("/removals", json.dumps({"images": [image_id], "reason": "Old."}))

    assert says in answer.json()["problems"]["images.0"]


@pytest.mark.parametrize(
    ("fields", "place", "says"),
    [
        pytest.param({"reason": " "}, "reason", "Say why.", id="no reason"),
        pytest.param({"reason": "x" * 2_001}, "reason", "Use at most 2,000", id="a long reason"),
        pytest.param({"hold_hours": -1}, "hold_hours", "Use at least 0.", id="a time before"),
        pytest.param({"hold_hours": 90_000}, "hold_hours", "Ten years", id="a long hold"),
        pytest.param({"cooling_hours": 10**9}, "cooling_hours", "Use at most", id="for ever"),
        pytest.param({"cooling_hours": "1"}, "cooling_hours", "whole number", id="hours as text"),
        pytest.param({"seen": ["ami-1"]}, "images", "not the one that was shown", id="others seen"),
        pytest.param(
            {"only_disables": True, "deletes_snapshots": True},
            "deletes_snapshots",
            "Snapshots can only be deleted",
            id="snapshots of what stays",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_told_at_its_field(ask, fields, place, says):
    answer = ask(**fields)

    assert answer.status_code == 422
    assert says in answer.json()["problems"][place]
    assert not Run.objects.exists()


def test_who_may_not_discard_is_told(ask, another):
    answer = ask(another(Role.VIEWER))

    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("You may not do this to ami-")


def test_an_image_that_one_may_not_see_does_not_exist(another, image):
    elsewhere = another(Role.ADMIN, account=make_account())

    answer = elsewhere.post("/removals", {"images": [image.aws_id], "reason": "Old."})

    assert answer.json()["problems"] == {"images": f"There is no image {image.aws_id}."}


def test_of_a_removal_only_the_readable_images_are_shown(another):
    removal = make_removal()
    mine, other = make_image(), make_image(name="undisclosed")
    for image in (mine, other):
        make_removal_item(removal=removal, image=image)
        removal.run.record(f"Looked at {image.name}.", at=NOON, subject=image.aws_id)

    answer = another(Role.VIEWER, account=mine.account).get(f"/removals/{removal.key}")

    assert [item["image_id"] for item in answer.json()["items"]] == [mine.aws_id]
    assert "undisclosed" not in answer.content.decode()
    assert other.aws_id not in answer.content.decode()


def test_an_image_that_one_may_not_see_is_not_kept(another):
    removal = make_removal()
    mine, other = make_image(), make_image()
    for image in (mine, other):
        make_removal_item(removal=removal, image=image)
    engineer = another(Role.ENGINEER, account=mine.account)

    answer = engineer.post(f"/removals/{removal.key}/items/{other.aws_id}/keep")

    assert answer.status_code == 404


def test_the_list_shows_the_newest_first(program):
    old = make_removal_item().removal
    new = make_removal_item(removal=make_removal(run=make_run(kind="remove", state="held"))).removal

    every = program.get("/removals").json()
    held = program.get("/removals", state="held").json()

    assert [one["key"] for one in every["items"]] == [str(new.key), str(old.key)]
    assert [one["key"] for one in held["items"]] == [str(new.key)]


def test_the_list_takes_the_same_queries_however_long(program, django_assert_num_queries):
    for _ in range(20):
        make_removal_item(removal=make_removal(), image=make_image())
    program.get("/removals")

    with django_assert_num_queries(9):
        program.get("/removals", limit=20)
