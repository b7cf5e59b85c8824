"""Making an AMI."""

from registry.registration.advice import explain, is_passing
from registry.registration.register import Declined, NotOurs, Wait, note, register_once
from registry.registration.spec import Refused, check
from registry.registration.verify import ImageFailed, verify

__all__ = [
    "Declined",
    "ImageFailed",
    "NotOurs",
    "Refused",
    "Wait",
    "check",
    "explain",
    "is_passing",
    "note",
    "register_once",
    "verify",
]
