import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import Policy, Registration, Role, Run, RunState
from tests.factories import make_scope, make_user
from tests.jobs.steps import KEY
from tests.registration.calls import sent
from tests.registration.simulated import RHEL, SNAPSHOT_ID, images_named, put_snapshot
from tests.registration.sources import (
    HERE,
    IMAGE_ID,
    INSTANCE_ID,
    LOCATION,
    THERE,
    mirror_sources,
    put_sources,
)

pytestmark = pytest.mark.django_db
NUMBER = "999999999999"
HEAD = "account,region,snapshot_id,name,expected_usage_operation,reason"
LINE = f"{NUMBER},{HERE},{SNAPSHOT_ID},golden,{RHEL},It was lost."


@pytest.fixture(autouse=True)
def _sources(aws, scope):
    put_sources(aws)
    make_scope(account=scope.account, region=THERE)
    mirror_sources(scope.account)


def register(source=SNAPSHOT_ID, *arguments, **options):
    """Call the command; return what it says."""
    out = StringIO()
    wanted = {
        "account": NUMBER,
        "region": HERE,
        "expected": RHEL,
        "reason": "It was lost.",
        "key": KEY,
    }
    call_command("register", source, *arguments or ["golden"], stdout=out, **wanted | options)
    return out.getvalue()


def refused(*arguments, **options):
    """Call the command; return what it says when it fails, with its exit code."""
    with pytest.raises(CommandError) as caught:
        register(*arguments, **options)
    return str(caught.value), caught.value.returncode


@pytest.mark.parametrize(
    ("source", "method", "options"),
    [
        (SNAPSHOT_ID, "snapshot", {}),
        (INSTANCE_ID, "instance", {}),
        (IMAGE_ID, "copy", {"region": THERE, "to": [HERE]}),
        (LOCATION, "manifest", {}),
    ],
)
def test_the_source_says_which_way(source, method, options):
    said = register(source, **options)

    registration = Registration.objects.get()
    assert registration.method == method
    assert registration.run.requested_by is None
    assert said == f"{registration.run.ref} queued, key {registration.key}\n"


@pytest.mark.parametrize("source", [SNAPSHOT_ID, INSTANCE_ID])
def test_here_and_now_it_is_made_and_verified(aws, source):
    said = register(source, now=True)

    [image] = images_named(aws, "golden")
    assert f"{image['ImageId']} verified" in said


def test_a_code_that_differs_is_told_by_the_exit_code(aws, settings):
    settings.VERIFY_AGAIN_SECONDS = 0
    put_snapshot(aws, billing="")

    with pytest.raises(SystemExit) as caught:
        register(now=True)

    assert caught.value.code == 1


def test_what_aws_refuses_is_an_error(aws):
    aws.fail("RegisterImage", "access-denied")

    said, code = refused(now=True)

    assert said.startswith("AWS refused.")
    assert code == 2


def test_the_same_key_twice_is_one_request():
    assert register() == register()
    assert Run.objects.count() == 1


def test_several_copies_are_a_batch():
    register(IMAGE_ID, region=THERE, to=[HERE, THERE])

    assert set(Registration.objects.values_list("region", "batch")) == {(HERE, KEY), (THERE, KEY)}


def test_a_check_says_what_would_become_of_it_and_keeps_nothing(aws):
    said = register(INSTANCE_ID, check=True)

    assert "golden: code kept, RunInstances:0010" in said
    assert "aws ec2 create-image --region eu-west-1" in said
    assert not Run.objects.exists()
    assert aws.calls == []


def test_a_check_of_what_can_not_be_made_fails():
    said, code = refused(check=True, reason="")

    assert (said, code) == ("It can't be made as it is.", 2)


def test_a_trial_waits_until_it_is_confirmed(aws):
    said = register(trial=True, now=True)
    before = sent(aws)

    confirmed = register("", confirm=KEY, now=True)

    [image] = images_named(aws, "golden")
    assert f"Go on with: manage.py register --confirm {KEY}" in said
    assert "Nothing is sent to AWS until somebody confirms it." in said
    assert before == []
    assert confirmed.endswith(f"confirmed\n{image['ImageId']} verified\n")


def test_a_confirmed_trial_is_queued(aws):
    register(trial=True, now=True)

    register("", confirm=KEY)

    assert Run.objects.get().state == RunState.QUEUED
    assert sent(aws) == []


