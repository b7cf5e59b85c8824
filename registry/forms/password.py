"""One's own password, in the words and with the parts of our forms."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.http import HttpRequest


class PasswordForm(PasswordChangeForm):
    """Django's form; its rules as one text, as our fields show help in a paragraph.

    The password now is asked for as at the sign-in: whoever guesses too often is paused.
    """

    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That is not your password.",
        "password_mismatch": "The two are not the same.",
    }

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request
        self.fields["old_password"].label = "Your password now"
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        told: str = self.cleaned_data["old_password"]
        if not authenticate(self._request, username=self.user.get_username(), password=told):
            raise ValidationError(self.error_messages["password_incorrect"], "password_incorrect")
        return told
