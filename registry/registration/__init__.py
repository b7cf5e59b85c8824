"""Making an AMI."""

from registry.registration.advice import explain, is_passing
from registry.registration.checks import Refused, check
from registry.registration.proposal import Proposal, Wish, propose
from registry.registration.register import Declined, NotOurs, Wait, check_once, register_once
from registry.registration.spec import as_command, operation, request
from registry.registration.verify import ImageFailed, verify

__all__ = [
    "Declined",
    "ImageFailed",
    "NotOurs",
    "Proposal",
    "Refused",
    "Wait",
    "Wish",
    "as_command",
    "check",
    "check_once",
    "explain",
    "is_passing",
    "operation",
    "propose",
    "register_once",
    "request",
    "verify",
]
