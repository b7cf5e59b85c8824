from typing import Any

import pytest
from django.urls import reverse

from registry.models import Method, Registration, Role, Run
from tests.factories import (
    make_registration,
    make_scope,
    make_user,
)
from tests.registration.simulated import RHEL, SNAPSHOT_ID
from tests.registration.sources import HERE, INSTANCE_ID, THERE, mirror_sources
from tests.views.register import sent_back

pytestmark = pytest.mark.django_db
REGISTER = reverse("register")
METHODS = list(Method)


@pytest.fixture
def account():
    """An account with something to make an image of, whatever the method."""
    account = make_scope(region=HERE).account
    make_scope(account=account, region=THERE)
    mirror_sources(account)
    return account


def post(browser, data):
    return browser.post(REGISTER, data | {"step": "submit"})


@pytest.fixture
def again(signed_in, account):
    """Open the form with the values of a registration."""

    def opened(method="snapshot", changed=None, **fields):
        source = sources(method)
        registration = make_registration(account=account, region=HERE, **source | fields)
        wanted = {"again": registration.run.ref} | (changed or {})
        return signed_in.get(REGISTER, wanted), registration

    return opened


def sources(method):
    names = {
        "snapshot": {"snapshot_id": SNAPSHOT_ID},
        "instance": {"snapshot_id": "", "source_instance_id": INSTANCE_ID},
        "copy": {"snapshot_id": "", "source_image_id": "ami-0123456789abcdef0"},
        "manifest": {"snapshot_id": "", "image_location": "my-bucket/golden/image.manifest.xml"},
    }
    where = {"source_region": THERE} if method == "copy" else {}
    return {"method": method, "expected_usage_operation": RHEL, **names[method], **where}


DEVICES: list[dict[str, Any]] = [
    {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}},
    {"DeviceName": "/dev/sdg", "VirtualName": "ephemeral1"},
    {"DeviceName": "/dev/sdh", "NoDevice": ""},
]
REPEATED: dict[str, dict[str, Any]] = {
    "snapshot": {
        "volume_size": 16,
        "iops": 4000,
        "throughput": 250,
        "delete_on_termination": False,
        "root_device_name": "/dev/sda1",
        "ena_support": False,
        "boot_mode": "uefi",
        "tpm_support": "v2.0",
        "imds_support": "v2.0",
        "block_devices": [
            {**DEVICES[0], "Ebs": {**DEVICES[0]["Ebs"], "DeleteOnTermination": False}},
            *DEVICES[1:],
        ],
    },
    "manifest": {"architecture": "i386", "block_devices": DEVICES[1:]},
    "instance": {"no_reboot": True, "snapshot_tags": {"team": "erp"}},
    "copy": {"copies_tags": False, "is_encrypted": True, "kms_key_id": "alias/golden"},
}


@pytest.mark.parametrize("method", METHODS)
def test_start_again_asks_for_the_same_once_more(signed_in, again, method):
    tags = {"note": "a, b", "team": "erp", "empty": ""}
    values = {"description": "As before.", "tags": tags, "reason": "Why not.", **REPEATED[method]}
    page, before = again(method, name="golden-1", **values)
    Run.objects.update(state="failed", error="No.", finished_at=before.run.requested_at)

    post(signed_in, sent_back(page))

    repeated = Registration.objects.exclude(pk=before.pk).get()
    same = [*values, "name", "region", "method", "account_id", "expected_usage_operation"]
    same += [*sources(method)]
    assert {name: getattr(repeated, name) for name in same} == {
        name: getattr(before, name) for name in same
    }
    assert repeated.key != before.key


def test_start_again_takes_what_the_address_changes(again):
    page, _ = again(changed={"method": "instance", "name": "golden-2"})

    back = sent_back(page)
    assert (back["method"], back["name"]) == (["instance"], ["golden-2"])


@pytest.mark.parametrize("method", METHODS)
def test_start_again_by_another_method_ticks_what_is_ticked_by_itself(again, method):
    page, _ = again(method, changed={"method": "copy" if method != "copy" else "snapshot"})

    name = "copies_tags" if method != "copy" else "delete_on_termination"
    assert page.context["form"][name].value()


@pytest.mark.parametrize("ref", ["J-0", "J-999999", "J-", "J-x", "F-1", "", "J-" + "9" * 30])
def test_there_is_nothing_to_start_again(signed_in, account, ref):
    assert signed_in.get(REGISTER, {"again": ref}).status_code == 404


def test_the_request_of_another_account_can_not_be_started_again(client, account):
    foreign = make_registration()
    client.force_login(make_user(Role.ADMIN, account=account))

    assert client.get(REGISTER, {"again": foreign.run.ref}).status_code == 404
