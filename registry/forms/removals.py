"""How images are to be discarded, and the words that confirm it."""

import uuid
from datetime import timedelta
from typing import Any

from django import forms

from registry.models import Image
from registry.removal import Wish

_DAYS = [(0, "None"), (1, "1 day"), (3, "3 days"), (7, "7 days"), (14, "14 days"), (30, "30 days")]
DEFAULT_HOLD, DEFAULT_COOLING = 7, 14


class RemovalForm(forms.Form):
    """The choices of a removal. Times are whole days."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why, for whoever looks for the image later."},
    )
    hold = forms.TypedChoiceField(
        choices=_DAYS,
        coerce=int,
        initial=DEFAULT_HOLD,
        label="Hold before anything happens",
        help_text="Until then anybody concerned can keep an image.",
    )
    cooling = forms.TypedChoiceField(
        choices=_DAYS,
        coerce=int,
        initial=DEFAULT_COOLING,
        label="Cooling time",
        help_text="Between disabling, which can be undone, and deregistering.",
    )
    only_disables = forms.BooleanField(
        required=False, label="Only disable", help_text="Never deregister."
    )
    deletes_snapshots = forms.BooleanField(
        required=False,
        label="Also delete the snapshots",
        help_text="AWS leaves those that another image stands on.",
    )
    with_copies = forms.BooleanField(required=False, label="Also the copies in other regions")
    is_forced = forms.BooleanField(
        required=False,
        label="Also what is in use",
        help_text="Only for the use that is shown here. A new one keeps the image.",
    )

    def wish(self) -> Wish:
        return Wish(
            only_disables=self.cleaned_data["only_disables"],
            deletes_snapshots=self.cleaned_data["deletes_snapshots"],
            is_forced=self.cleaned_data["is_forced"],
        )

    def asked(self) -> dict[str, Any]:
        """Return what the request of a removal takes."""
        cleaned = self.cleaned_data
        return {
            "key": cleaned["key"],
            "reason": cleaned["reason"],
            "hold": timedelta(days=cleaned["hold"]),
            "cooling": timedelta(days=cleaned["cooling"]),
            "only_disables": cleaned["only_disables"],
            "deletes_snapshots": cleaned["deletes_snapshots"],
            "is_forced": cleaned["is_forced"],
        }


class UndoForm(forms.Form):
    """Why images are brought back."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why, for whoever reads the timeline."},
    )


def words_to_type(images: list[Image]) -> str:
    """Return what has to be typed: the name of the one image, or how many there are."""
    if len(images) == 1:
        return images[0].name or images[0].aws_id
    return f"discard {len(images)}"
