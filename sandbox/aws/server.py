"""The simulated AWS: one threaded HTTP server that answers real boto3."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from sandbox.aws import protocol
from sandbox.aws.errors import Refused
from sandbox.aws.faults import Fault
from sandbox.aws.images import OPERATIONS as IMAGES
from sandbox.aws.inventory import OPERATIONS as INVENTORY
from sandbox.aws.people import OPERATIONS as PEOPLE
from sandbox.aws.registering import OPERATIONS as REGISTERING
from sandbox.aws.scope import Scope
from sandbox.aws.state import State
from sandbox.aws.throttle import Buckets, size

Operation = Callable[[Scope, Mapping[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {**IMAGES, **REGISTERING, **INVENTORY, **PEOPLE}
_CREDENTIAL = re.compile(r"Credential=(\w+)/\d{8}/([\w-]+)/(\w+)/aws4_request")
_KEY = re.compile(r"A[KS]IA(\d{12})")
_SAVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """A request that reached the simulated AWS."""

    service: str
    operation: str
    account: str
    region: str
    params: Mapping[str, Any]


class SimulatedAws:
    """A server in a thread of this process. `fail` switches faults on, `calls` is its log."""

    def __init__(
        self, state: State | None = None, *, port: int = 0, state_file: Path | None = None
    ) -> None:
        self.state = state or State()
        self.calls: list[Call] = []
        self.throttles = False
        self._faults: list[Fault] = []
        self._buckets = Buckets()
        self._file = state_file
        self._saved = -1
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        if self._file:
            threading.Thread(target=self._keep_saved, daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._save()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Begin again: nothing exists, nothing fails, nobody called."""
        self.state.clear()
        self.heal()
        self.calls.clear()
        self.throttles = False

    def fail(self, operation: str, fault: str, **options: Any) -> None:
        """Let `operation` meet `fault` the next time, or as `times`, `account`, `region` say."""
        self._faults.append(Fault(operation, fault, **options))

    def heal(self) -> None:
        """Switch all faults off."""
        self._faults.clear()

    def operations_called(self) -> list[str]:
        return [call.operation for call in self.calls]

    def answer(self, headers: Mapping[str, str], body: bytes) -> "Answer":
        """Answer one request as AWS would."""
        request_id = str(uuid.uuid4())
        key, region, name = _who(headers)
        model = protocol.service(name)
        try:
            operation, params = protocol.read(model, headers, body)
            account = _account(key)
            self.calls.append(Call(name, operation, account, region, params))
            fault = self._fault(operation, account, region)
            self._meet(fault, operation, Scope(self.state, account, region), params)
            result = self._carry_out(operation, Scope(self.state, account, region), params)
        except Refused as error:
            answer = protocol.write_error(model, error, request_id)
            return Answer(error.status, answer)
        kind = fault.kind if fault else ""
        written = protocol.write(model.operation_model(operation), result, request_id)
        return Answer(200, written, kind == "applied-then-dropped", kind == "half-a-page")

    def _carry_out(self, operation: str, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        if operation not in OPERATIONS:
            raise Refused("InvalidAction", f"{operation} is not simulated.")
        with self.state.lock:
            return OPERATIONS[operation](scope, params)

    def _fault(self, operation: str, account: str, region: str) -> Fault | None:
        for fault in self._faults:
            if fault.meets(operation, account, region):
                fault.use()
                return fault
        return None

    def _meet(
        self, fault: Fault | None, operation: str, scope: Scope, params: Mapping[str, Any]
    ) -> None:
        kind = fault.kind if fault else ""
        if kind == "throttle" or (self.throttles and not self._has_token(operation, scope, params)):
            raise Refused("RequestLimitExceeded", "Request limit exceeded.", 503)
        if kind == "server-error":
            raise Refused("InternalError", "An internal error has occurred", 500)
        if kind == "access-denied":
            code = "AccessDenied" if operation == "AssumeRole" else "UnauthorizedOperation"
            raise Refused(code, "You are not authorized to perform this operation.", 403)
        if fault and kind == "slow":
            time.sleep(fault.seconds)

    def _has_token(self, operation: str, scope: Scope, params: Mapping[str, Any]) -> bool:
        is_bounded = bool({"MaxResults", "Filters"} & params.keys())
        capacity, refill = size(operation, is_bounded=is_bounded)
        return self._buckets.take((scope.account, scope.region, operation), capacity, refill)

    def _keep_saved(self) -> None:
        while not self._stopping.wait(_SAVE_SECONDS):
            self._save()

    def _save(self) -> None:
        if self._file and self.state.version != self._saved:
            self._saved = self.state.version
            self.state.save(self._file)

    def control(self, path: str, body: bytes) -> "Answer":
        """Answer what another process asks of the sandbox itself."""
        if path == "/_sandbox/faults":
            wanted = json.loads(body)
            if wanted:
                self.fail(**wanted)
            else:
                self.heal()
        elif path == "/_sandbox/calls":
            return Answer(
                200, json.dumps([asdict(call) for call in self.calls], default=str).encode()
            )
        return Answer(200, b"{}")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    is_dropped: bool = False
    is_cut: bool = False


def _who(headers: Mapping[str, str]) -> tuple[str, str, str]:
    match = _CREDENTIAL.search(headers.get("Authorization", ""))
    if match is None:
        return "", "us-east-1", "ec2"
    return match[1], match[2], match[3]


def _account(key: str) -> str:
    match = _KEY.match(key)
    if match is None:
        message = "AWS was not able to validate the provided access credentials"
        raise Refused("AuthFailure", message, 401)
    return match[1]


def _handler(aws: SimulatedAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith("/_sandbox/"):
                self._send(aws.control(self.path, body))
            else:
                self._send(aws.answer(dict(self.headers.items()), body))

        def do_GET(self) -> None:
            self._send(aws.control(self.path, b""))

        def _send(self, answer: Answer) -> None:
            if answer.is_dropped:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.is_cut:
                self.close_connection = True
                self.wfile.write(answer.body[: len(answer.body) // 2])
                return
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            return

    return Handler
