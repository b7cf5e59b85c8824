"""What people have said of images: their patterns, and who declared what; rows → clues."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from registry.billing.own_patterns import OwnPattern
from registry.models import Image, Pattern
from registry.models.image import ImageQuerySet

PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Said:
    """The patterns in force, and the names of those who declared an image's code."""

    patterns: tuple[OwnPattern, ...] = ()
    people: dict[int, str] = field(default_factory=dict)  # read when a name is asked for

    @classmethod
    def load(cls) -> "Said":
        return cls(tuple(in_force().values()))

    def declaration(self, image: Image) -> str:
        """Say in words who declared the code of an image, when, and why."""
        if not image.declared:
            return ""
        if image.declared_by_id is None or image.declared_at is None:
            return "Declared by its registration."
        on = image.declared_at.date().isoformat()
        who = self._name(image.declared_by_id)
        return f"Declared by {who} on {on}: {image.declared_because}"

    def _name(self, key: int) -> str:
        if key not in self.people:
            declared = Image.objects.exclude(declared_by=None).values("declared_by")
            names = User.objects.filter(pk__in=declared).values_list("pk", "username")
            self.people.update({key: "somebody"} | dict(names))
        return self.people[key]


def in_force() -> dict[int, OwnPattern]:
    """Return the patterns by which images are judged, by primary key, the oldest first."""
    return {row.pk: as_own(row) for row in Pattern.objects.filter(is_active=True).order_by("pk")}


def as_own(row: Pattern) -> OwnPattern:
    return OwnPattern(
        kind=row.kind,
        key=row.key,
        text=row.text,
        usage_operation=row.usage_operation,
        strength=row.strength,
        note=row.note,
        account=row.account_id,
    )


def fitting(images: ImageQuerySet, patterns: Sequence[OwnPattern]) -> list[list[int]]:
    """Return, for each of the patterns, the primary keys of the images that it fits, in order."""
    found: list[list[int]] = [[] for _ in patterns]
    rows = images.order_by("pk").values_list("pk", "name", "tags", "account_id")
    for pk, *said in rows.iterator(chunk_size=PAGE) if patterns else ():
        for keys, pattern in zip(found, patterns, strict=True):
            if pattern.fits(*said):
                keys.append(pk)
    return found
