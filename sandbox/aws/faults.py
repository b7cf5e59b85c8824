"""What can go wrong between us and AWS, switched on by name."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.aws.errors import Refused

# Each kind, and what it means for a call.
KINDS = {
    "throttle": "refused: too many calls",
    "server-error": "refused: AWS has a trouble of its own",
    "access-denied": "refused: the caller may not",
    "slow": "carried out after `seconds`",
    "applied-then-dropped": "carried out, and the connection closed without an answer",
    "half-a-page": "carried out, and the answer cut in the middle",
    "image-fails": "carried out, and the image that it makes fails instead of getting available",
}
_MAKERS = frozenset({"RegisterImage", "CreateImage", "CopyImage"})
# Each service has its own words for the same trouble.
_REFUSALS: Mapping[tuple[str, str], tuple[str, int]] = {
    ("throttle", "ec2"): ("RequestLimitExceeded", 503),
    ("throttle", "sts"): ("Throttling", 400),
    ("throttle", "organizations"): ("TooManyRequestsException", 400),
    ("throttle", "pricing"): ("ThrottlingException", 400),
    ("throttle", "s3"): ("SlowDown", 503),
    ("server-error", "ec2"): ("InternalError", 500),
    ("server-error", "sts"): ("InternalFailure", 500),
    ("server-error", "organizations"): ("ServiceException", 500),
    ("server-error", "pricing"): ("InternalErrorException", 500),
    ("server-error", "s3"): ("InternalError", 500),
    ("access-denied", "ec2"): ("UnauthorizedOperation", 403),
    ("access-denied", "sts"): ("AccessDenied", 403),
    ("access-denied", "organizations"): ("AccessDeniedException", 400),
    ("access-denied", "pricing"): ("AccessDeniedException", 400),
    ("access-denied", "s3"): ("AccessDenied", 403),
}
_MESSAGES = {
    "throttle": "Request limit exceeded.",
    "server-error": "An internal error has occurred",
    "access-denied": "You are not authorized to perform this operation.",
}


def refusal(kind: str, service: str) -> Refused | None:
    """Return the error that a service answers with; None for faults that are no answer."""
    if kind not in _MESSAGES:
        return None
    code, status = _REFUSALS[kind, service]
    return Refused(code, _MESSAGES[kind], status)


@dataclass(slots=True)
class Fault:
    """A fault of one operation ("*": of all), for some times or until it is healed."""

    operation: str
    kind: str
    times: int | None = 1
    account: str | None = None
    region: str | None = None
    seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is no fault. There are: {', '.join(sorted(KINDS))}.")
        if self.kind == "image-fails" and self.operation not in _MAKERS:
            raise ValueError(f"{self.operation} makes no image. {', '.join(sorted(_MAKERS))} do.")

    def meets(self, operation: str, account: str, region: str) -> bool:
        return (
            self.times != 0
            and self.operation in {operation, "*"}
            and self.account in {account, None}
            and self.region in {region, None}
        )


class Faults:
    """The faults that are switched on; each is met as often as it says, however many call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def heal(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, operation: str, account: str, region: str) -> Fault | None:
        """Return the fault that a call meets, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.meets(operation, account, region):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None
