"""What people say to findings: one at a time, or to many at once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Case, QuerySet, Value, When

from registry.models import TriageAction
from registry.triage import LONGEST_TEXT, LONGEST_WAIVER, Refused

DEFAULT_WAIVER = timedelta(days=90)


def start_of(day: date) -> datetime:
    """Return the moment at which a waiver until `day` is over."""
    return datetime.combine(day, time(), UTC)


class TriageForm(forms.Form):
    """A form of which the rules of triage know best what is wrong.

    Its fields are called as the errors of Refused: text, person, until.
    """

    def refuse(self, error: Refused) -> None:
        for field, sentence in error.errors.items():
            self.add_error(field if field in self.fields else None, sentence)


class CommentForm(TriageForm):
    text = forms.CharField(
        label="Comment",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write a comment."},
    )


class ReasonForm(TriageForm):
    """A reason that may be left out."""

    text = forms.CharField(
        label="Reason",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class _Named(forms.ModelChoiceField):
    """People by the name that they sign in with; oneself first."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=User.objects.none(), to_field_name="username", **kwargs)


class AssignForm(TriageForm):
    person = _Named(label="Assignee", empty_label="Nobody", required=False)

    def __init__(self, *args: Any, people: QuerySet[User], by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_first = Case(When(pk=by.pk, then=Value(0)), default=Value(1))
        self.fields["person"].queryset = people.order_by(is_first, "username")  # type: ignore[attr-defined]


class WaiverForm(AssignForm):
    """Why, until when, and who answers for it."""

    field_order = ("text", "until", "person")
    person = _Named(
        label="Owner",
        empty_label="Choose a person",
        help_text="Who answers for it while it is waived.",
        error_messages={"required": "Name who answers for it."},
    )
    until = forms.DateField(
        error_messages={"required": "Say until when."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=(
            "It reopens by itself on this day, or before if its code or what is expected changes, "
            f"or if it gets worse. At most {LONGEST_WAIVER.days} days from now."
        ),
    )
    text = forms.CharField(
        label="Reason",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For whoever looks at the finding meanwhile.",
        error_messages={"required": "Say why it may stay as it is."},
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = today + DEFAULT_WAIVER

    def clean_until(self) -> datetime:
        return start_of(self.cleaned_data["until"])


def form_of(action: str, data: Any, *, people: QuerySet[User], by: User, today: date) -> TriageForm:
    """Return the form of an action on many findings, bound where there is data."""
    if action == TriageAction.WAIVE:
        return WaiverForm(data, people=people, by=by, today=today, initial={"person": by})
    if action == TriageAction.ASSIGN:
        return AssignForm(data, people=people, by=by, initial={"person": by})
    if action == TriageAction.COMMENT:
        return CommentForm(data)
    return ReasonForm(data) if action == TriageAction.REOPEN else TriageForm(data)
