"""Who uses an image: what DescribeImageReferences tells, and how such uses come to be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.reading import dry, page
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing

Params = Mapping[str, Any]
_STATES = frozenset({"pending", "running", "shutting-down", "terminated", "stopping", "stopped"})
# AWS documents all states as its default. Here a terminated instance counts only for who asks for
# it by name: it will never run again, and it is gone within the hour.
_COUNTED = _STATES - {"terminated"}
_DEPTH, _DEEPEST = 10, 10_000


def use_in_template(scope: Scope, image_id: str, name: str) -> Thing:
    """Let the newest version of a launch template name the image; return the template."""
    known = (one for one in scope.mine("launch_templates") if one["LaunchTemplateName"] == name)
    template = next(known, None) or _new_template(scope, name)
    versions = template["_versions"]
    versions.append({"VersionNumber": len(versions) + 1, "ImageId": image_id})
    scope.state.version += 1
    return template


def _new_template(scope: Scope, name: str) -> Thing:
    template_id = scope.state.new_id("lt")
    template = {"LaunchTemplateId": template_id, "LaunchTemplateName": name, "_versions": []}
    return scope.put("launch_templates", template_id, template)


def use_in_parameter(scope: Scope, image_id: str, name: str) -> Thing:
    """Let a parameter of Systems Manager hold the image's id; return the parameter."""
    arn = f"arn:aws:ssm:{scope.region}:{scope.account}:parameter/{name.removeprefix('/')}"
    return scope.put("parameters", arn, {"Name": name, "Value": image_id, "ARN": arn})


def references(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell which own instances, launch templates and parameters refer to the images."""
    asked = {wanted.get("ResourceType", ""): wanted for wanted in params.get("ResourceTypes", [])}
    is_all = params.get("IncludeAllResourceTypes")
    if not asked and not is_all:
        message = "Either IncludeAllResourceTypes or ResourceTypes must be specified."
        raise Refused("MissingParameter", message)
    states = _states(asked.get("ec2:Instance", {}))
    depth = _depth(asked.get("ec2:LaunchTemplate", {}))
    dry(params)
    uses = [*_by_instances(scope, states), *_by_templates(scope, depth), *_by_parameters(scope)]
    found = [
        {"ImageId": image_id, "ResourceType": kind, "Arn": arn}
        for image_id, kind, arn in uses
        if image_id in params["ImageIds"] and (is_all or kind in asked)
    ]
    return page(found, params, "ImageReferences")


def _by_instances(scope: Scope, states: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    for instance in scope.mine("instances"):
        if instance["State"]["Name"] in states:
            arn = f"arn:aws:ec2:{scope.region}:{scope.account}:instance/{instance['InstanceId']}"
            yield instance["ImageId"], "ec2:Instance", arn


def _by_templates(scope: Scope, depth: int) -> Iterator[tuple[str, str, str]]:
    """Tell each image of the newest versions once; nothing needs to launch the template."""
    for template in scope.mine("launch_templates"):
        template_id = template["LaunchTemplateId"]
        arn = f"arn:aws:ec2:{scope.region}:{scope.account}:launch-template/{template_id}"
        newest = [version["ImageId"] for version in template["_versions"][-depth:]]
        for image_id in dict.fromkeys(newest):
            yield image_id, "ec2:LaunchTemplate", arn


def _by_parameters(scope: Scope) -> Iterator[tuple[str, str, str]]:
    for parameter in scope.mine("parameters"):
        yield parameter["Value"], "ssm:Parameter", parameter["ARN"]


def _states(wanted: Thing) -> frozenset[str]:
    found = frozenset(_option(wanted, "state-name"))
    if found - _STATES:
        raise _wrong("state-name", found - _STATES)
    return found or _COUNTED


def _depth(wanted: Thing) -> int:
    values = _option(wanted, "version-depth")
    if not values:
        return _DEPTH
    if len(values) > 1 or not values[0].isdecimal() or not 1 <= int(values[0]) <= _DEEPEST:
        raise _wrong("version-depth", values)
    return int(values[0])


def _option(wanted: Thing, name: str) -> Sequence[str]:
    """Return the values of an option; none where it was not given."""
    options: Sequence[Thing] = wanted.get("ResourceTypeOptions", [])
    return [
        value
        for option in options
        if option.get("OptionName") == name
        for value in option.get("OptionValues", [])
    ]


def _wrong(name: str, values: object) -> Refused:
    # The code is unconfirmed: AWS documents the values only.
    return Refused("InvalidParameterValue", f"The option {name} cannot be {values}.")


OPERATIONS = {"DescribeImageReferences": references}
