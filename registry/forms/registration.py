"""The form that asks for an AMI, whatever it is made of."""

import uuid
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from django import forms

from registry.billing.codes import TABLE
from registry.forms.tags import parsed_tags
from registry.models import Account, Method
from registry.registration import Wish
from registry.registration.hardware import (
    ARCHITECTURES,
    BOOT_MODES,
    SRIOV,
    SUPPORTS,
    VIRTUALIZATIONS,
)
from registry.registration.volumes import ROOT_TYPES

CODES = [(c.usage_operation, f"{c.platform_details} ({c.usage_operation})") for c in TABLE]
AS_SOURCE = "source"
_COMMON = ("name", "description", "tags", "expected_usage_operation", "reason")
_HARDWARE = (
    "architecture",
    "virtualization_type",
    "boot_mode",
    "ena_support",
    "sriov_net_support",
    "tpm_support",
    "imds_support",
    "uefi_data",
    "kernel_id",
    "ramdisk_id",
)
_VOLUME = ("volume_type", "volume_size", "iops", "throughput", "delete_on_termination")
# What counts for each way of making an image; the rest of the form is left alone.
FIELDS: Mapping[str, tuple[str, ...]] = {
    Method.SNAPSHOT: (*_COMMON, "snapshot_id", "root_device_name", *_HARDWARE, *_VOLUME),
    Method.MANIFEST: (*_COMMON, "image_location", *_HARDWARE),
    Method.INSTANCE: (*_COMMON, "source_instance_id", "no_reboot", "boot_mode", "snapshot_tags"),
    Method.COPY: (
        *_COMMON,
        "source_image_id",
        "copies_tags",
        "is_encrypted",
        "kms_key_id",
        "snapshot_tags",
    ),
}
SOURCES: Mapping[str, str] = {
    Method.SNAPSHOT: "snapshot_id",
    Method.MANIFEST: "image_location",
    Method.INSTANCE: "source_instance_id",
    Method.COPY: "source_image_id",
}
_ALL = frozenset(chain(["destinations"], *FIELDS.values()))
# What stands in the form for the other methods alone.
OF_OTHERS: Mapping[str, frozenset[str]] = {
    method: _ALL - {*names, *(["destinations"] if method == Method.COPY else [])}
    for method, names in FIELDS.items()
}
WITH_DEVICES = frozenset({Method.SNAPSHOT, Method.MANIFEST})
# What is ticked from the beginning.
TICKED = frozenset({"copies_tags", "delete_on_termination"})
_MISSING = {
    "snapshot_id": "Choose a snapshot from the list.",
    "source_instance_id": "Choose an instance from the list.",
    "source_image_id": "Choose an image from the list.",
    "image_location": "Write where the manifest is.",
}


def _like_source(allowed: tuple[str, ...], empty: str) -> list[tuple[str, str]]:
    return [(AS_SOURCE, "As the source has it"), *((word, word or empty) for word in allowed)]


