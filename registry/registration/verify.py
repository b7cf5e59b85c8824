"""Wait for the image, read its billing code, and compare it with what was asked for."""

from datetime import datetime, timedelta

from registry.aws import Ec2, ImageRecord
from registry.billing.codes import label
from registry.billing.expectation import Expectation
from registry.billing.rules import ImageFacts, compare
from registry.models import ImageVerdict, Registration, RegistrationStep
from registry.registration.register import Wait, note

PAUSE = timedelta(seconds=5)
_OVER = frozenset({"invalid", "failed", "error", "deregistered"})
_READY = frozenset({"available", "disabled"})
_GOOD = frozenset({ImageVerdict.OK, ImageVerdict.EXCUSED})


class ImageFailed(Exception):
    """AWS could not make the image."""


def verify(
    ec2: Ec2, registration: Registration, *, at: datetime, again_after: timedelta
) -> ImageRecord | Wait:
    """Return the image once its code has been read; Wait while there is nothing to decide.

    A code that differs or is not there is read once more after `again_after`: AWS may be late.
    """
    found = ec2.find_images(ids=[registration.image_id])
    if not found:
        return Wait(PAUSE, "Waiting until AWS shows the image")
    image = found[0]
    if image.state in _OVER:
        reason = image.state_reason or "AWS gives no reason"
        raise ImageFailed(f"{image.aws_id} is {image.state}: {reason}.")
    if image.state not in _READY:
        return Wait(PAUSE, "Image pending")
    return _decide(registration, image, at=at, again_after=again_after)


def _decide(
    registration: Registration, image: ImageRecord, *, at: datetime, again_after: timedelta
) -> ImageRecord | Wait:
    if registration.step == RegistrationStep.SUBMITTED:
        registration.step = RegistrationStep.AVAILABLE
        note(registration, f"{image.aws_id} is available.", at=at)
    found = compare(_facts(registration, image))
    code = image.usage_operation or "empty"
    note(registration, f"Read: {code}, {label(image.usage_operation)}.", at=at)
    if found.verdict not in _GOOD and _is_early(registration, at=at, again_after=again_after):
        registration.mismatch_seen_at = registration.mismatch_seen_at or at
        registration.save()
        return Wait(again_after, "The billing code is not as expected; it is read once more")
    registration.platform_details = image.platform_details or ""
    registration.usage_operation = image.usage_operation or ""
    registration.verdict = found.verdict
    registration.missing, registration.unexpected = list(found.missing), list(found.unexpected)
    registration.step = RegistrationStep.VERIFIED
    registration.save()
    return image


def _is_early(registration: Registration, *, at: datetime, again_after: timedelta) -> bool:
    first = registration.mismatch_seen_at
    return first is None or at < first + again_after


def _facts(registration: Registration, image: ImageRecord) -> ImageFacts:
    code = registration.expected_usage_operation
    return ImageFacts(
        usage_operation=image.usage_operation,
        expectation=Expectation(code, label(code), "strong", "declared", ()),
        is_marketplace=any(item["type"] == "marketplace" for item in image.product_codes),
    )
