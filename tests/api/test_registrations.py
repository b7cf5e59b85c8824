import json
import uuid

import pytest

from registry.api.wishes import asked_fields
from registry.models import Method, Policy, Registration, Role, Run, RunState
from tests.factories import (
    make_account,
    make_image,
    make_instance,
    make_registration,
    make_scope,
    make_snapshot,
    make_user,
)
from tests.jobs.steps import carry_out
from tests.registration.simulated import RHEL, images_named

pytestmark = pytest.mark.django_db
KEY = "11111111-2222-4333-8444-555555555555"
OTHER_KEY = "11111111-2222-4333-8444-666666666666"


def test_a_check_says_what_would_become_of_a_wish(program, wish, snapshot, aws):
    answer = program.post("/registrations/check", wish)

    found = answer.json()
    assert answer.status_code == 200
    assert found["problems"] == {}
    assert found["operation"] == "RegisterImage"
    assert found["prediction"].keys() == {
        "outcome", "usage_operation", "confidence", "reasons", "advice", "api", "instance_id",
        "must_explain",
    }  # fmt: skip
    assert found["ruling"] == {"policy": "Engineers act on their own", "approvals": 0}
    assert found["call"].startswith("aws ec2 register-image --region eu-west-1 --cli-input-json")
    assert snapshot.aws_id in found["call"]


def test_a_check_sends_nothing_and_keeps_nothing(program, wish, aws):
    program.post("/registrations/check", [wish])

    assert aws.operations_called() == []
    assert not Run.objects.exists()


def test_a_check_says_what_is_filled_in_and_from_where(program, wish, snapshot):
    origin = make_image(
        account=snapshot.account,
        root_snapshot_id=snapshot.aws_id,
        architecture="arm64",
        boot_mode="uefi",
    )

    found = program.post("/registrations/check", wish).json()

    assert found["filled_in"]["architecture"] == {"value": "arm64", "from": origin.aws_id}
    assert '"Architecture": "arm64"' in found["call"]


def test_what_is_sent_is_not_filled_in(program, wish, snapshot):
    make_image(account=snapshot.account, root_snapshot_id=snapshot.aws_id, architecture="arm64")

    found = program.post("/registrations/check", wish | {"architecture": "x86_64"}).json()

    assert "architecture" not in found["filled_in"]
    assert '"Architecture": "x86_64"' in found["call"]


def test_a_null_is_as_good_as_nothing(program, wish, snapshot):
    make_image(account=snapshot.account, root_snapshot_id=snapshot.aws_id, architecture="arm64")
    nulls = dict.fromkeys(asked_fields(Method.SNAPSHOT))

    found = program.post("/registrations/check", nulls | wish).json()

    assert found["problems"] == {}
    assert found["filled_in"]["architecture"]["value"] == "arm64"


def test_a_check_answers_each_wish_of_a_list(program, wish):
    found = program.post("/registrations/check", [wish, wish | {"name": "x"}]).json()

    assert found[0]["problems"] == {}
    assert found[1]["problems"]["name"].startswith("Use 3 to 128 letters")
    assert (found[1]["prediction"], found[1]["ruling"]) == (None, None)


def test_the_key_of_a_check_is_the_one_in_its_call(program, wish):
    found = program.post("/registrations/check", wish).json()

    assert found["key"] in found["call"]
    program.post("/registrations", wish | {"key": found["key"]})
    assert str(Registration.objects.get().key) == found["key"]


def test_a_wish_becomes_a_registration(program, wish):
    answer = program.post("/registrations", wish | {"tags": {"team": "erp"}, "iops": 4_000})

    registration = Registration.objects.get()
    assert answer.status_code == 201
    assert (registration.tags, registration.iops) == ({"team": "erp"}, 4_000)
    assert registration.run.requested_by == program.user
    found = answer.json()
    assert (found["key"], found["state"]) == (str(registration.key), "queued")
    assert found["url"].endswith(f"/jobs/{registration.run.ref}/")
    assert found["asked"]["tags"] == {"team": "erp"}
    assert found["timeline"][0]["text"] == "Requested by erin."


def test_a_trial_is_held_until_it_is_confirmed(program, wish, aws):
    key = program.post("/registrations?trial=true", wish).json()["key"]

    carry_out(aws, Registration.objects.get())

    found = program.get(f"/registrations/{key}").json()
    assert (found["state"], found["is_trial"]) == (RunState.HELD, True)
    assert images_named(aws, "golden") == []


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("?trail=true", id="misspelled"),
        pytest.param("?trial=perhaps", id="neither yes nor no"),
        pytest.param("?trial=true&trial=false", id="both"),
    ],
)
def test_a_trial_that_is_not_understood_is_no_real_request(program, wish, address):
    answer = program.post(f"/registrations{address}", wish)

    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_the_same_key_twice_is_the_same_registration(program, wish):
    first = program.post("/registrations", wish | {"key": KEY})
    second = program.post("/registrations", wish | {"key": KEY})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Run.objects.count() == 1


