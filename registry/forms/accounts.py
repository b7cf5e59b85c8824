"""The form into which an administrator pastes the accounts file."""

from django import forms


class AccountsForm(forms.Form):
    text = forms.CharField(
        label="Accounts, as TOML",
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "mono"}),
        max_length=200_000,
        strip=False,
    )
