"""Requests and answers on the wire, by botocore's own service models."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.loaders
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.aws.errors import Refused

# What XML cannot hold. A bare carriage return it can, but a parser reads a line feed.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AS_ENTITY = {"\r": "&#13;"}
# An unknown parameter, a wrong one, a missing one: each protocol has its own names for them.
_CODES = {
    "ec2": ("UnknownParameter", "InvalidParameterValue", "MissingParameter"),
    "query": ("ValidationError", "ValidationError", "ValidationError"),
    "json": ("InvalidInputException", "InvalidInputException", "InvalidInputException"),
}


@cache
def service(name: str) -> ServiceModel:
    """Return botocore's model of a service; Refused if there is none of the name."""
    try:
        found = botocore.loaders.Loader().load_service_model(name, "service-2")
    except UnknownServiceError:
        raise Refused("InvalidAction", f"There is no service {name}.") from None
    model = ServiceModel(found, name)
    if protocol_of(model) not in _CODES:
        raise Refused("InvalidAction", f"{name} is not simulated.")
    return model


def protocol_of(model: ServiceModel) -> str:
    return str(model.metadata["protocol"])


def read(
    model: ServiceModel, headers: Mapping[str, str], body: bytes
) -> tuple[str, dict[str, Any]]:
    """Return the operation that a request names and its parameters; Refused if it makes none."""
    protocol = protocol_of(model)
    operation, given = _read_json(headers, body) if protocol == "json" else _read_query(body)
    if operation not in model.operation_names:
        raise Refused("InvalidAction", f"The action {operation} is not valid for this web service.")
    shape = model.operation_model(operation).input_shape or StructureShape("Nothing", {}, None)
    return operation, _Reader(protocol).structure(given, shape, "")


def _read_json(headers: Mapping[str, str], body: bytes) -> tuple[str, Any]:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        return operation, json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused("SerializationException", "The request is no JSON.") from None


def _read_query(body: bytes) -> tuple[str, Any]:
    try:
        pairs = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise Refused("MalformedQueryString", "The query contains a syntax error.") from None
    operation, _ = pairs.pop("Action", ""), pairs.pop("Version", "")
    return operation, _tree(pairs)


