"""The calls of a removal as lines of the AWS CLI."""

from collections.abc import Iterable

from registry.models import Image

NOT_TO_BE_DISABLED = frozenset({"disabled", "failed", "error", "invalid"})


def to_discard(image: Image, *, only_disables: bool, deletes_snapshots: bool) -> tuple[str, ...]:
    """Return the calls that discard an image, in order."""
    lines = [] if image.state in NOT_TO_BE_DISABLED else [_line("disable-image", image)]
    if not only_disables:
        option = "" if deletes_snapshots else "no-"
        lines.append(f"{_line('deregister-image', image)} --{option}delete-associated-snapshots")
    return tuple(lines)


def to_bring_back(image: Image, *, is_gone: bool) -> tuple[str, ...]:
    """Return the calls that bring an image back, in order, as far as AWS can."""
    restored = [_line("restore-image-from-recycle-bin", image)] if is_gone else []
    return (*restored, _line("enable-image", image))


def words(lines: Iterable[str]) -> str:
    """Say in a sentence what calls do."""
    steps = [_STEPS[line.split()[2]] for line in lines]
    return f"{', then '.join(steps).capitalize()}." if steps else ""


_STEPS = {
    "disable-image": "disabled",
    "deregister-image": "deregistered",
    "restore-image-from-recycle-bin": "restored from the Recycle Bin",
    "enable-image": "enabled",
}


def _line(command: str, image: Image) -> str:
    return f"aws ec2 {command} --region {image.region} --image-id {image.aws_id}"
