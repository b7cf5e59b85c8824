import uuid

import pytest
from django.urls import reverse

from registry.models import Registration, Role
from tests.factories import make_account, make_image, make_scope, make_snapshot, make_user


@pytest.fixture
def snapshot(db):
    scope = make_scope()
    return make_snapshot(name="golden", account=scope.account, region=scope.region)


def form(snapshot, **fields):
    return {
        "key": str(uuid.uuid4()),
        "account": snapshot.account.number,
        "region": snapshot.region,
        "snapshot_id": snapshot.aws_id,
        "expected_usage_operation": "RunInstances:0010",
        "name": "golden-1",
        "architecture": "x86_64",
        "root_device_name": "/dev/xvda",
        "volume_type": "gp3",
        "reason": "There is no instance any more.",
    } | fields


def test_shows_the_snapshots_of_the_chosen_region(signed_in, snapshot):
    make_snapshot(name="elsewhere", account=snapshot.account, region="us-west-2")

    answer = signed_in.get(
        reverse("register"), {"account": snapshot.account.number, "region": snapshot.region}
    )

    assert [row.name for row in answer.context["choices"].rows] == ["golden"]


def test_a_request_becomes_a_job(signed_in, snapshot):
    answer = signed_in.post(reverse("register"), form(snapshot, tags="team=erp, env = prod"))

    registration = Registration.objects.get()
    assert answer.url == registration.run.get_absolute_url()
    assert registration.tags == {"team": "erp", "env": "prod"}
    assert registration.run.requested_by is not None


def test_the_same_form_twice_is_one_request(signed_in, snapshot):
    wanted = form(snapshot)

    signed_in.post(reverse("register"), wanted)
    again = signed_in.post(reverse("register"), wanted)

    assert again.url == Registration.objects.get().run.get_absolute_url()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "Name the image."),
        ({"name": "ab"}, "at least 3 characters"),
        ({"name": "a" * 129}, "at most 128 characters"),
        ({"name": "no*stars"}, "Use 3 to 128 letters, digits"),
        ({"name": "taken"}, "has this name. Choose another."),
        ({"snapshot_id": ""}, "Choose a snapshot from the list."),
        ({"snapshot_id": "snap-elsewhere"}, "has no such snapshot in this region"),
        ({"expected_usage_operation": ""}, "Choose what AWS must bill it as."),
        (
            {"expected_usage_operation": "RunInstances:zzzz"},
            "No billing code is called RunInstances:zzzz.",
        ),
        ({"architecture": "riscv64"}, "is not one of the available choices"),
        ({"architecture": "arm64", "boot_mode": "legacy-bios"}, "boot with UEFI only"),
        ({"root_device_name": "sda; rm"}, "Write a device name"),
        ({"tags": "no value"}, "as key=value"),
        ({"tags": "aws:x=1"}, "are reserved"),
        ({"description": "d" * 256}, "at most 255 characters"),
        ({"key": "x"}, "Enter a valid UUID"),
        ({"account": "000000000000"}, "such an account"),
        ({"region": "us-west-2"}, "no such region"),
        ({"name": "nul\x00byte"}, "Null characters are not allowed"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(signed_in, snapshot, fields, says):
    make_image(name="taken", account=snapshot.account, region=snapshot.region)

    answer = signed_in.post(reverse("register"), form(snapshot, **fields))

    assert answer.status_code == 422
    assert says in answer.content.decode().replace("&#x27;", "'")
    assert not Registration.objects.exists()


def test_what_was_written_stays_in_the_form(signed_in, snapshot):
    answer = signed_in.post(reverse("register"), form(snapshot, name="x*y", description="mine"))

    text = answer.content.decode()
    assert 'value="x*y"' in text
    assert 'value="mine"' in text
    assert f'value="{snapshot.aws_id}" checked' in text


def test_a_developer_registers_in_his_own_account_only(client, snapshot):
    client.force_login(make_user(Role.DEVELOPER, account=make_account()))

    answer = client.post(reverse("register"), form(snapshot))

    assert answer.status_code == 422
    assert not Registration.objects.exists()


def test_a_failed_request_comes_back_with_its_values(signed_in, snapshot):
    answer = signed_in.get(
        reverse("register"),
        {
            "account": snapshot.account.number,
            "region": snapshot.region,
            "snapshot_id": snapshot.aws_id,
            "name": "again",
            "expected_usage_operation": "RunInstances:0010",
        },
    )

    text = answer.content.decode()
    assert 'value="again"' in text
    assert f'value="{snapshot.aws_id}" checked' in text
