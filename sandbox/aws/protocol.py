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
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.aws.errors import Refused

# What XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@cache
def service(name: str) -> ServiceModel:
    loader = botocore.loaders.Loader()
    return ServiceModel(loader.load_service_model(name, "service-2"), name)


def read(model: ServiceModel, headers: Mapping[str, str], body: bytes) -> tuple[str, Any]:
    """Return the operation that a request names and its parameters; Refused if it makes none."""
    if model.metadata["protocol"] == "json":
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        return operation, json.loads(body or b"{}")
    pairs = dict(parse_qsl(body.decode(), keep_blank_values=True))
    operation, _ = pairs.pop("Action", ""), pairs.pop("Version", "")
    if operation not in model.operation_names:
        raise Refused("InvalidAction", f"The action {operation} is not valid for this web service.")
    shape = model.operation_model(operation).input_shape
    if shape is None:
        return operation, {}
    return operation, _structure(_tree(pairs), shape, is_ec2=_is_ec2(model), path="")


def _is_ec2(model: ServiceModel) -> bool:
    return str(model.metadata["protocol"]) == "ec2"


def _tree(pairs: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs.items():
        *way, last = key.split(".")
        node = tree
        for word in way:
            node = node.setdefault(word, {})
        node[last] = value
    return tree


def _structure(tree: Any, shape: Shape, *, is_ec2: bool, path: str) -> dict[str, Any]:
    if not isinstance(tree, dict) or not isinstance(shape, StructureShape):
        raise Refused("InvalidParameterValue", f"The parameter {path} has parts of its own.")
    members = {_wire_name(m, name, is_ec2=is_ec2): name for name, m in shape.members.items()}
    found = {}
    for word, node in tree.items():
        where = f"{path}.{word}".lstrip(".")
        if word not in members:
            raise Refused("UnknownParameter", f"The parameter {where} is not recognized")
        name = members[word]
        found[name] = _value(node, shape.members[name], is_ec2=is_ec2, path=where)
    for name in shape.required_members:
        if name not in found:
            where = f"{path}.{name}".lstrip(".")
            raise Refused("MissingParameter", f"The request must contain the parameter {where}")
    return found


def _wire_name(member: Shape, name: str, *, is_ec2: bool) -> str:
    if not is_ec2:
        return str(member.serialization.get("name", name))
    if "queryName" in member.serialization:
        return str(member.serialization["queryName"])
    given = str(member.serialization.get("name", name))
    return given[0].upper() + given[1:]


def _value(node: Any, shape: Shape, *, is_ec2: bool, path: str) -> Any:
    if shape.type_name == "structure":
        return _structure(node, shape, is_ec2=is_ec2, path=path)
    if isinstance(shape, ListShape):
        items = node if is_ec2 or not isinstance(node, dict) else node.get("member", {})
        if not isinstance(items, dict):
            raise Refused("InvalidParameterValue", f"The parameter {path} is a list.")
        ordered = sorted(items.items(), key=lambda pair: int(pair[0]))
        return [_value(item, shape.member, is_ec2=is_ec2, path=path) for _, item in ordered]
    if not isinstance(node, str):
        raise Refused("InvalidParameterValue", f"The parameter {path} is a plain value.")
    return _scalar(node, shape, path)


def _scalar(text: str, shape: Shape, path: str) -> Any:
    try:
        if shape.type_name in {"integer", "long"}:
            return int(text)
        if shape.type_name in {"double", "float"}:
            return float(text)
    except ValueError:
        raise Refused("InvalidParameterValue", f"Value ({text}) for {path} is invalid.") from None
    if shape.type_name == "boolean":
        return text.lower() == "true"
    if shape.type_name == "blob":
        return base64.b64decode(text)
    allowed = getattr(shape, "enum", None)
    if allowed and text not in allowed:
        raise Refused("InvalidParameterValue", f"Value ({text}) for {path} is invalid.")
    return text


def write(operation: OperationModel, answer: Mapping[str, Any], request_id: str) -> bytes:
    """Return the answer as AWS writes it; what the model does not know is left out."""
    protocol = operation.service_model.metadata["protocol"]
    if protocol == "json":
        return json.dumps(answer, default=_epoch).encode()
    shape = operation.output_shape
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


def write_error(model: ServiceModel, error: Refused, request_id: str) -> bytes:
    if model.metadata["protocol"] == "json":
        return json.dumps({"__type": error.code, "message": error.message}).encode()
    text = f"<Code>{error.code}</Code><Message>{_text(error.message)}</Message>"
    if _is_ec2(model):
        text = f"<Response><Errors><Error>{text}</Error></Errors>"
        return f"{text}<RequestID>{request_id}</RequestID></Response>".encode()
    text = f"<ErrorResponse><Error><Type>Sender</Type>{text}</Error>"
    return f"{text}<RequestId>{request_id}</RequestId></ErrorResponse>".encode()


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
    return escape(_NOT_XML.sub("\ufffd", text))


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no place in an answer.")
