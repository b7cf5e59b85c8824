"""History: each change of what an image or an instance is billed as, is, or comes from."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from registry.models.image import Image
from registry.models.instance import Instance
from registry.models.mirror import Mirror

EVERYTHING = "all"


class ChangeField(models.TextChoices):
    """What changed. PRESENCE: whether AWS shows it; LINEAGE: the ids it comes from."""

    CODE = "usage_operation", "Usage operation"
    DETAILS = "platform_details", "Platform details"
    STATE = "state", "State"
    PRESENCE = "presence", "Presence"
    LINEAGE = "lineage", "Lineage"
    EXPECTED = "expected", "Expected code"
    VERDICT = "verdict", "Verdict"
    DECLARED = "declared", "Declared code"


class Presence(models.TextChoices):
    """What a change of PRESENCE is from and to."""

    PRESENT = "present", "Present"
    GONE = "gone", "Gone"

    @classmethod
    def of(cls, gone_at: datetime | None) -> Self:
        return cls.PRESENT if gone_at is None else cls.GONE


class ChangeQuerySet(models.QuerySet["Change"]):
    def of(self, thing: Mirror) -> Self:
        """Return the changes of one image or instance, the one written last first.

        An answer of AWS that came late may have an earlier time than what it changes.
        """
        key = "image" if isinstance(thing, Image) else "instance"
        return self.filter(**{key: thing.pk}).order_by("-pk")


class Change(models.Model):
    """One change: what, from, to, and when it was seen. None: not known, or not there before."""

    image = models.ForeignKey(Image, models.PROTECT, related_name="changes", null=True, blank=True)
    instance = models.ForeignKey(
        Instance, models.PROTECT, related_name="changes", null=True, blank=True
    )
    field = models.CharField(max_length=16, choices=ChangeField.choices)
    before = models.TextField(null=True, blank=True)  # noqa: DJ001
    after = models.TextField(null=True, blank=True)  # noqa: DJ001
    at = models.DateTimeField()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(image=None, instance__isnull=False)
                | Q(image__isnull=False, instance=None),
                name="registry_change_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_field_display()}: {self.before} → {self.after}"


class TouchedQuerySet(models.QuerySet["Touched"]):
    def everything(self) -> None:
        """Let the next audit be one of everything: what it judges by has changed."""
        self.create(kind=EVERYTHING)


class Touched(models.Model):
    """A thing that a sync has written and no audit has looked at yet.

    An audit deletes exactly the rows that it has read, so that what is written meanwhile stays.
    """

    kind = models.CharField(max_length=32)  # the model's name, such as "image"; or EVERYTHING
    aws_id = models.CharField(max_length=64, blank=True)

    objects = TouchedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.aws_id
