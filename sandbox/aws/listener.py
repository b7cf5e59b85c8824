"""The HTTP side of the simulated AWS: one thread for each connection."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

CONTROL = "/_sandbox/"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str
    request_id: str = ""
    is_dropped: bool = False
    is_cut: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Answering(Protocol):
    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request to AWS; the names of headers are in lower case."""

    def fetch(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer a request to AWS that has no body: one for files."""

    def respond(self, path: str, body: bytes) -> Answer:
        """Answer a request to the sandbox itself."""


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many clients call at once: none of them shall knock twice

    def __init__(self, port: int, aws: Answering) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.aws = aws

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that did not wait for its answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            self.send_error(411)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True  # half a request must not be carried out
        elif self.path.startswith(CONTROL):
            self._send(self.server.aws.respond(self.path, body))
        else:
            self._send(self.server.aws.answer(self._headers(), body))

    def do_GET(self) -> None:
        if self.path.startswith(CONTROL):
            self._send(self.server.aws.respond(self.path, b""))
        else:
            self._send(self.server.aws.fetch(self.path, self._headers()))

    def _headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _send(self, answer: Answer) -> None:
        if answer.is_dropped:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.request_id:
            self.send_header("x-amzn-RequestId", answer.request_id)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.is_cut:
            self.close_connection = True
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.is_cut else answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        return
