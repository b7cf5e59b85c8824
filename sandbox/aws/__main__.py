"""The simulated AWS of the demo: `python -m sandbox.aws --port 8001 --state FILE`."""

import argparse
import signal
import threading
from pathlib import Path

from sandbox.aws.bill import publish
from sandbox.aws.server import SimulatedAws
from sandbox.aws.state import State, utc_now
from sandbox.aws.world import populate

SEED = 20261124


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    state = State()
    if options.state.exists():
        state.load(options.state)
    else:
        populate(state, seed=options.seed, now=utc_now())
        state.version += 1
    publish(state)
    state.pending_seconds, state.invisible_seconds = 6.0, 2.0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    aws = SimulatedAws(state, port=options.port, state_file=options.state)
    aws.throttles = True
    with aws:
        stop.wait()


if __name__ == "__main__":
    main()