def test_a_trial_is_confirmed_once():
    register(trial=True, now=True)
    register("", confirm=KEY)

    assert "does not wait for this: Queued." in register("", confirm=KEY)


def test_there_is_no_such_trial():
    assert refused(confirm=KEY) == (f"There is no trial {KEY}.", 2)


def test_the_trial_of_a_person_is_not_confirmed_here():
    register(trial=True, now=True)
    Run.objects.update(requested_by=make_user(Role.ENGINEER))

    said, code = refused(confirm=KEY)

    assert "Only the person who made this request can confirm it." in said
    assert code == 2
    assert Run.objects.get().state == RunState.HELD


def test_the_command_line_waits_for_others_where_a_policy_says_so(aws):
    Policy.objects.create(name="Others must agree", approvals=1)

    said = register(now=True)

    assert "Waiting for the approval of another person." in said
    assert sent(aws) == []


def test_options_and_columns_become_fields():
    device = [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8}}]

    register(
        description="mine",
        architecture="arm64",
        root_device="/dev/sda1",
        tag=["team=erp", "note=a, b", "url=x=y"],
        set=["volume_size=16", f"block_devices={json.dumps(device)}"],
    )

    made = Registration.objects.get()
    assert (made.description, made.architecture, made.volume_size) == ("mine", "arm64", 16)
    assert made.root_device_name == "/dev/sda1"
    assert made.tags == {"team": "erp", "note": "a, b", "url": "x=y"}
    assert made.block_devices[0]["DeviceName"] == "/dev/sdf"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param({"account": "1"}, "Line 1, account: You can't register images", id="account"),
        pytest.param({"region": "moon-1"}, "Line 1, region: ", id="region"),
        pytest.param({"expected": "x"}, "Line 1, expected_usage_operation: ", id="expected"),
        pytest.param({"reason": ""}, "Line 1, reason: ", id="reason"),
        pytest.param({"tag": ["team"]}, "Write 'team' as NAME=VALUE.", id="tag"),
        pytest.param({"tag": ["a=1", "a=2"]}, "The key 'a' is there twice.", id="tag twice"),
        pytest.param({"set": ["colour=red"]}, "There is no column colour.", id="column"),
        pytest.param({"set": ["volume_size"]}, "as NAME=VALUE.", id="set"),
        pytest.param({"set": ["volume_size=x"]}, "Line 1, volume_size: ", id="number"),
        pytest.param({"to": [THERE]}, "Line 1, destinations: Leave it empty", id="to"),
    ],
)
def test_what_makes_no_sense_is_refused(aws, options, says):
    said, code = refused(**options)

    assert says in said
    assert code == 2
    assert not Run.objects.exists()
    assert aws.calls == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((SNAPSHOT_ID, ""), "name: "), (("", "golden"), "image_location: ")],
    ids=["no name", "no source"],
)
def test_without_source_and_name_nothing_is_asked_for(arguments, says):
    said, code = refused(*arguments)

    assert said.startswith(f"Nothing was sent to AWS.\nLine 1, {says}")
    assert code == 2


def test_every_line_of_a_file_is_a_request(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text(f"\ufeff{HEAD}\n{LINE}\n{LINE.replace('golden', 'silver')}\n")

    register("", csv=path)

    assert set(Registration.objects.values_list("name", "batch")) == {
        ("golden", KEY),
        ("silver", KEY),
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "must name these columns", id="empty"),
        pytest.param(HEAD.encode("utf-16"), "can't decode", id="UTF-16"),
        pytest.param(f"{HEAD}\n{LINE}\n{LINE}".encode(), "Line 3, name: Another", id="twice"),
        pytest.param(f"{HEAD}\n{LINE},x".encode(), "Line 2, line: It has more", id="cells"),
    ],
)
def test_a_file_that_is_wrong_is_refused_as_a_whole(tmp_path, content, says):
    path = tmp_path / "many.csv"
    path.write_bytes(content)

    said, code = refused("", csv=path)

    assert says in said
    assert code == 2
    assert not Run.objects.exists()


def test_a_file_that_is_not_there_is_told(tmp_path):
    said, code = refused("", csv=tmp_path / "none.csv")

    assert "No such file" in said
    assert code == 2