def _tree(pairs: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs.items():
        *way, last = key.split(".")
        node = tree
        for word in way:
            node = node.setdefault(word, {})
            if not isinstance(node, dict):
                raise Refused("MalformedQueryString", f"{key}: {word} is a plain value.")
        node[last] = value
    return tree


class _Reader:
    """Reads what a client sent into the shape that the model gives it."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._unknown, self._invalid, self._missing = _CODES[protocol]

    def structure(self, node: Any, shape: StructureShape, path: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise Refused(self._invalid, f"The parameter {path} has parts of its own.")
        members = {self._wire_name(name, part): name for name, part in shape.members.items()}
        found = {}
        for word, part in node.items():
            where = f"{path}.{word}".lstrip(".")
            if word not in members:
                raise Refused(self._unknown, f"The parameter {where} is not recognized")
            name = members[word]
            found[name] = self._value(part, shape.members[name], where)
        for name in shape.required_members:
            if name not in found:
                where = f"{path}.{name}".lstrip(".")
                message = f"The request must contain the parameter {where}"
                raise Refused(self._missing, message)
        return found

    def _wire_name(self, name: str, member: Shape) -> str:
        given = str(member.serialization.get("name", name))
        if self._protocol != "ec2":
            return given
        return str(member.serialization.get("queryName", given[0].upper() + given[1:]))

    def _value(self, node: Any, shape: Shape, path: str) -> Any:
        if isinstance(shape, StructureShape):
            return self.structure(node, shape, path)
        if isinstance(shape, ListShape):
            items = [self._value(item, shape.member, path) for item in self._items(node, path)]
            self._check_range(len(items), shape, path)
            return items
        if self._protocol == "json":
            value = self._typed(node, shape, path)
        elif isinstance(node, str):
            value = self._parsed(node, shape, path)
        else:
            raise Refused(self._invalid, f"The parameter {path} is a plain value.")
        if isinstance(value, str):
            self._check_text(value, shape, path)
        elif not isinstance(value, (bool, bytes)):
            self._check_range(value, shape, path)
        return value

    def _items(self, node: Any, path: str) -> list[Any]:
        if isinstance(node, list):
            return node
        if self._protocol == "query" and isinstance(node, dict):
            node = node.get("member")
        if not isinstance(node, dict) or not all(key.isdecimal() for key in node):
            raise Refused(self._invalid, f"The parameter {path} is a list.")
        return [node[key] for key in sorted(node, key=int)]

    def _typed(self, node: Any, shape: Shape, path: str) -> Any:
        wanted = {"integer": int, "long": int, "boolean": bool, "string": str}
        if type(node) is not wanted.get(shape.type_name):
            raise Refused("SerializationException", f"{path} is no {shape.type_name}.")
        return node

    def _parsed(self, text: str, shape: Shape, path: str) -> Any:
        try:
            if shape.type_name in {"integer", "long"}:
                return int(text)
            if shape.type_name in {"double", "float"}:
                return float(text)
            if shape.type_name == "boolean":
                return {"true": True, "false": False}[text.lower()]
            if shape.type_name == "blob":
                return base64.b64decode(text, validate=True)
        except (ValueError, KeyError):
            raise self._wrong(text, path) from None
        return text

    def _check_text(self, text: str, shape: Shape, path: str) -> None:
        allowed = getattr(shape, "enum", None)
        if allowed and text not in allowed:
            raise self._wrong(text, path)
        if self._protocol == "ec2":
            return  # its operations check the length of texts, with codes of their own
        self._check_range(len(text), shape, path)
        pattern = str(shape.metadata.get("pattern", ""))
        # Java's notation of characters is not Python's.
        if "\\u" not in pattern and pattern and not re.fullmatch(pattern, text, re.ASCII):
            raise self._wrong(text, path)

    def _check_range(self, number: float, shape: Shape, path: str) -> None:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if (least is not None and number < least) or (most is not None and number > most):
            raise Refused(
                self._invalid, f"{path} has {number}; at least {least}, at most {most} is allowed."
            )

    def _wrong(self, text: str, path: str) -> Refused:
        return Refused(self._invalid, f"Value ({text}) for parameter {path} is invalid.")


def write(operation: OperationModel, answer: Mapping[str, Any], request_id: str) -> bytes:
    """Return the answer as AWS writes it; what the model does not know is left out."""
    protocol = protocol_of(operation.service_model)
    shape = operation.output_shape
    if protocol == "json":
        return json.dumps(_json(answer, shape) if shape else {}).encode()
    inner = "".join(_members(answer, shape)) if isinstance(shape, StructureShape) else ""
    name = operation.name
    if protocol == "ec2":
        text = f"<requestId>{request_id}</requestId>{inner}"
    else:
        text = (
            f"<{name}Result>{inner}</{name}Result>"
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}Response>{text}</{name}Response>'.encode()


def write_error(protocol: str, error: Refused, request_id: str) -> bytes:
    if protocol == "json":
        return json.dumps({"__type": error.code, "message": error.message}).encode()
    text = f"<Code>{_text(error.code)}</Code><Message>{_text(error.message)}</Message>"
    if protocol == "ec2":
        text = f"<Response><Errors><Error>{text}</Error></Errors>"
        return f"{text}<RequestID>{request_id}</RequestID></Response>".encode()
    text = f"<ErrorResponse><Error><Type>Sender</Type>{text}</Error>"
    return f"{text}<RequestId>{request_id}</RequestId></ErrorResponse>".encode()


def _json(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        known = {name: part for name, part in shape.members.items() if value.get(name) is not None}
        return {name: _json(value[name], part) for name, part in known.items()}
    if isinstance(shape, ListShape):
        return [_json(item, shape.member) for item in value]
    if shape.type_name == "timestamp":
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return at.timestamp()
    return value


def _members(values: Mapping[str, Any], shape: StructureShape) -> Iterator[str]:
    for name, member in shape.members.items():
        value = values.get(name)
        if value is None:
            continue
        tag = member.serialization.get("name", name)
        yield f"<{tag}>{_inner(value, member)}</{tag}>"


def _inner(value: Any, shape: Shape) -> str:
    if isinstance(shape, StructureShape):
        return "".join(_members(value, shape))
    if isinstance(shape, ListShape):
        tag = shape.member.serialization.get("name", "member")
        return "".join(f"<{tag}>{_inner(item, shape.member)}</{tag}>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return _text(str(value))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), _AS_ENTITY)
