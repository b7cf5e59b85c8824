"""One's own password, in the words and with the parts of our forms."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts


class PasswordForm(PasswordChangeForm):
    """Django's form; its rules as one text, as our fields show help in a paragraph."""

    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That is not your password.",
        "password_mismatch": "The two are not the same.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Your password now"
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""
