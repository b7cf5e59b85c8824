"""JSON as it is sent: read so that nothing in it is passed over."""

import json
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser


class NotJson(ValueError):
    """The body is no JSON that has one meaning; the message says where."""


class StrictParser(Parser):
    """Reads UTF-8 alone, and no field that is there twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return json.loads(
                request.body.decode(), object_pairs_hook=_once, parse_constant=_no_number
            )
        except NotJson:
            raise
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise NotJson(f"The body is no JSON: {error.msg} at {place}.") from error
        except UnicodeDecodeError as error:
            raise NotJson("The body is no text in UTF-8.") from error
        except RecursionError as error:
            raise NotJson("The body is nested too deeply.") from error
        except ValueError as error:  # a number of thousands of digits
            raise NotJson("A number in the body is too long.") from error


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("A field is there twice in the same object.")
    return found


def _no_number(word: str) -> Any:
    raise NotJson(f"The body is no JSON: {word} is no number there.")
