"""Wait for the image, read its billing code, and compare it with what was asked for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from registry.aws import Ec2, ImageRecord, Reading
from registry.billing.clues import Expectation
from registry.billing.codes import label
from registry.billing.rules import ImageFacts, compare, is_marketplace_code
from registry.models import ImageVerdict, Method, Registration, RegistrationStep
from registry.registration.forecast import prospect_of
from registry.registration.origin import hardware_of_origin
from registry.registration.register import Wait

SHORTEST, LONGEST = timedelta(seconds=5), timedelta(minutes=1)
_OVER = frozenset({"invalid", "failed", "error", "deregistered"})
_READY = frozenset({"available", "disabled"})
_GOOD = frozenset({ImageVerdict.OK, ImageVerdict.EXCUSED})
_COMPARED = {
    "architecture": "Architecture",
    "boot_mode": "Boot mode",
    "ena_support": "ENA",
    "imds_support": "IMDS",
    "tpm_support": "NitroTPM",
    "virtualization_type": "Virtualization",
}
_ADVICE = (
    "Nothing can be launched from it, and it keeps its name. Discard it, then repeat the request."
)
_ASKED_FOR = {Method.SNAPSHOT, Method.MANIFEST}


class ImageFailed(Exception):
    """AWS could not make the image."""


def verify(
    ec2: Ec2, registration: Registration, *, at: datetime, again_after: timedelta
) -> ImageRecord | Wait:
    """Return the image once its code has been read; Wait while there is nothing to decide.

    A code that differs or is not there is read once more after `again_after`: AWS may be late.
    """
    reading = ec2.read_image(registration.image_id)
    if reading is None:
        return Wait(_pause(registration, at), "Waiting until AWS shows the image")
    image = reading.image
    if image.state in _OVER:
        reason = (image.state_reason or "AWS gives no reason").rstrip(". ")
        raise ImageFailed(f"{image.aws_id} is {image.state}: {reason}. {_ADVICE}")
    if image.state not in _READY:
        return Wait(_pause(registration, at), "Image pending")
    return _decide(registration, reading, at=at, again_after=again_after)


def _pause(registration: Registration, at: datetime) -> timedelta:
    """Ask the less often, the longer it takes: a large copy takes hours."""
    waited = at - (registration.submitted_at or at)
    return min(max(waited / 10, SHORTEST), LONGEST)


def _decide(
    registration: Registration, reading: Reading, *, at: datetime, again_after: timedelta
) -> ImageRecord | Wait:
    image, run = reading.image, registration.run
    if registration.step == RegistrationStep.SUBMITTED:
        registration.step = RegistrationStep.AVAILABLE
        run.record(f"{image.aws_id} is available.", at=at)
    found = compare(_facts(registration, image))
    code = image.usage_operation or "empty"
    run.record(f"Read: {code}, {label(image.usage_operation)}.", reading.request_id, at=at)
    evidence = {"at": at.isoformat(), "request_id": reading.request_id, "image": reading.item}
    registration.readings = [*registration.readings[-1:], evidence]
    if found.verdict not in _GOOD and _is_early(registration, at=at, again_after=again_after):
        registration.mismatch_seen_at = registration.mismatch_seen_at or at
        registration.save()
        return Wait(again_after, "The billing code is not as expected; it is read once more")
    registration.platform_details = image.platform_details or ""
    registration.usage_operation = image.usage_operation or ""
    registration.verdict = found.verdict
    registration.missing, registration.unexpected = list(found.missing), list(found.unexpected)
    registration.differences = list(_differences(registration, image))
    registration.step = RegistrationStep.VERIFIED
    registration.save()
    return image


def _is_early(registration: Registration, *, at: datetime, again_after: timedelta) -> bool:
    first = registration.mismatch_seen_at
    return first is None or at < first + again_after


def _facts(registration: Registration, image: ImageRecord) -> ImageFacts:
    code = registration.expected_usage_operation
    is_sold = any(is_marketplace_code(item["id"], item["type"]) for item in image.product_codes)
    return ImageFacts(
        usage_operation=image.usage_operation,
        expectation=Expectation(code, label(code), "strong", "declared", ()),
        is_marketplace=is_sold,
        sold_with=prospect_of(registration).sold_with if is_sold else frozenset(),
    )


def _differences(registration: Registration, image: ImageRecord) -> Iterator[dict[str, str]]:
    """Yield where boot and hardware differ from what was asked for, or else from the source.

    What the source does not tell is not compared.
    """
    source = hardware_of_origin(registration)
    for field, what in _COMPARED.items():
        found = getattr(image, field)
        wanted, of = source.get(field, ("", ""))
        asked = getattr(registration, field)
        if asked and (field == "boot_mode" or registration.method in _ASKED_FOR):
            wanted, of = asked, "the request"
        if wanted in ("", None) or wanted == found:
            continue
        yield {"what": what, "wanted": _word(wanted), "found": _word(found), "of": of}


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if value else "none"
