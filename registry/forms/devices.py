"""The further block devices of an image, one small form for each."""

from typing import Any

from django import forms

from registry.registration.volumes import MOST_DEVICES, VOLUME_TYPES

VOLUME, STORE, NONE = "volume", "store", "none"
# What nobody fills in without wanting a device; the rest has a value from the beginning.
_SAID = ("snapshot_id", "volume_size", "iops", "throughput", "encryption", "virtual_name")


class DeviceForm(forms.Form):
    """One device: a volume from a snapshot, an empty volume, an instance store, or none."""

    device_name = forms.CharField(max_length=64, required=False, label="Device")
    kind = forms.ChoiceField(
        choices=[(VOLUME, "Volume"), (STORE, "Instance store"), (NONE, "No device")],
        initial=VOLUME,
        required=False,
    )
    snapshot_id = forms.CharField(max_length=64, required=False, label="Snapshot")
    volume_size = forms.IntegerField(required=False, label="Size in GiB")
    volume_type = forms.ChoiceField(
        choices=[(kind, kind) for kind in VOLUME_TYPES],
        initial="gp3",
        required=False,
        label="Type",
    )
    iops = forms.IntegerField(required=False, label="IOPS")
    throughput = forms.IntegerField(required=False, label="MiB/s")
    encryption = forms.ChoiceField(
        choices=[("", "As the account has it"), ("on", "Encrypted")],
        required=False,
        help_text="Only of an empty volume.",
    )
    virtual_name = forms.CharField(max_length=32, required=False, label="Store")
    delete_on_termination = forms.BooleanField(
        required=False, initial=True, label="Delete it with its instance"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("volume_size", "iops", "throughput"):
            self.fields[name].widget = forms.TextInput(attrs={"inputmode": "numeric"})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        said = any(cleaned.get(name) not in (None, "") for name in _SAID)
        if said and not cleaned.get("device_name") and "device_name" not in self.errors:
            self.add_error("device_name", "Name the device, or empty its other fields.")
        return cleaned

    def mapping(self) -> dict[str, Any] | None:
        """Return the device as AWS names it; None for a form that was left empty."""
        asked = self.cleaned_data
        if not asked.get("device_name"):
            return None
        name = {"DeviceName": asked["device_name"]}
        if asked["kind"] == STORE:
            return {**name, "VirtualName": asked["virtual_name"] or "ephemeral0"}
        if asked["kind"] == NONE:
            return {**name, "NoDevice": ""}
        ebs = {
            "SnapshotId": asked["snapshot_id"],
            "VolumeSize": asked["volume_size"],
            "VolumeType": asked["volume_type"] or "gp3",
            "Iops": asked["iops"],
            "Throughput": asked["throughput"],
            "DeleteOnTermination": asked["delete_on_termination"],
            "Encrypted": asked["encryption"] == "on" or None,
        }
        return {**name, "Ebs": {k: v for k, v in ebs.items() if v not in ("", None)}}


class DeviceFormSet(forms.BaseFormSet):
    """The devices besides the root."""

    default_error_messages = {
        "missing_management_form": "The form arrived incomplete. Send it again.",
        "too_many_forms": "Use at most %(num)d devices besides the root.",
    }

    def mappings(self) -> list[dict[str, Any]]:
        found = [form.mapping() for form in self.forms]
        return [mapping for mapping in found if mapping]


Devices: Any = forms.formset_factory(
    DeviceForm, formset=DeviceFormSet, extra=0, max_num=MOST_DEVICES, absolute_max=MOST_DEVICES + 1
)


def as_initial(mapping: dict[str, Any]) -> dict[str, Any]:
    """Return a device of AWS as the values of its form."""
    ebs = mapping.get("Ebs", {})
    kind = VOLUME if "Ebs" in mapping else STORE if "VirtualName" in mapping else NONE
    return {
        "device_name": mapping.get("DeviceName", ""),
        "kind": kind,
        "snapshot_id": ebs.get("SnapshotId", ""),
        "volume_size": ebs.get("VolumeSize"),
        "volume_type": ebs.get("VolumeType", "gp3"),
        "iops": ebs.get("Iops"),
        "throughput": ebs.get("Throughput"),
        "encryption": "on" if ebs.get("Encrypted") else "",
        "virtual_name": mapping.get("VirtualName", ""),
        "delete_on_termination": ebs.get("DeleteOnTermination", True),
    }
