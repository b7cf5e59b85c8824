"""Protection of images against deregistering."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.images import reach
from sandbox.aws.reading import dry
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

Params = Mapping[str, Any]
WITH_COOLDOWN, WITHOUT_COOLDOWN = "enabled-with-cooldown", "enabled-without-cooldown"
DISABLED = "disabled"
COOLDOWN = timedelta(hours=24)


def enable_protection(scope: Scope, params: Params) -> dict[str, Any]:
    image = reach(scope, params["ImageId"])
    dry(params)
    return _protect(scope, image, WITH_COOLDOWN if params.get("WithCooldown") else WITHOUT_COOLDOWN)


def disable_protection(scope: Scope, params: Params) -> dict[str, Any]:
    """End the protection; with a cooldown the image cannot be deregistered for a day yet."""
    image = reach(scope, params["ImageId"])
    dry(params)
    if image.get("DeregistrationProtection") == WITH_COOLDOWN:
        image["_protected_until"] = text(scope.state.now + COOLDOWN)
    return _protect(scope, image, DISABLED)


def _protect(scope: Scope, image: Thing, protection: str) -> dict[str, Any]:
    image["DeregistrationProtection"] = protection
    scope.state.version += 1
    return {"Return": protection}


def check_protection(scope: Scope, image: Thing) -> None:
    """Refuse to deregister an image that is protected, or was until a day ago."""
    is_protected = image.get("DeregistrationProtection", DISABLED) != DISABLED
    is_cooling = text(scope.state.now) < str(image.get("_protected_until", ""))
    if is_protected or is_cooling:
        # The code is unconfirmed.
        message = f"The image {image['ImageId']} is protected against deregistering."
        raise Refused("OperationNotPermitted", message)


OPERATIONS = {
    "EnableImageDeregistrationProtection": enable_protection,
    "DisableImageDeregistrationProtection": disable_protection,
}
