"""What discarding images, or bringing them back, would do; said before the click."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects

from registry.access import accounts
from registry.models import Image
from registry.removal.calls import to_bring_back, to_discard, words
from registry.removal.obstacles import not_allowed, obstacles
from registry.removal.relatives import present_copies, snapshots_of, users_of_snapshots
from registry.removal.uses import INSTANCE, LAUNCH_TEMPLATE, Use, as_told, known_uses

PERMISSIONS_GO = (
    "AWS takes the launch permissions away when an image is disabled. Enabling it again does not "
    "bring them back."
)
BIN = (
    "A deregistered AMI can only be restored while a Recycle Bin rule of its account keeps it. "
    "Without such a rule it is gone for good."
)
SNAPSHOTS_GO = (
    "Snapshots that are deleted are gone, unless a Recycle Bin rule keeps them. "
    "An image does not come back without its snapshots."
)
NOT_ASKED = (
    "AWS is asked again for every use at the moment of acting. Launch templates, parameters, "
    "launch permissions and deregistration protection are only read then; shown here is what an "
    "earlier look found."
)
NOT_FOR_ALL = (
    "The portal knows the instances of the accounts that it reads. Others that an image is "
    "shared with may run more."
)
NOT_PERMITTED = "You may not discard this image, or not in this way."


@dataclass(frozen=True, slots=True)
class Wish:
    """How images are to be discarded, or that they are to be brought back."""

    is_undo: bool = False
    only_disables: bool = False
    deletes_snapshots: bool = False
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What would happen to one image.

    `obstacle` says why it can't be asked for, `kept` why it would be kept as things stand.
    """

    image: Image
    obstacle: str = ""
    kept: str = ""
    uses: tuple[Use, ...] = ()
    copies: tuple[Image, ...] = ()  # present, and not among the chosen
    deleted_snapshots: tuple[str, ...] = ()
    shared_snapshots: tuple[str, ...] = ()  # AWS leaves what another image stands on
    calls: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()

    @property
    def skipped(self) -> str:
        return self.obstacle or self.kept

    @property
    def happens(self) -> str:
        return self.skipped or words(self.calls)


@dataclass(frozen=True, slots=True)
class Preview:
    """All that is known beforehand of one removal."""

    lines: tuple[Line, ...]
    warnings: tuple[str, ...]

    @property
    def acting(self) -> list[Line]:
        return [line for line in self.lines if not line.skipped]

    @property
    def skipped(self) -> list[Line]:
        return [line for line in self.lines if line.skipped]

    @property
    def uses(self) -> list[Use]:
        """Who uses any of the images, each once."""
        return sorted({use.key: use for line in self.lines for use in line.uses}.values())

    @property
    def instances(self) -> list[Use]:
        return [use for use in self.uses if use.kind == INSTANCE]

    @property
    def launch_templates(self) -> list[Use]:
        return [use for use in self.uses if use.kind == LAUNCH_TEMPLATE]

    @property
    def accounts(self) -> list[str]:
        """The numbers of the accounts of the images and of who uses them."""
        owners = {line.image.account.number for line in self.lines}
        return sorted(owners | {use.account for use in self.uses if use.account})

    @property
    def copies_left(self) -> list[Image]:
        """The present copies that nobody chose, each once."""
        copies = {copy.pk: copy for line in self.lines for copy in line.copies}
        return [copies[pk] for pk in sorted(copies)]

    @property
    def calls(self) -> list[str]:
        """The calls in the order in which AWS gets them: first everything is disabled."""
        calls = [call for line in self.acting for call in line.calls]
        return sorted(calls, key=lambda call: " deregister-image " in call)

    @property
    def undo(self) -> list[str]:
        return [call for line in self.acting for call in line.undo]


def preview(images: Iterable[Image], wish: Wish, *, by: User | None) -> Preview:
    """Say what `wish` would do to the images; the number of queries does not grow with theirs."""
    chosen = list(images)
    prefetch_related_objects(chosen, "account")
    against = _against(chosen, wish, by)
    if wish.is_undo:
        lines = [_line_of_undo(image, against.get(image.pk, "")) for image in chosen]
        return Preview(tuple(lines), (PERMISSIONS_GO, BIN))
    going = {image.pk for image in chosen if image.pk not in against}
    uses, copies = _uses(chosen, by), present_copies(chosen)
    users = _users(chosen) if wish.deletes_snapshots else {}
    lines = []
    for image in chosen:
        deleted, shared = _snapshots(image, users, going)
        others = [copy for copy in copies.get(image.aws_id, []) if copy.pk not in going]
        lines.append(
            Line(
                image,
                obstacle=against.get(image.pk, ""),
                kept=_kept(uses[image.pk], wish),
                uses=tuple(uses[image.pk]),
                copies=tuple(others),
                deleted_snapshots=deleted,
                shared_snapshots=shared,
                calls=to_discard(
                    image,
                    only_disables=wish.only_disables,
                    deletes_snapshots=wish.deletes_snapshots,
                ),
                undo=to_bring_back(image, is_gone=not wish.only_disables),
            )
        )
    return Preview(tuple(lines), _warnings(wish))


def _uses(chosen: list[Image], by: User | None) -> dict[int, list[Use]]:
    found = known_uses(chosen)
    if by is None:
        return found
    numbers = set(accounts(by).values_list("number", flat=True))
    return {pk: as_told(uses, numbers) for pk, uses in found.items()}


def _against(chosen: list[Image], wish: Wish, by: User | None) -> dict[int, str]:
    forbidden = not_allowed(
        chosen, by=by, is_forced=wish.is_forced, deletes_snapshots=wish.deletes_snapshots
    )
    found = obstacles(chosen, is_undo=wish.is_undo, only_disables=wish.only_disables)
    return found | {image.pk: NOT_PERMITTED for image in forbidden}


def _line_of_undo(image: Image, obstacle: str) -> Line:
    is_gone = image.gone_at is not None or image.state == "deregistered"
    return Line(image, obstacle=obstacle, calls=to_bring_back(image, is_gone=is_gone))


def _kept(uses: list[Use], wish: Wish) -> str:
    if not uses or wish.is_forced:
        return ""
    shown = ", ".join(map(str, uses[:3])) + (f" and {len(uses) - 3} more" if uses[3:] else "")
    return f"Kept unless this ends before: in use by {shown}."


def _users(chosen: list[Image]) -> dict[str, set[int]]:
    return users_of_snapshots({aws_id for image in chosen for aws_id in snapshots_of(image)})


def _snapshots(
    image: Image, users: Mapping[str, set[int]], going: set[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the snapshots that go with the image, and those that other images stand on."""
    if not users:
        return (), ()
    ids = snapshots_of(image)
    shared = {aws_id for aws_id in ids if users.get(aws_id, set()) - going - {image.pk}}
    deleted = tuple(aws_id for aws_id in ids if aws_id not in shared)
    return deleted, tuple(aws_id for aws_id in ids if aws_id in shared)


def _warnings(wish: Wish) -> tuple[str, ...]:
    said = [PERMISSIONS_GO]
    if not wish.only_disables:
        said.append(BIN)
    if wish.deletes_snapshots:
        said.append(SNAPSHOTS_GO)
    return (*said, NOT_ASKED, NOT_FOR_ALL)
