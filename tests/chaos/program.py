"""A program that asks the portal through its API, and repeats itself until it is answered."""

import json
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PATIENCE_SECONDS = 180.0
PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Program:
    url: str
    secret: str

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and answer; whatever gets no whole answer is asked again, as it was."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, answer = self._once(path, body)
                if status < 500:
                    return status, answer
            except (OSError, HTTPException, ValueError) as error:
                status, answer = 0, str(error)
            assert time.monotonic() < deadline, f"No answer to {path}: {status} {answer}"
            time.sleep(PAUSE_SECONDS)

    def _once(self, path: str, body: Any) -> tuple[int, Any]:
        request = Request(  # noqa: S310  # ours, http
            f"{self.url}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.secret}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310  # ours, http
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            return error.code, json.loads(error.read())
