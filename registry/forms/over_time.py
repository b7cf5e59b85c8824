"""Which days are compared, or looked at."""

from datetime import date, timedelta
from typing import Any

from django import forms

LONGEST = timedelta(days=366)


def _day(label: str, missing: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        error_messages={"required": missing, "invalid": "Write a day as YYYY-MM-DD."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class DifferenceForm(forms.Form):
    """Two days, each as it was at its end; the second is today at the latest."""

    to = _day("To the end of", "Say to which day.")
    field_order = ["from", "to"]

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A word of Python's own, so no attribute can be called so.
        self.fields["from"] = _day("From the end of", "Say from which day.")
        self.order_fields(self.field_order)
        self.today = today

    def clean(self) -> dict[str, Any] | None:
        begin, end = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        for name, day in (("from", begin), ("to", end)):
            if day and day > self.today:
                self.add_error(name, "Choose today or a day before.")
        if begin and end and not self.errors and (problem := self.compared(begin, end)):
            self.add_error("from", problem)
        return self.cleaned_data

    def compared(self, begin: date, end: date) -> str:
        """Say what is wrong with the two together; "" where nothing is."""
        return "Choose a day before the second one." if begin >= end else ""


class PeriodForm(DifferenceForm):
    """Days from the first to the last, a year at most."""

    def compared(self, begin: date, end: date) -> str:
        if begin > end:
            return "Choose the second day or one before."
        return "Choose a year at most." if end - begin > LONGEST else ""
