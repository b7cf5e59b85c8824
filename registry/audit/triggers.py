"""What changed about instances and their images before a purchase became idle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from registry.access import Person, visible
from registry.models import Change, ChangeField, Image, Instance

_OF_IMAGE = (ChangeField.CODE, ChangeField.DETAILS, ChangeField.VERDICT, ChangeField.PRESENCE)
_OF_INSTANCE = (ChangeField.CODE, ChangeField.DETAILS, ChangeField.STATE)
_KINDS = {ChangeField.CODE: "code", ChangeField.VERDICT: "verdict"}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change that may have left a purchase idle. `kind` says how its two values are shown."""

    at: datetime
    thing: Image | Instance
    title: str
    kind: str
    before: str | None = None
    after: str | None = None
    image_id: str = ""

    @property
    def sentence(self) -> str:
        """Say what changed, as a line of text says it."""
        if self.kind:
            return f"{self.title.lower()} {_word(self.before)} → {_word(self.after)}"
        return f"{self.title.lower()}{f' from {self.image_id}' if self.image_id else ''}"


def _word(value: str | None) -> str:
    return "not recorded" if value is None else value or "empty"


def triggers(
    user: Person,
    named: Mapping[int, Sequence[str]],
    until: Mapping[int, datetime],
    since: datetime,
) -> dict[int, list[Trigger]]:
    """Return what changed after `since` and before `until`, of each purchase in `named`.

    `named` are the ids of instances by purchase; of what `user` may not read nothing is told.
    """
    ids = {aws_id for some in named.values() for aws_id in some}
    instances = list(visible(Instance.objects.filter(aws_id__in=ids), user))
    image_ids = {found.image_id for found in instances if found.image_id}
    images = list(visible(Image.objects.filter(aws_id__in=image_ids), user))
    last = max(until.values(), default=since)
    found = [*_changes(images, instances, since, last), *_launches(instances, since)]
    found.sort(key=lambda trigger: trigger.at)
    images_of = {found.aws_id: found.image_id for found in instances}
    told = {}
    for key, some in named.items():
        near = {*some, *(images_of[aws_id] for aws_id in some if aws_id in images_of)}
        told[key] = [one for one in found if one.at <= until[key] and one.thing.aws_id in near]
    return told


def _changes(
    images: Sequence[Image], instances: Sequence[Instance], since: datetime, until: datetime
) -> Iterator[Trigger]:
    of_image = Q(image__in=images, field__in=_OF_IMAGE)
    of_instance = Q(instance__in=instances, field__in=_OF_INSTANCE)
    rows = Change.objects.filter(of_image | of_instance, at__gt=since, at__lte=until)
    things: dict[Any, Image | Instance] = {("image", row.pk): row for row in images}
    things |= {("instance", row.pk): row for row in instances}
    for row in rows.order_by("at", "pk"):
        key = ("image", row.image_id) if row.image_id else ("instance", row.instance_id)
        thing = things[key]
        if row.field != ChangeField.PRESENCE:
            kind = _KINDS.get(ChangeField(row.field), "text")
            yield Trigger(row.at, thing, row.get_field_display(), kind, row.before, row.after)
        elif row.before is None:
            yield Trigger(row.at, thing, "First seen", "")


def _launches(instances: Sequence[Instance], since: datetime) -> Iterator[Trigger]:
    for found in instances:
        if found.launched_at and found.launched_at > since:
            yield Trigger(found.launched_at, found, "Launched", "", image_id=found.image_id)
