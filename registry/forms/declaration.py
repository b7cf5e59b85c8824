"""What somebody says an image is to be billed as."""

from django import forms

from registry.forms.registration import CODES


class DeclarationForm(forms.Form):
    code = forms.ChoiceField(
        label="Expected platform", choices=[("", "Nothing declared"), *CODES], required=False
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Shown as evidence on the image, with your name.",
        error_messages={"required": "Say why, for whoever reads the evidence."},
    )