def test_the_key_can_be_a_header(program, wish):
    first = program.post("/registrations", wish, **{"Idempotency-Key": KEY})
    second = program.post("/registrations", wish, **{"Idempotency-Key": KEY})

    assert (first.status_code, second.status_code) == (201, 200)
    assert Registration.objects.get().key == uuid.UUID(KEY)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        pytest.param("golden-1", None, id="no UUID"),
        pytest.param(KEY, OTHER_KEY, id="two keys"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(program, wish, header, key):
    answer = program.post("/registrations", wish | {"key": key}, **{"Idempotency-Key": header})

    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_a_header_is_no_key_of_a_list(program, wish):
    answer = program.post("/registrations", [wish], **{"Idempotency-Key": KEY})

    assert answer.status_code == 422
    assert answer.json()["problems"]["0"]["key"].startswith("Idempotency-Key is for a single")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"name": "another"}, id="another name"),
        pytest.param({"tags": {"team": "erp"}}, id="another tag"),
        pytest.param({"delete_on_termination": False}, id="another switch"),
    ],
)
def test_a_key_of_another_request_is_refused(program, wish, change):
    program.post("/registrations", wish | {"key": KEY})

    answer = program.post("/registrations", wish | change | {"key": KEY})

    assert answer.status_code == 409
    assert answer.json()["detail"] == f"The key {KEY} was used for another request. Use a new one."
    assert Registration.objects.get().name == "golden"


def test_a_key_of_another_person_tells_nothing(program, another, wish):
    program.post("/registrations", wish | {"key": KEY})

    answer = another().post("/registrations", wish | {"key": KEY})

    assert answer.status_code == 409
    assert answer.json().keys() == {"detail"}


def test_a_key_of_another_account_tells_nothing(program, wish):
    same = {name: value for name, value in wish.items() if name != "account"}
    elsewhere = make_registration(key=KEY, **same)
    Run.objects.filter(pk=elsewhere.run_id).update(requested_by=program.user)

    answer = program.post("/registrations", wish | {"key": KEY})

    assert answer.status_code == 409


def test_a_list_is_one_batch(program, wish):
    wishes = [wish | {"name": f"golden-{n}"} for n in (1, 2)]

    answer = program.post("/registrations", wishes)

    assert answer.status_code == 201
    assert [found["asked"]["name"] for found in answer.json()] == ["golden-1", "golden-2"]
    batch = Registration.objects.first().batch
    assert program.get("/registrations", batch=str(batch)).json()["count"] == 2


def test_of_a_list_all_are_asked_for_or_none(program, wish):
    answer = program.post("/registrations", [wish, wish | {"name": "ab"}, wish | {"name": "abc"}])

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {"1"}
    assert not Run.objects.exists()


def test_the_same_list_twice_is_the_same_batch(program, wish):
    wishes = [wish | {"key": KEY}, wish | {"key": OTHER_KEY, "name": "golden-2"}]

    first = program.post("/registrations", wishes)
    second = program.post("/registrations", wishes)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