class RegistrationForm(forms.Form):
    """What to make. AWS is not asked; what the mirror knows is checked by the request.

    A field that says "as the source has it" is left out of the wish: the portal fills it in.
    """

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    account = forms.ModelChoiceField(
        Account.objects.none(),
        to_field_name="number",
        empty_label=None,
        error_messages={"invalid_choice": "You can't register images in such an account."},
    )
    region = forms.ChoiceField(
        error_messages={"invalid_choice": "The portal reads no such region of this account."}
    )
    method = forms.ChoiceField(choices=Method.choices, initial=Method.SNAPSHOT, required=False)
    snapshot_id = forms.CharField(max_length=64, required=False, label="Root volume snapshot")
    source_instance_id = forms.CharField(max_length=64, required=False, label="Instance")
    source_image_id = forms.CharField(max_length=64, required=False, label="Image")
    image_location = forms.CharField(
        max_length=1024,
        required=False,
        label="Manifest",
        help_text="For example my-bucket/golden/image.manifest.xml. Its bucket must let "
        "aws-exec-read read it.",
    )
    destinations = forms.MultipleChoiceField(
        required=False,
        label="Copy to",
        widget=forms.CheckboxSelectMultiple,
        help_text="Each copy is a request of its own, with its own verdict.",
    )
    expected_usage_operation = forms.ChoiceField(
        label="Which platform must AWS bill?",
        choices=[("", "Choose one"), *CODES],
        help_text="Afterwards the AMI is compared with this answer.",
        error_messages={
            "required": "Choose what AWS must bill it as.",
            "invalid_choice": "No billing code is called %(value)s. See Billing codes.",
        },
    )
    name = forms.CharField(
        min_length=3,
        max_length=128,
        label="Image name",
        error_messages={"required": "Name the image."},
        help_text="3 to 128 characters: letters, digits, spaces and ( ) [ ] . - ' @ _ /",
    )
    description = forms.CharField(max_length=255, required=False)
    tags = forms.CharField(
        max_length=20_000,
        required=False,
        help_text='For example team=erp, env=prod. With a comma in it: "note=a, b"',
    )
    snapshot_tags = forms.CharField(
        max_length=20_000,
        required=False,
        label="Tags of the snapshots",
        help_text="Of those that AWS makes for the image.",
    )
    no_reboot = forms.BooleanField(
        required=False,
        label="Without a reboot",
        help_text="The instance runs on, but files that are being written may be cut in half: "
        "AWS does not guarantee that the image starts.",
    )
    copies_tags = forms.BooleanField(required=False, initial=True, label="Carry the tags along")
    is_encrypted = forms.BooleanField(required=False, label="Encrypt the copy")
    kms_key_id = forms.CharField(
        max_length=2048,
        required=False,
        label="KMS key",
        help_text="Empty: the default key of the account.",
    )
    architecture = forms.ChoiceField(
        choices=_like_source(ARCHITECTURES, ""), initial=AS_SOURCE, required=False
    )
    boot_mode = forms.ChoiceField(
        choices=_like_source(BOOT_MODES, "As the instance type has it"),
        initial=AS_SOURCE,
        required=False,
    )
    root_device_name = forms.CharField(
        max_length=64, required=False, help_text="Empty: as the source has it, or /dev/xvda."
    )
    virtualization_type = forms.ChoiceField(
        choices=_like_source(VIRTUALIZATIONS, ""),
        initial=AS_SOURCE,
        required=False,
        label="Virtualization",
    )
    ena_support = forms.ChoiceField(
        choices=[(AS_SOURCE, "As the source has it"), ("on", "On"), ("off", "Off")],
        initial=AS_SOURCE,
        required=False,
        label="Enhanced networking (ENA)",
    )
    sriov_net_support = forms.ChoiceField(
        choices=[(word, word or "Not set") for word in SRIOV],
        required=False,
        label="SR-IOV",
        help_text="The older Intel interface. Once set, it can't be switched off.",
    )
    tpm_support = forms.ChoiceField(
        choices=_like_source(SUPPORTS, "None"), initial=AS_SOURCE, required=False, label="NitroTPM"
    )
    imds_support = forms.ChoiceField(
        label="Instance metadata",
        choices=[
            (AS_SOURCE, "As the source has it"),
            ("", "As the account has it"),
            ("v2.0", "IMDSv2 required"),
        ],
        initial=AS_SOURCE,
        required=False,
        help_text="Once required, it can't be taken back for this image.",
    )
    uefi_data = forms.CharField(
        required=False,
        max_length=70_000,
        label="UEFI data",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="In base64, from GetInstanceUefiData.",
    )
    kernel_id = forms.CharField(
        max_length=64, required=False, label="Kernel", help_text="Only for paravirtual images."
    )
    ramdisk_id = forms.CharField(
        max_length=64, required=False, label="RAM disk", help_text="Only for paravirtual images."
    )
    volume_type = forms.ChoiceField(
        choices=[(kind, kind) for kind in ROOT_TYPES], initial="gp3", required=False
    )
    volume_size = forms.IntegerField(
        required=False, label="Size in GiB", help_text="Empty: the size of the snapshot."
    )
    iops = forms.IntegerField(required=False, label="IOPS", help_text="Only gp3, io1 and io2.")
    throughput = forms.IntegerField(
        required=False, label="Throughput in MiB/s", help_text="Only gp3."
    )
    delete_on_termination = forms.BooleanField(
        required=False, initial=True, label="Delete the root volume with its instance"
    )
    reason = forms.CharField(
        required=False,
        max_length=2000,
        label="Why this way?",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, accounts: Any, regions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["account"].queryset = accounts
        fields["region"].choices = [(region, region) for region in regions]
        fields["destinations"].choices = fields["region"].choices
        for name in ("volume_size", "iops", "throughput"):
            fields[name].widget = forms.TextInput(attrs={"inputmode": "numeric"})

    def clean_method(self) -> str:
        return self.cleaned_data["method"] or Method.SNAPSHOT

    def clean_tags(self) -> dict[str, str]:
        return parsed_tags(self.cleaned_data["tags"])

    def clean_snapshot_tags(self) -> dict[str, str]:
        return parsed_tags(self.cleaned_data["snapshot_tags"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        method = cleaned.get("method") or Method.SNAPSHOT
        for name in OF_OTHERS[method]:  # what does not count can't be wrong either
            self.errors.pop(name, None)
        source = SOURCES[method]
        if not cleaned.get(source) and source not in self.errors:
            self.add_error(source, _MISSING[source])
        if method == Method.COPY and not cleaned.get("destinations"):
            self.add_error("destinations", "Choose at least one region.")
        return cleaned

    def wishes(self, devices: Sequence[Mapping[str, Any]]) -> list[Wish]:
        """Return the images that are asked for: one, or a copy for each destination."""
        cleaned = self.cleaned_data
        method, account, key = cleaned["method"], cleaned["account"], cleaned["key"]
        fields = {"method": method, **_given(cleaned, FIELDS[method])}
        if method in WITH_DEVICES:
            fields["block_devices"] = list(devices)
        if method != Method.COPY:
            return [Wish(key, account, {"region": cleaned["region"], **fields})]
        fields["source_region"] = cleaned["region"]
        return [
            Wish(uuid.uuid5(key, region), account, {"region": region, **fields})
            for region in dict.fromkeys(cleaned["destinations"])
        ]


def _given(cleaned: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: cleaned[name] for name in names if cleaned[name] != AS_SOURCE}
    for name in ("architecture", "virtualization_type", "root_device_name", "volume_type"):
        if found.get(name) == "":
            del found[name]
    if found.get("ena_support") in {"on", "off"}:
        found["ena_support"] = found["ena_support"] == "on"
    elif "ena_support" in found:
        del found["ena_support"]
    return found
