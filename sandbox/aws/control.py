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
    images: Callable[[], Sequence[Mapping[str, Any]]]
    pace: Callable[..., Mapping[str, float]]


def respond(controls: Controls, path: str, body: bytes) -> tuple[int, bytes]:
    """Return status and JSON.

    `/_sandbox/faults` takes the arguments of `SimulatedAws.fail`, or `{}`: heal all.
    `/_sandbox/pace` takes what `State.pace` does, and answers how long things take now.
    `/_sandbox/images` tells all images of every account, also those that are not seen yet.
    """
    if path == "/_sandbox/health":
        return 200, b"{}"
    if path == "/_sandbox/calls":
        return 200, json.dumps(controls.calls(), default=str).encode()
    if path == "/_sandbox/images":
        return 200, json.dumps(controls.images()).encode()
    if path in _TAKING:
        try:
            return 200, json.dumps(_TAKING[path](controls, json.loads(body or b"{}"))).encode()
        except (ValueError, TypeError) as error:
            return _problem(400, str(error))
    return _problem(404, f"There is no {path}.")


def _switch(controls: Controls, wanted: Any) -> Mapping[str, Any]:
    if wanted:
        controls.fail(**wanted)
    else:
        controls.heal()
    return {}


def _set_pace(controls: Controls, wanted: Any) -> Mapping[str, Any]:
    return controls.pace(**wanted)


# What takes JSON, and answers it.
_TAKING: Mapping[str, Callable[[Controls, Any], Mapping[str, Any]]] = {
    "/_sandbox/faults": _switch,
    "/_sandbox/pace": _set_pace,
}


def _problem(status: int, text: str) -> tuple[int, bytes]:
    return status, json.dumps({"problem": text}).encode()