@pytest.mark.parametrize(
    ("wishes", "problems"),
    [
        pytest.param([], {"body": "Give at least one."}, id="an empty list"),
        pytest.param([5], {"0": {"body": "Write an object."}}, id="a number in a list"),
        pytest.param([[]], {"0": {"body": "Write an object."}}, id="a list in a list"),
        pytest.param([{}] * 501, {"body": "Give at most 500."}, id="too many"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(program, wishes, problems):
    answer = program.post("/registrations", json.dumps(wishes))

    assert (answer.status_code, answer.json()["problems"]) == (422, problems)


def test_a_key_that_a_list_has_twice_is_refused(program, wish):
    wishes = [wish | {"key": KEY}, wish | {"key": KEY, "name": "golden-2"}]

    answer = program.post("/registrations", wishes)

    assert answer.json()["problems"] == {"1": {"key": "Another wish of this request has this key."}}


def test_further_devices_are_named_as_aws_does(program, wish):
    devices = [
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}},
        {"DeviceName": "/dev/sdg", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdh", "NoDevice": ""},
    ]

    program.post("/registrations", wish | {"block_devices": devices})

    assert Registration.objects.get().block_devices == devices


def test_an_image_of_an_instance_is_asked_for(program, wish, scope):
    instance = make_instance(
        account=scope.account, region=scope.region, usage_operation=RHEL, platform_details="RHEL"
    )
    del wish["snapshot_id"]

    answer = program.post(
        "/registrations",
        wish | {"method": "instance", "source_instance_id": instance.aws_id, "no_reboot": True},
    )

    registration = Registration.objects.get()
    assert answer.status_code == 201
    assert (registration.source_instance_id, registration.no_reboot) == (instance.aws_id, True)


def test_a_copy_is_asked_for(program, wish, scope):
    make_scope(account=scope.account, region="us-east-1")
    image = make_image(account=scope.account, region=scope.region, usage_operation=RHEL)
    del wish["snapshot_id"]

    answer = program.post(
        "/registrations",
        wish
        | {
            "method": "copy",
            "region": "us-east-1",
            "source_image_id": image.aws_id,
            "source_region": scope.region,
        },
    )

    registration = Registration.objects.get()
    assert answer.status_code == 201
    assert (registration.region, registration.source_region) == ("us-east-1", scope.region)


def test_a_missing_reason_is_asked_for(program, wish):
    del wish["reason"]

    checked = program.post("/registrations/check", wish)
    asked = program.post("/registrations", wish)

    assert checked.json()["problems"].keys() == {"reason"}
    assert checked.json()["prediction"]["must_explain"]
    assert (asked.status_code, asked.json()["problems"].keys()) == (422, {"reason"})


def test_who_may_not_register_here_is_told(another, wish):
    reader = another(Role.VIEWER)

    answer = reader.post("/registrations", wish)

    assert answer.status_code == 403
    assert "You may not register images in" in answer.json()["detail"]


def test_an_account_that_one_may_not_read_does_not_exist(another, wish):
    elsewhere = another(Role.ADMIN, account=make_account())

    answer = elsewhere.post("/registrations", wish)

    assert answer.status_code == 422
    assert answer.json()["problems"] == {"account": "There is no such account."}


def test_the_list_is_narrowed_and_turned_page_by_page(program):
    old, new = make_registration(), make_registration()
    Run.objects.filter(pk=old.run_id).update(state="held")

    every = program.get("/registrations").json()
    held = program.get("/registrations", state="held").json()
    second = program.get("/registrations", limit=1, offset=1).json()

    assert [one["key"] for one in every["items"]] == [str(new.key), str(old.key)]
    assert [one["key"] for one in held["items"]] == [str(old.key)]
    assert (second["count"], [one["key"] for one in second["items"]]) == (2, [str(old.key)])


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        pytest.param({"state": "done"}, "state", id="no such state"),
        pytest.param({"batch": "x"}, "batch", id="no batch"),
        pytest.param({"limit": "0"}, "limit", id="no page"),
        pytest.param({"limit": "1000"}, "limit", id="a large page"),
        pytest.param({"offset": "-1"}, "offset", id="before the first"),
        pytest.param({"offset": "9" * 40}, "offset", id="beyond everything"),
        pytest.param({"stat": "held"}, "stat", id="misspelled"),
    ],
)
def test_a_question_that_makes_no_sense_is_not_answered(program, asked, problem):
    answer = program.get("/registrations", **asked)

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {problem}


def test_the_list_takes_the_same_queries_however_long(program, django_assert_num_queries):
    user = make_user()
    for _ in range(20):
        registration = make_registration()
        registration.run.record("Requested.", at=registration.run.requested_at)
        registration.run.decisions.create(
            by=user, at=registration.run.requested_at, is_approval=True, reason="Yes."
        )
    program.get("/registrations")

    with django_assert_num_queries(6):
        program.get("/registrations", limit=20)


def test_an_answer_says_who_must_agree_and_who_did(program, another, wish, aws):
    Policy.objects.create(name="Two for all", approvals=2)
    key = program.post("/registrations", wish).json()["key"]
    carry_out(aws, Registration.objects.get())
    finops = another(Role.FINOPS, username="finn")

    finops.post(f"/registrations/{key}/approve", {"reason": "It is needed."})

    found = program.get(f"/registrations/{key}").json()
    assert (found["state"], found["policy"]) == ("held", "Two for all")
    assert (found["approvals"]["needed"], found["approvals"]["given"]) == (2, ["finn"])
    assert found["approvals"]["decisions"][0]["reason"] == "It is needed."


def test_an_approval_of_somebody_without_that_role_does_not_count(program, another, wish, aws):
    Policy.objects.create(name="Two for all", approvals=2)
    key = program.post("/registrations", wish).json()["key"]
    carry_out(aws, Registration.objects.get())
    finops = another(Role.FINOPS, username="finn")
    finops.post(f"/registrations/{key}/approve", {"reason": "It is needed."})

    finops.user.grants.all().delete()

    found = program.get(f"/registrations/{key}").json()
    assert found["approvals"]["given"] == []
    assert len(found["approvals"]["decisions"]) == 1


def test_an_answer_says_how_it_ended(program, wish, aws):
    key = program.post("/registrations", wish).json()["key"]

    carry_out(aws, Registration.objects.get())

    found = program.get(f"/registrations/{key}").json()
    assert (found["state"], found["step"], found["verdict"]) == ("succeeded", "verified", "ok")
    assert found["usage_operation"] == RHEL
    assert found["image_id"] == images_named(aws, "golden")[0]["ImageId"]
    assert found["readings"][-1]["image"]["ImageId"] == found["image_id"]


def test_a_check_tells_nothing_of_a_snapshot_of_another_account(program, wish, snapshot):
    elsewhere = make_snapshot(region=snapshot.region)
    origin = make_image(
        account=elsewhere.account, root_snapshot_id=elsewhere.aws_id, architecture="arm64"
    )

    answer = program.post("/registrations/check", wish | {"snapshot_id": elsewhere.aws_id})

    assert answer.json()["problems"].keys() == {"snapshot_id"}
    assert answer.json()["filled_in"] == {}
    assert origin.aws_id not in answer.content.decode()
    assert "arm64" not in answer.content.decode()
