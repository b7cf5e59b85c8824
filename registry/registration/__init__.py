"""Making an AMI."""

from registry.registration.register import NotOurs, Wait, note, register_once
from registry.registration.spec import Refused, check
from registry.registration.verify import ImageFailed, verify

__all__ = [
    "ImageFailed",
    "NotOurs",
    "Refused",
    "Wait",
    "check",
    "note",
    "register_once",
    "verify",
]
