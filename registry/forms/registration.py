"""The form that asks for an AMI from a snapshot."""

import uuid
from typing import Any

from django import forms

from registry.billing.codes import TABLE
from registry.models import Account
from registry.registration.spec import ARCHITECTURES, BOOT_MODES, VOLUME_TYPES


class RegistrationForm(forms.Form):
    """What to register. AWS is not asked; what the mirror knows is checked by the request."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    account = forms.ModelChoiceField(
        Account.objects.none(), to_field_name="number", widget=forms.HiddenInput
    )
    region = forms.CharField(max_length=32, widget=forms.HiddenInput)
    snapshot_id = forms.CharField(
        max_length=64,
        label="Root volume snapshot",
        error_messages={"required": "Choose a snapshot from the list."},
    )
    expected_usage_operation = forms.ChoiceField(
        label="Which platform must AWS bill?",
        choices=[("", "Choose one")]
        + [(c.usage_operation, f"{c.platform_details} ({c.usage_operation})") for c in TABLE],
        help_text="After the registration the AMI is compared with this answer.",
        error_messages={"required": "Choose what AWS must bill it as."},
    )
    name = forms.CharField(
        min_length=3,
        max_length=128,
        label="Image name",
        help_text="3 to 128 characters: letters, digits, spaces and ( ) [ ] . - ' @ _ /",
    )
    description = forms.CharField(max_length=255, required=False)
    tags = forms.CharField(
        max_length=2000, required=False, help_text="For example team=erp, env=prod"
    )
    architecture = forms.ChoiceField(choices=[(name, name) for name in ARCHITECTURES])
    boot_mode = forms.ChoiceField(
        choices=[(mode, mode or "As the instance type has it") for mode in BOOT_MODES],
        required=False,
    )
    root_device_name = forms.CharField(max_length=64, initial="/dev/xvda")
    volume_type = forms.ChoiceField(choices=[(kind, kind) for kind in VOLUME_TYPES])
    imds_support = forms.ChoiceField(
        label="Instance metadata",
        choices=[("", "As the account has it"), ("v2.0", "IMDSv2 required")],
        required=False,
    )

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["account"]
        field.queryset = accounts

    def clean_tags(self) -> dict[str, str]:
        found = {}
        for part in filter(None, map(str.strip, self.cleaned_data["tags"].split(","))):
            key, equals, value = part.partition("=")
            if not equals or not key.strip():
                raise forms.ValidationError(f"Write {part!r} as key=value.")
            found[key.strip()] = value.strip()
        return found
