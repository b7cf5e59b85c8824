"""What an administrator says of names and tags."""

import hashlib
from typing import Any

from django import forms

from registry.billing.own_patterns import is_of_wildcards
from registry.forms.registration import CODES
from registry.models import Account, Pattern, PatternKind

_TWICE = "There is already a pattern like this one, {}. Change that one."


class PatternForm(forms.ModelForm):
    usage_operation = forms.ChoiceField(
        label="Expected code", choices=[("", "Choose a code"), *CODES]
    )
    account = forms.ModelChoiceField(
        Account.objects.order_by("name"),
        required=False,
        label="Account",
        empty_label="All accounts",
        help_text="A pattern for one account comes before those for all.",
    )
    note = forms.CharField(
        required=False,
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Shown as evidence on each image that it fits.",
    )

    class Meta:
        model = Pattern
        fields = (
            *("kind", "key", "text", "usage_operation", "strength", "account", "note"),
            "is_active",
        )
        labels = {"kind": "Applies to", "text": "Pattern", "strength": "Counts as"}
        help_texts = {
            "key": "Only for a tag, such as OS. Upper and lower case are the same.",
            "text": "The whole name or value. * is any text, ? any one character. "
            "Upper and lower case are the same.",
            "is_active": "Otherwise it is kept and judges nothing.",
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind, key, text = data.get("kind"), data.get("key", ""), data.get("text", "")
        if kind == PatternKind.NAME:
            data["key"] = ""
            if text and is_of_wildcards(text):
                self.add_error("text", "This fits every name. Name some characters.")
        if kind == PatternKind.TAG and not key and "key" not in self.errors:
            self.add_error("key", "Name the tag.")
        if not self.errors:
            self._check_that_it_is_new(data)
        return data

    def _check_that_it_is_new(self, data: dict[str, Any]) -> None:
        alike = Pattern.objects.filter(
            kind=data["kind"],
            key__iexact=data["key"],
            text__iexact=data["text"],
            account=data["account"],
        )
        other = alike.exclude(pk=self.instance.pk).first()
        if other:
            self.add_error("text", _TWICE.format("in force" if other.is_active else "switched off"))

    def fingerprint(self) -> str:
        """Tell a valid form from another, and from the same on what has changed meanwhile."""
        said = [
            str(self.instance.changed_at),
            *(str(self.cleaned_data[name]) for name in self.fields),
        ]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()
