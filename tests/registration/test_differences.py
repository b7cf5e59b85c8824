"""Boot and hardware of a new image, compared with the request and with the source."""

from datetime import timedelta

import pytest

from registry.models import Image, Instance, Method
from registry.registration import register_once, verify
from tests.factories import NOON, make_image
from tests.registration.simulated import SNAPSHOT_ID, images_named
from tests.registration.sources import IMAGE_ID, INSTANCE_ID, put_instance

FIRST = "ami-00000000000000001"
WHOLE = {
    "Architecture": "x86_64",
    "VirtualizationType": "hvm",
    "EnaSupport": True,
    "BootMode": "uefi",
    "TpmSupport": "v2.0",
    "ImdsSupport": "v2.0",
}
# As the mirror has the same of a source.
MIRRORED = {
    "architecture": "x86_64",
    "virtualization_type": "hvm",
    "ena_support": True,
    "boot_mode": "uefi",
    "tpm_support": "v2.0",
    "imds_support": "v2.0",
}
OTHER = {
    "Architecture": ("arm64", "Architecture", "x86_64", "arm64"),
    "VirtualizationType": ("paravirtual", "Virtualization", "hvm", "paravirtual"),
    "EnaSupport": (False, "ENA", "on", "off"),
    "BootMode": ("legacy-bios", "Boot mode", "uefi", "legacy-bios"),
    "TpmSupport": (None, "NitroTPM", "v2.0", "none"),
    "ImdsSupport": (None, "IMDS", "v2.0", "none"),
}


@pytest.fixture
def differences(aws, ec2):
    """Let AWS make an image with some other hardware; return how it differs."""

    def of(registration, **members):
        register_once(ec2, registration, at=NOON)
        [image] = images_named(aws, "golden")
        image.update(WHOLE | members)
        for name in [name for name, value in image.items() if value is None]:
            del image[name]
        later = NOON + timedelta(minutes=1)
        verify(ec2, registration, at=NOON, again_after=timedelta(0))
        verify(ec2, registration, at=later, again_after=timedelta(0))
        registration.refresh_from_db()
        return registration.differences

    return of


@pytest.fixture
def asked_for(registered_by):
    """Ask by any method for the hardware that WHOLE is."""

    def ask(method):
        if method in {Method.SNAPSHOT, Method.MANIFEST}:
            return registered_by(method, **MIRRORED)
        return registered_by(method)

    return ask


@pytest.fixture
def sourced(registered_by):
    """Ask by any method for nothing special; the mirror has a source with WHOLE's hardware."""

    def ask(method):
        registration = registered_by(method)
        place = {"account": registration.account, "region": registration.region}
        if method == Method.SNAPSHOT:
            made = {"root_snapshot_id": SNAPSHOT_ID, "source_instance_id": "i-0a"}
            make_image(aws_id=FIRST, name="first", **place, **made, **MIRRORED)
        if method == Method.INSTANCE:
            make_image(aws_id=FIRST, name="first", **place, **MIRRORED)
            Instance.objects.update(image_id=FIRST)
        if method == Method.COPY:
            Image.objects.update(**MIRRORED)
        return registration

    return ask


@pytest.mark.parametrize("method", list(Method))
def test_an_image_as_it_was_asked_for_has_no_differences(differences, asked_for, method):
    assert differences(asked_for(method)) == []


@pytest.mark.parametrize("method", [Method.SNAPSHOT, Method.INSTANCE, Method.COPY])
def test_an_image_as_its_source_has_no_differences(differences, sourced, method):
    assert differences(sourced(method)) == []


@pytest.mark.parametrize("member", OTHER)
@pytest.mark.parametrize("method", [Method.SNAPSHOT, Method.MANIFEST])
def test_what_was_asked_for_and_did_not_come_is_said(differences, asked_for, method, member):
    value, what, wanted, found = OTHER[member]

    assert differences(asked_for(method), **{member: value}) == [
        {"what": what, "wanted": wanted, "found": found, "of": "the request"}
    ]


@pytest.mark.parametrize(
    ("method", "member", "of"),
    [
        pytest.param("snapshot", "BootMode", FIRST, id="boot mode of an image of the snapshot"),
        pytest.param("snapshot", "ImdsSupport", FIRST, id="IMDS of an image of the snapshot"),
        pytest.param("snapshot", "TpmSupport", FIRST, id="TPM of an image of the snapshot"),
        pytest.param("instance", "Architecture", INSTANCE_ID, id="architecture of the instance"),
        pytest.param("instance", "VirtualizationType", FIRST, id="kind of the instance's image"),
        pytest.param("instance", "EnaSupport", FIRST, id="ENA of the instance's image"),
        pytest.param("instance", "BootMode", FIRST, id="boot mode of the instance's image"),
        pytest.param("instance", "ImdsSupport", FIRST, id="IMDS of the instance's image"),
        pytest.param("instance", "TpmSupport", FIRST, id="TPM of the instance's image"),
        *(pytest.param("copy", member, IMAGE_ID, id=f"{member} of the copied") for member in OTHER),
    ],
)
def test_what_the_source_has_and_the_image_has_not_is_said(
    differences, sourced, method, member, of
):
    value, what, wanted, found = OTHER[member]

    assert differences(sourced(method), **{member: value}) == [
        {"what": what, "wanted": wanted, "found": found, "of": of}
    ]


def test_the_boot_mode_of_the_instance_counts_before_that_of_its_image(differences, sourced):
    registration = sourced("instance")
    Instance.objects.update(boot_mode="uefi-preferred")

    assert differences(registration) == [
        {"what": "Boot mode", "wanted": "uefi-preferred", "found": "uefi", "of": INSTANCE_ID}
    ]


def test_a_boot_mode_that_was_asked_for_counts_before_that_of_the_instance(
    aws, differences, sourced
):
    registration = sourced("instance")
    put_instance(aws, BootMode="uefi-preferred")
    Instance.objects.update(boot_mode="uefi-preferred")
    registration.boot_mode = "uefi"

    assert differences(registration) == []


@pytest.mark.parametrize("member", ["BootMode", "TpmSupport", "ImdsSupport"])
@pytest.mark.parametrize("method", [Method.SNAPSHOT, Method.MANIFEST])
def test_what_nobody_asked_for_and_no_source_tells_is_not_compared(
    differences, registered_by, method, member
):
    assert differences(registered_by(method), **{member: OTHER[member][0]}) == []


@pytest.mark.parametrize("method", [Method.INSTANCE, Method.COPY])
def test_a_source_that_the_mirror_does_not_have_is_not_compared(differences, sourced, method):
    registration = sourced(method)
    Instance.objects.all().delete()
    Image.objects.all().delete()

    assert differences(registration, **{name: value for name, (value, *_) in OTHER.items()}) == []
