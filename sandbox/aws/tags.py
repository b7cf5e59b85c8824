"""Tags: in requests that make things, and on things that exist."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.ids import KIND_OF_PREFIX, missing
from sandbox.aws.reading import dry, tags_of
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

Params = Mapping[str, Any]
_MOST_TAGS, _MOST_RESOURCES = 50, 1000
_LONGEST_KEY, _LONGEST_VALUE = 127, 256


def specified(params: Params, resource: str, *, allowed: Sequence[str] = ("image",)) -> list[Thing]:
    """Return the tags that a request gives to `resource`; other resources than allowed fail it."""
    tags: list[Thing] = []
    for specification in params.get("TagSpecifications", []):
        kind = specification.get("ResourceType")
        if kind not in allowed:
            message = f"'{kind}' is not a valid taggable resource type for this operation."
            raise Refused("InvalidParameterValue", message)
        found = _checked(specification.get("Tags", []))
        tags += _listed(found) if kind == resource else []
    return tags


def merged(thing: Thing, new: Mapping[str, str]) -> list[Thing]:
    """Return the tags of a thing with the new ones, each key once."""
    tags = {**tags_of(thing), **new}
    if len(tags) > _MOST_TAGS:
        raise Refused("TagLimitExceeded", f"More than {_MOST_TAGS} tags specified")
    return _listed(tags)


def _checked(tags: Sequence[Thing]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not key or len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            message = f"Tag keys have 1 to {_LONGEST_KEY} characters, values up to {_LONGEST_VALUE}"
            raise Refused("InvalidParameterValue", message)
        if key.lower().startswith("aws:"):
            message = "Tag keys starting with 'aws:' are reserved for internal use"
            raise Refused("InvalidParameterValue", message)
        if key in found:
            raise Refused("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        found[key] = value
    if len(found) > _MOST_TAGS:
        raise Refused("TagLimitExceeded", f"More than {_MOST_TAGS} tags specified")
    return found


def _listed(tags: Mapping[str, str]) -> list[Thing]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def create_tags(scope: Scope, params: Params) -> dict[str, Any]:
    """Tag all of the resources, or none where one of them is not there."""
    if len(params["Resources"]) > _MOST_RESOURCES:
        raise Refused("InvalidParameterValue", f"At most {_MOST_RESOURCES} resources at once.")
    new = _checked(params["Tags"])
    things = [_thing(scope, aws_id) for aws_id in params["Resources"]]
    tags = [merged(thing, new) for thing in things]
    dry(params)
    for thing, all_of_it in zip(things, tags, strict=True):
        thing["Tags"] = all_of_it
    scope.state.version += 1
    return {}


def _thing(scope: Scope, aws_id: str) -> Thing:
    for kind in scope.state.things:
        thing = scope.find(kind, aws_id)
        if thing and text(scope.state.now) >= str(thing.get("_visible_at", "")):
            return thing
    kind_of_id = KIND_OF_PREFIX.get(f"{aws_id.partition('-')[0]}-")
    if kind_of_id is None:
        raise Refused("InvalidID", f"The ID '{aws_id}' is not valid")
    raise missing(kind_of_id, aws_id)


OPERATIONS = {"CreateTags": create_tags}
