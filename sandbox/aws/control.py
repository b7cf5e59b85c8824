"""What another process may ask of the sandbox itself, below `/_sandbox/`."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Controls:
    """What can be turned from outside."""

    fail: Callable[..., None]
    heal: Callable[[], None]
    calls: Callable[[], Sequence[Mapping[str, Any]]]


def respond(controls: Controls, path: str, body: bytes) -> tuple[int, bytes]:
    """Return status and JSON.

    `/_sandbox/faults` takes the arguments of `SimulatedAws.fail`, or `{}`: heal all.
    """
    if path == "/_sandbox/health":
        return 200, b"{}"
    if path == "/_sandbox/calls":
        return 200, json.dumps(controls.calls(), default=str).encode()
    if path == "/_sandbox/faults":
        return _switch(controls, body)
    return _problem(404, f"There is no {path}.")


def _switch(controls: Controls, body: bytes) -> tuple[int, bytes]:
    try:
        wanted = json.loads(body or b"{}")
        if wanted:
            controls.fail(**wanted)
        else:
            controls.heal()
    except (ValueError, TypeError) as error:
        return _problem(400, str(error))
    return 200, b"{}"


def _problem(status: int, text: str) -> tuple[int, bytes]:
    return status, json.dumps({"problem": text}).encode()
