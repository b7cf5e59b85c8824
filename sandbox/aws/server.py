"""The simulated AWS: one threaded HTTP server that answers real boto3."""

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from sandbox.aws import files, protocol
from sandbox.aws.control import Controls, respond
from sandbox.aws.copying import OPERATIONS as COPYING
from sandbox.aws.errors import Refused
from sandbox.aws.faults import Fault, Faults, refusal
from sandbox.aws.images import OPERATIONS as IMAGES
from sandbox.aws.images import every
from sandbox.aws.inventory import OPERATIONS as INVENTORY
from sandbox.aws.listener import Answer, Listener
from sandbox.aws.people import OPERATIONS as PEOPLE
from sandbox.aws.pricing import OPERATIONS as PRICING
from sandbox.aws.protecting import OPERATIONS as PROTECTING
from sandbox.aws.registering import OPERATIONS as REGISTERING
from sandbox.aws.retiring import OPERATIONS as RETIRING
from sandbox.aws.scope import Scope
from sandbox.aws.state import State
from sandbox.aws.tags import OPERATIONS as TAGS
from sandbox.aws.throttle import Buckets, size
from sandbox.aws.using import OPERATIONS as USING

Operation = Callable[[Scope, Mapping[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {
    **IMAGES,
    **USING,
    **TAGS,
    **RETIRING,
    **PROTECTING,
    **REGISTERING,
    **COPYING,
    **INVENTORY,
    **PEOPLE,
    **PRICING,
}
_CREDENTIAL = re.compile(r"Credential=(\w+)/\d{8}/([\w-]+)/([\w-]+)/aws4_request")
_KEY = re.compile(r"A[KS]IA(\d{12})")
_MOST_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """A request that reached the simulated AWS."""

    service: str
    operation: str
    account: str
    region: str
    params: Mapping[str, Any]


class SimulatedAws:
    """A server in a thread of this process. `fail` switches faults on, `calls` is its log.

    With a state file, what was answered is written down before the answer leaves.
    """

    def __init__(
        self, state: State | None = None, *, port: int = 0, state_file: Path | None = None
    ) -> None:
        self.state = state or State()
        self.calls: list[Call] = []
        self.throttles = False
        self._faults = Faults()
        self._buckets = Buckets()
        self._file = state_file
        self._saved = -1
        self._http = Listener(port, self)
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        with self.state.lock:
            self._save()
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        with self.state.lock:
            self._save()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Begin again: nothing exists, nothing fails, nobody called."""
        with self.state.lock:
            self.state.clear()
        self.heal()
        self.calls.clear()
        self.throttles = False
        self._buckets = Buckets()

    def fail(self, operation: str, fault: str, **options: Any) -> None:
        """Let `operation` meet `fault` the next time, or as `times`, `account`, `region` say."""
        self._faults.add(Fault(operation, fault, **options))

    def heal(self) -> None:
        """Switch all faults off."""
        self._faults.heal()

    def operations_called(self) -> list[str]:
        return [call.operation for call in self.calls]

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request as AWS would."""
        request_id = str(uuid.uuid4())
        key, region, name = _who(headers)
        wire, fault = "ec2", None
        try:
            model = protocol.service(name)
            wire = protocol.protocol_of(model)
            operation, params = protocol.read(model, headers, body)
            call = Call(name, operation, _account(key), region, params)
            self._note(call)
            fault = self._faults.take(operation, call.account, region)
            self._meet(fault, call)
            session = headers.get("x-amz-security-token", "") if key.startswith("ASIA") else ""
            result = self._carry_out(call, session, fault.kind if fault else "")
        except Refused as error:
            written = protocol.write_error(wire, error, request_id)
            return Answer(error.status, written, _content_type(wire), request_id)
        kind = fault.kind if fault else ""
        written = protocol.write(model.operation_model(operation), result, request_id)
        return Answer(
            200,
            written,
            _content_type(wire),
            request_id,
            is_dropped=kind == "applied-then-dropped",
            is_cut=kind == "half-a-page",
        )

    def fetch(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer one request for files of S3 as AWS would."""
        request_id = str(uuid.uuid4())
        key, region, _ = _who(headers)
        try:
            operation, params = files.read(path, headers)
            call = Call("s3", operation, _account(key), region, params)
            self._note(call)
            fault = self._faults.take(operation, call.account, region)
            self._meet(fault, call)
            with self.state.lock:
                found = files.OPERATIONS[operation](self.state, call.account, params)
        except Refused as error:
            body = files.write_error(error, request_id)
            return Answer(error.status, body, "application/xml", request_id)
        kind = fault.kind if fault else ""
        return Answer(
            200,
            found.body,
            found.content_type,
            request_id,
            is_dropped=kind == "applied-then-dropped",
            is_cut=kind == "half-a-page",
            headers=found.headers,
        )

    def respond(self, path: str, body: bytes) -> Answer:
        """Answer what another process asks of the sandbox itself."""
        controls = Controls(
            self.fail,
            self.heal,
            calls=lambda: [asdict(call) for call in self.calls],
            images=lambda: every(self.state),
            pace=self.state.pace,
        )
        status, text = respond(controls, path, body)
        return Answer(status, text, "application/json")

    def _note(self, call: Call) -> None:
        self.calls.append(call)
        del self.calls[:-_MOST_CALLS]

    def _carry_out(self, call: Call, session: str, kind: str) -> dict[str, Any]:
        if call.operation not in OPERATIONS:
            raise Refused("InvalidAction", f"{call.operation} is not simulated.")
        scope = Scope(self.state, call.account, call.region, session, self._inner(call), kind)
        with self.state.lock:
            result = OPERATIONS[call.operation](scope, call.params)
            self._save()
            return result

    def _meet(self, fault: Fault | None, call: Call) -> None:
        kind = fault.kind if fault else ""
        if self.throttles and not self._has_token(call):
            kind = "throttle"
        refused = refusal(kind, call.service)
        if refused:
            raise refused
        if fault and kind == "slow":
            self._stopping.wait(fault.seconds)

    def _inner(self, call: Call) -> Callable[[str], str]:
        def kind_of(operation: str) -> str:
            fault = self._faults.take(operation, call.account, call.region)
            return fault.kind if fault else ""

        return kind_of

    def _has_token(self, call: Call) -> bool:
        is_bounded = bool({"MaxResults", "Filters"} & call.params.keys())
        key = (call.account, call.region, call.operation, is_bounded)
        return self._buckets.take(key, *size(call.operation, is_bounded=is_bounded))

    def _save(self) -> None:
        if self._file and self.state.version != self._saved:
            self.state.save(self._file)
            self._saved = self.state.version


def _content_type(wire: str) -> str:
    return "application/x-amz-json-1.1" if wire == "json" else "text/xml;charset=UTF-8"


def _who(headers: Mapping[str, str]) -> tuple[str, str, str]:
    match = _CREDENTIAL.search(headers.get("authorization", ""))
    if match is None:
        return "", "us-east-1", "ec2"
    return match[1], match[2], match[3]


def _account(key: str) -> str:
    match = _KEY.fullmatch(key)
    if match is None:
        message = "AWS was not able to validate the provided access credentials"
        raise Refused("AuthFailure", message, 401)
    return match[1]
