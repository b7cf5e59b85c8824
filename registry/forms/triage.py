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
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReasonForm(CommentForm):
    """A reason that may be left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = "Reason"


class _Named(forms.ModelChoiceField):
    """People by the name that they sign in with; oneself first."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=User.objects.none(), to_field_name="username", required=False, **kwargs
        )


class AssignForm(TriageForm):
    person = _Named(label="Assignee", empty_label="Nobody")

    def __init__(self, *args: Any, people: QuerySet[User], by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_first = Case(When(pk=by.pk, then=Value(0)), default=Value(1))
        self.fields["person"].queryset = people.order_by(is_first, "username")  # type: ignore[attr-defined]


class WaiverForm(AssignForm):
    """Who answers for it, until when, and why."""

    until = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=(
            "It reopens by itself on this day, or before if its code or what is expected changes, "
            f"or if it gets worse. At most {LONGEST_WAIVER.days} days from now."
        ),
    )
    text = forms.CharField(
        label="Reason",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown wherever the finding is counted.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].label = "Owner"
        self.fields["person"].help_text = "Who answers for it while it is waived."
        self.fields["until"].initial = today + DEFAULT_WAIVER

    def clean_until(self) -> datetime | None:
        day: date | None = self.cleaned_data["until"]
        return start_of(day) if day else None


def form_of(action: str, data: Any, *, people: QuerySet[User], by: User, today: date) -> TriageForm:
    """Return the form of an action on many findings, bound where there is data."""
    if action == TriageAction.WAIVE:
        return WaiverForm(data, people=people, by=by, today=today, initial={"person": by})
    if action == TriageAction.ASSIGN:
        return AssignForm(data, people=people, by=by, initial={"person": by})
    if action == TriageAction.COMMENT:
        return CommentForm(data)
    return ReasonForm(data) if action == TriageAction.REOPEN else TriageForm(data)
