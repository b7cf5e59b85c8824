"""What holds images of the seeded company in place: templates, parameters, other accounts."""

import random
from collections.abc import Sequence

from sandbox.aws.catalog import CORE_PROD, SHARED_IMAGES
from sandbox.aws.images import snapshots_of
from sandbox.aws.protecting import WITH_COOLDOWN
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing
from sandbox.aws.using import use_in_parameter, use_in_template

_FLEETS = ("web", "api", "batch", "erp")
_LOST_EVERY = 4  # scopes, of which one launches a lost image


def bind(scopes: Sequence[Scope], dice: random.Random) -> None:
    """Let templates and parameters refer to images, and share and protect a few of them."""
    for number, scope in enumerate(scopes):
        _refer(scope, dice)
        if number % _LOST_EVERY == 0:
            lost = dice.choice([image for image in _usable(scope) if _is_lost(scope, image)])
            use_in_template(scope, lost["ImageId"], "nightly-restore")
    _leave_over(scopes[-1], dice)
    shared = [scope for scope in scopes if scope.account == SHARED_IMAGES]
    for scope in shared[:2]:
        image = dice.choice(_sound(scope))
        image["_permissions"] = [{"UserId": CORE_PROD}]
    dice.choice(_sound(shared[0]))["DeregistrationProtection"] = WITH_COOLDOWN


def _refer(scope: Scope, dice: random.Random) -> None:
    """Let a fleet launch an image after another, and a parameter name the newest."""
    fleet = dice.choice(_FLEETS)
    old, new = dice.sample(_sound(scope), 2)
    for image in (old, new):
        use_in_template(scope, image["ImageId"], f"{fleet}-fleet")
    use_in_parameter(scope, new["ImageId"], f"/northwind/{fleet}/image-id")


def _leave_over(scope: Scope, dice: random.Random) -> None:
    """Leave a template of a project that ended: nothing runs of its image."""
    run = {instance["ImageId"] for instance in scope.mine("instances")}
    images = [image for image in _sound(scope) if image["ImageId"] not in run]
    use_in_template(scope, dice.choice(images)["ImageId"], "project-that-ended")


def _sound(scope: Scope) -> list[Thing]:
    return [image for image in _usable(scope) if "SourceInstanceId" in image]


def _usable(scope: Scope) -> list[Thing]:
    return [image for image in scope.mine("images") if image["State"] == "available"]


def _is_lost(scope: Scope, image: Thing) -> bool:
    root = scope.state.things["snapshots"][snapshots_of(image)[0]]
    return root["_billing"] is None
