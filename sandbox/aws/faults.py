"""What can go wrong between us and AWS, switched on by name."""

from dataclasses import dataclass

KINDS = frozenset(
    {
        "throttle",
        "server-error",
        "slow",
        "applied-then-dropped",
        "access-denied",
        "half-a-page",
    }
)


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

    def meets(self, operation: str, account: str, region: str) -> bool:
        return (
            self.times != 0
            and self.operation in {operation, "*"}
            and self.account in {account, None}
            and self.region in {region, None}
        )

    def use(self) -> None:
        if self.times is not None:
            self.times -= 1
