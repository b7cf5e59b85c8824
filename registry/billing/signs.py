"""What each source says of the billing code that a new image will get, and how sure that is."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry.billing.clues import Link
from registry.billing.codes import (
    PLAIN,
    label,
    parts,
)
from registry.billing.prospect import (
    AWS_BACKUP,
    COPY,
    COPY_IMAGE,
    COPY_SNAPSHOT,
    CREATE_IMAGE,
    INSTANCE,
    LIVE,
    MANIFEST,
    MIGRATION,
    REGISTER_IMAGE,
    SNAPSHOT,
    VM_IMPORT,
    Prospect,
    Sibling,
    code_of_link,
    licenses_of,
    siblings_made_by,
)
from registry.billing.text import is_plain

# Blocks that came from elsewhere bring no billing metadata along.
_FROM_ELSEWHERE = frozenset({VM_IMPORT, MIGRATION})
_COPYABLE = frozenset({"available", ""})
_MOST_NAMED = 3
METADATA = "AWS documents that the code is taken from metadata of the snapshot that no API shows."
UNCONFIRMED = "This is not confirmed by AWS documentation."


@dataclass(frozen=True, slots=True)
class Sign:
    """What one source says of the code; `is_open`: not enough to say whether it is kept."""

    usage_operation: str | None
    confidence: str
    reasons: tuple[str, ...]
    is_open: bool = False


def _of_instance(prospect: Prospect) -> Sign:
    code, name = prospect.source_usage_operation, prospect.source_id
    if prospect.source_state not in LIVE:
        said = f"{name} is {prospect.source_state}. CreateImage needs a running or stopped one."
        return Sign(code, "none", (said,), is_open=True)
    if code is None:
        return Sign(None, "none", (f"The billing code of {name} is not known.",))
    said = f"CreateImage passes on the code of {name}, which is billed as {label(code)}."
    return Sign(code, "strong", (said,))


def _of_copy(prospect: Prospect) -> Sign:
    code, name = prospect.source_usage_operation, prospect.source_id
    if prospect.source_state not in _COPYABLE:
        said = f"{name} is {prospect.source_state}. CopyImage needs an available image."
        return Sign(code, "none", (said,), is_open=True)
    if code is None:
        return Sign(None, "none", (f"The billing code of {name} is not known.",))
    billed = f"{name} is billed as {label(code)}."
    if not prospect.is_foreign:
        said = f"A copy of an image of one's own keeps its code. {UNCONFIRMED}"
        return Sign(code, "medium", (billed, said))
    if is_plain(code) and not prospect.product_codes:
        said = f"{name} belongs to another account, and carries neither a license nor a product."
        return Sign(code, "weak", (billed, said))
    said = (
        f"{name} belongs to another account. AWS documented in 2020 that such an image can't be "
        "copied when it carries a license or a product code. Whether that still holds is not known."
    )
    return Sign(code, "weak", (billed, said), is_open=True)


def _of_manifest(prospect: Prospect) -> Sign:
    if is_plain(prospect.expected):
        return Sign(PLAIN, "weak", ("Nothing says that the manifest brings a license.",))
    said = "Nothing tells which code an image made from a manifest will get."
    return Sign(None, "none", (said,))


def _of_snapshot(prospect: Prospect) -> Sign:
    """Return what the strongest source says that there is."""
    for source in (_of_registered, _of_made_with, _of_elsewhere, _of_lineage):
        sign = source(prospect)
        if sign is not None:
            return sign
    name = prospect.source_id
    if is_plain(prospect.expected):
        said = f"Nothing says that {name} carries a license."
        return Sign(PLAIN, "weak", (said, METADATA))
    return Sign(None, "none", (f"Nothing tells which code {name} carries.", METADATA))


_SIGNS = {
    SNAPSHOT: _of_snapshot,
    MANIFEST: _of_manifest,
    INSTANCE: _of_instance,
    COPY: _of_copy,
}


def _of_registered(prospect: Prospect) -> Sign | None:
    found = siblings_made_by(prospect, REGISTER_IMAGE)
    if not found:
        return None
    reasons = [
        f"{one.image_id} was registered from {prospect.source_id} before and is billed as "
        f"{label(one.usage_operation)}."
        for one in _one_of_each(found)[:_MOST_NAMED]
    ]
    if len(reasons) > 1:
        said = "These images disagree, so they tell nothing of the next one."
        return Sign(None, "none", (*reasons, said))
    return Sign(found[0].usage_operation, "strong", tuple(reasons))


def _one_of_each(siblings: Iterable[Sibling]) -> list[Sibling]:
    found: dict[frozenset[str] | str | None, Sibling] = {}
    for one in siblings:
        licenses = licenses_of(one)
        found.setdefault(one.usage_operation if licenses is None else licenses, one)
    return list(found.values())


def _of_made_with(prospect: Prospect) -> Sign | None:
    found = siblings_made_by(prospect, CREATE_IMAGE, COPY_IMAGE, VM_IMPORT, AWS_BACKUP)
    if not found:
        return None
    one = next((one for one in found if one.made_by == CREATE_IMAGE), found[0])
    said = (
        f"{one.made_by} made {prospect.source_id} for {one.image_id}, which is billed as "
        f"{label(one.usage_operation)}."
    )
    # Only of CreateImage is it known that image and snapshot have the code from one instance.
    confidence = "medium" if one.made_by == CREATE_IMAGE else "weak"
    return Sign(one.usage_operation, confidence, (said, METADATA))


def _of_elsewhere(prospect: Prospect) -> Sign | None:
    """Return the plain code where the blocks came without the metadata, as far as is known."""
    if prospect.writer in _FROM_ELSEWHERE:
        said = (
            f"The description of {prospect.source_id} names {_name_of(prospect.writer)}. Blocks "
            f"that come from elsewhere usually bring no billing code. {UNCONFIRMED}"
        )
    elif prospect.is_foreign:
        said = (
            f"{prospect.source_id} comes from another account. On the way from account to account "
            f"the code is often lost. {UNCONFIRMED}"
        )
    else:
        return None
    return Sign(PLAIN, "weak", (said, METADATA))


def _name_of(writer: str) -> str:
    return "a migration service" if writer == MIGRATION else writer


def _of_lineage(prospect: Prospect) -> Sign | None:
    link = next((link for link in prospect.links if _tells(link)), None)
    if link is None:
        return None
    code = code_of_link(link)
    reasons = [f"{link.how} {link.aws_id}, which is billed as {label(code)}.", METADATA]
    if not link.is_recorded:
        reasons.insert(1, "This was read from a description, which anybody may write.")
    is_copy = prospect.writer in {COPY_SNAPSHOT, COPY_IMAGE}
    if is_copy:
        reasons.append(
            f"{prospect.source_id} is a copy, says its description. Whether a copy keeps the "
            "metadata is not confirmed by AWS documentation."
        )
    is_clear = is_plain(code) and link.is_recorded and not is_copy
    confidence = "medium" if is_clear and is_plain(prospect.expected) else "weak"
    is_open = is_copy and not is_plain(prospect.expected)
    return Sign(code, confidence, tuple(reasons), is_open=is_open)


def _tells(link: Link) -> bool:
    code = code_of_link(link)
    return not link.has_changed and (code == "" or parts(code) is not None)


def sign_of(prospect: Prospect) -> Sign:
    """Return what the strongest source says that there is."""
    return _SIGNS[prospect.method](prospect)
