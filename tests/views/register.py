"""The form that asks for an image, as a browser sends it."""

import re
import uuid
from html import unescape
from typing import Any

from tests.registration.simulated import RHEL, SNAPSHOT_ID
from tests.registration.sources import HERE, IMAGE_ID, INSTANCE_ID, LOCATION, THERE

SOURCES: dict[str, dict[str, Any]] = {
    "snapshot": {"snapshot_id": SNAPSHOT_ID},
    "instance": {"source_instance_id": INSTANCE_ID},
    "copy": {"source_image_id": IMAGE_ID, "region": THERE, "destinations": [HERE]},
    "manifest": {"image_location": LOCATION},
}
_TAG = re.compile(r"<(input|textarea|select|option)\b([^>]*)>([^<]*)")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


def form(account: Any, method: str = "snapshot", **fields: Any) -> dict[str, Any]:
    sent = {
        "key": str(uuid.uuid4()),
        "account": account.number,
        "region": HERE,
        "method": method,
        "expected_usage_operation": RHEL,
        "name": "golden-1",
        "reason": "There is no instance any more.",
    }
    return sent | SOURCES[method] | fields


def sent_back(answer: Any) -> dict[str, list[str]]:
    """Return what a browser would send if its person pressed a button of the page at once."""
    found: dict[str, list[str]] = {}
    selecting = ""
    for tag, text, content in _TAG.findall(answer.content.decode()):
        attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(text)}
        name, kind = attributes.get("name", ""), attributes.get("type", "text")
        if tag == "select":
            selecting = name
        elif tag == "option" and "selected" in attributes:
            found.setdefault(selecting, []).append(attributes.get("value", ""))
        elif tag == "textarea":
            found.setdefault(name, []).append(unescape(content).removeprefix("\n"))
        elif tag == "input" and name and _is_sent(kind, attributes):
            nothing = "on" if kind == "checkbox" else ""
            found.setdefault(name, []).append(attributes.get("value", nothing))
    found.pop("csrfmiddlewaretoken", None)
    return found


def _is_sent(kind: str, attributes: dict[str, str]) -> bool:
    return kind not in {"checkbox", "radio"} or "checked" in attributes


def page_of(answer: Any) -> str:
    return unescape(answer.content.decode())
