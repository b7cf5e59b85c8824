"""Everything that exists in the simulated AWS, in the shapes in which AWS describes it.

A thing is a dictionary with the members of its botocore shape. Keys that begin with an underscore
are what AWS keeps to itself: where the thing is, when it shows, a snapshot's billing metadata.
Times are ISO texts, so that all of it can be written down as JSON.
"""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Thing = dict[str, Any]
KINDS = (
    "images",
    "snapshots",
    "volumes",
    "instances",
    "reserved_instances",
    "recycled",
    "launch_templates",
    "parameters",
)

# How long things take, in seconds: attributes of a state.
PACES = ("pending_seconds", "invisible_seconds", "name_held_seconds", "code_lag_seconds")
_YEAR = 31_536_000


def utc_now() -> datetime:
    return datetime.now(tz=UTC)


def text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class State:
    """The things of every account and region, by kind and id."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        self.things: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
        self.accounts: dict[str, Thing] = {}
        self.tokens: dict[str, Any] = {}
        self.held: dict[str, Thing] = {}  # names that outlive their image
        self.buckets: dict[str, Any] = {}  # by name; made anew at each start
        self.pending_seconds = 0.0
        self.invisible_seconds = 0.0
        self.name_held_seconds = 0.0
        self.code_lag_seconds = 0.0
        self.moved = timedelta()
        self.version = 0
        self._given = 0

    @property
    def now(self) -> datetime:
        return self._clock() + self.moved

    def advance(self, **span: float) -> None:
        """Let time pass: `advance(minutes=5)`."""
        self.moved += timedelta(**span)

    def pace(self, **seconds: float) -> dict[str, float]:
        """Set how long things take, all of it or nothing; return how long they take now."""
        for name, value in seconds.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if name not in PACES or not is_number or not 0 <= value <= _YEAR:
                message = f"{name} cannot be {value!r}. Seconds can be: {', '.join(PACES)}."
                raise ValueError(message)
        with self.lock:
            for name, value in seconds.items():
                setattr(self, name, float(value))
            return {name: getattr(self, name) for name in PACES}

    def new_id(self, prefix: str) -> str:
        """Return an id never given before, also after a restart."""
        while True:
            self._given += 1
            aws_id = f"{prefix}-0{self._given * 2654435761 % 16**8:08x}{self._given:08x}"
            if not any(aws_id in self.things[kind] for kind in KINDS):
                return aws_id

    def of(self, kind: str, account: str, region: str) -> Iterator[Thing]:
        """The things of one account and region, in the order of their making."""
        for thing in self.things[kind].values():
            if thing["_account"] == account and thing["_region"] == region:
                yield thing

    def put(self, kind: str, aws_id: str, thing: Thing, account: str, region: str) -> Thing:
        self.things[kind][aws_id] = {**thing, "_account": account, "_region": region}
        self.version += 1
        return self.things[kind][aws_id]

    def save(self, file: Path) -> None:
        """Write everything down; a crash leaves the old file or the new one."""
        with self.lock:
            whole = {
                "things": self.things,
                "accounts": self.accounts,
                "tokens": self.tokens,
                "held": self.held,
                "given": self._given,
            }
            draft = file.with_suffix(".new")
            draft.write_text(json.dumps(whole))
            draft.replace(file)

    def load(self, file: Path) -> None:
        """Take over what `save` wrote, also an older version of the sandbox."""
        whole = json.loads(file.read_text())
        self.things = {kind: whole["things"].get(kind, {}) for kind in KINDS}
        self.accounts = whole["accounts"]
        tokens = whole["tokens"].items()
        self.tokens = {key: value for key, value in tokens if isinstance(value, dict)}
        self.held = whole.get("held", {})
        self._given = whole.get("given", 0)
