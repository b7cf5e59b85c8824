import pytest
from botocore.exceptions import ClientError

from sandbox.aws.scope import Scope
from sandbox.aws.using import use_in_parameter, use_in_template
from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    REGION,
    client,
    code_of,
    put_image,
    put_instance,
)

EC2_ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
SSM_ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}"


def here(aws):
    return Scope(aws.state, ACCOUNT, REGION)


def references(aws, *image_ids, **asked):
    asked = asked or {"IncludeAllResourceTypes": True}
    return client(aws).describe_image_references(ImageIds=list(image_ids), **asked)


def kinds(aws, image_id, **asked):
    found = references(aws, image_id, **asked)["ImageReferences"]
    return [reference["ResourceType"] for reference in found]


def option(kind, name, *values):
    options = [{"OptionName": name, "OptionValues": list(values)}]
    return [{"ResourceType": kind, "ResourceTypeOptions": options}]


def refusal(aws, **asked):
    with pytest.raises(ClientError) as error:
        references(aws, put_image(aws), **asked)
    return code_of(error.value)


# Instances


def test_an_own_instance_refers_to_its_image(aws):
    image_id = put_image(aws)
    instance_id = put_instance(aws, ImageId=image_id)
    put_instance(aws)
    put_instance(aws, ImageId=image_id, place={"account": OTHER_ACCOUNT})
    put_instance(aws, ImageId=image_id, place={"region": "us-east-1"})

    (reference,) = references(aws, image_id)["ImageReferences"]

    assert reference == {
        "ImageId": image_id,
        "ResourceType": "ec2:Instance",
        "Arn": f"{EC2_ARN}:instance/{instance_id}",
    }


@pytest.mark.parametrize(
    ("state", "number"),
    [
        ("pending", 1),
        ("running", 1),
        ("shutting-down", 1),
        ("stopping", 1),
        ("stopped", 1),
        ("terminated", 0),
    ],
)
def test_an_instance_counts_until_it_is_terminated(aws, state, number):
    image_id = put_image(aws)
    put_instance(aws, ImageId=image_id, State={"Code": 0, "Name": state})

    assert len(references(aws, image_id)["ImageReferences"]) == number


def test_only_instances_in_the_states_asked_for_count(aws):
    image_id = put_image(aws)
    put_instance(aws, ImageId=image_id)
    ended = put_instance(aws, ImageId=image_id, State={"Code": 48, "Name": "terminated"})
    asked = option("ec2:Instance", "state-name", "terminated", "stopped")

    (reference,) = references(aws, image_id, ResourceTypes=asked)["ImageReferences"]

    assert reference["Arn"] == f"{EC2_ARN}:instance/{ended}"


# Launch templates


def test_a_launch_template_refers_to_its_image_though_nothing_launches_it(aws):
    image_id = put_image(aws)
    template = use_in_template(here(aws), image_id, "web")

    (reference,) = references(aws, image_id)["ImageReferences"]

    assert template["LaunchTemplateName"] == "web"
    assert template["LaunchTemplateId"].startswith("lt-")
    assert reference == {
        "ImageId": image_id,
        "ResourceType": "ec2:LaunchTemplate",
        "Arn": f"{EC2_ARN}:launch-template/{template['LaunchTemplateId']}",
    }


def test_a_template_that_names_an_image_twice_is_told_once(aws):
    image_id = put_image(aws)
    first = use_in_template(here(aws), image_id, "web")
    again = use_in_template(here(aws), image_id, "web")

    assert first["LaunchTemplateId"] == again["LaunchTemplateId"]
    assert kinds(aws, image_id) == ["ec2:LaunchTemplate"]


@pytest.mark.parametrize(
    ("newer", "depth", "is_told"),
    [
        pytest.param(9, None, True, id="the tenth newest version"),
        pytest.param(10, None, False, id="the eleventh"),
        pytest.param(10, "11", True, id="the eleventh, of eleven"),
        pytest.param(1, "1", False, id="the second, of one"),
    ],
)
def test_only_the_newest_versions_of_a_template_count(aws, newer, depth, is_told):
    old, new = put_image(aws), put_image(aws)
    use_in_template(here(aws), old, "web")
    for _ in range(newer):
        use_in_template(here(aws), new, "web")
    asked = option("ec2:LaunchTemplate", "version-depth", depth) if depth else []

    found = kinds(aws, old, IncludeAllResourceTypes=True, ResourceTypes=asked)

    assert found == ["ec2:LaunchTemplate"] * is_told


def test_a_template_belongs_to_one_account_and_region(aws):
    image_id = put_image(aws)
    theirs = use_in_template(Scope(aws.state, OTHER_ACCOUNT, REGION), image_id, "web")
    there = use_in_template(Scope(aws.state, ACCOUNT, "us-east-1"), image_id, "web")

    assert theirs["LaunchTemplateId"] != there["LaunchTemplateId"]
    assert kinds(aws, image_id) == []


# Parameters


@pytest.mark.parametrize(
    ("name", "path"), [("/golden/web", "golden/web"), ("golden", "golden")], ids=["path", "word"]
)
def test_a_parameter_refers_to_the_image_that_it_holds(aws, name, path):
    image_id = put_image(aws)
    parameter = use_in_parameter(here(aws), image_id, name)

    (reference,) = references(aws, image_id)["ImageReferences"]

    assert (parameter["Name"], parameter["Value"]) == (name, image_id)
    assert reference == {
        "ImageId": image_id,
        "ResourceType": "ssm:Parameter",
        "Arn": f"{SSM_ARN}:parameter/{path}",
    }


def test_a_parameter_holds_one_image(aws):
    old, new = put_image(aws), put_image(aws)
    use_in_parameter(here(aws), old, "/golden")
    use_in_parameter(here(aws), new, "/golden")

    assert (kinds(aws, old), kinds(aws, new)) == ([], ["ssm:Parameter"])


def test_accounts_and_regions_have_parameters_of_the_same_name(aws):
    image_id = put_image(aws)
    for scope in (here(aws), Scope(aws.state, OTHER_ACCOUNT, REGION)):
        use_in_parameter(scope, image_id, "/golden")

    assert kinds(aws, image_id) == ["ssm:Parameter"]


# The question


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(
            {"IncludeAllResourceTypes": True},
            ["ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter"],
            id="all",
        ),
        pytest.param({"ResourceTypes": [{"ResourceType": "ssm:Parameter"}]}, ["ssm:Parameter"]),
        pytest.param({"ResourceTypes": [{"ResourceType": "imagebuilder:ImageRecipe"}]}, []),
        pytest.param(
            {
                "IncludeAllResourceTypes": True,
                "ResourceTypes": option("ec2:Instance", "state-name", "stopped"),
            },
            ["ec2:LaunchTemplate", "ssm:Parameter"],
            id="all, of instances those that are stopped",
        ),
    ],
)
def test_references_are_of_the_kinds_asked_for(aws, asked, expected):
    image_id = put_image(aws)
    put_instance(aws, ImageId=image_id)
    use_in_template(here(aws), image_id, "web")
    use_in_parameter(here(aws), image_id, "/golden")

    assert kinds(aws, image_id, **asked) == expected


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param({"IncludeAllResourceTypes": False}, "MissingParameter", id="no kind"),
        pytest.param(
            {"ResourceTypes": option("ec2:Instance", "state-name", "asleep")},
            "InvalidParameterValue",
            id="no such state",
        ),
        pytest.param(
            {"ResourceTypes": option("ec2:LaunchTemplate", "version-depth", "0")},
            "InvalidParameterValue",
            id="no version",
        ),
        pytest.param(
            {"ResourceTypes": option("ec2:LaunchTemplate", "version-depth", "10001")},
            "InvalidParameterValue",
            id="too many versions",
        ),
        pytest.param(
            {"ResourceTypes": option("ec2:LaunchTemplate", "version-depth", "all")},
            "InvalidParameterValue",
            id="no number",
        ),
    ],
)
def test_a_question_is_refused(aws, asked, code):
    assert refusal(aws, **asked) == code


def test_references_come_in_pages(aws):
    image_id = put_image(aws)
    for _ in range(6):
        put_instance(aws, ImageId=image_id)
    every = {"IncludeAllResourceTypes": True, "MaxResults": 5}

    first = references(aws, image_id, **every)
    second = references(aws, image_id, NextToken=first["NextToken"], **every)

    assert (len(first["ImageReferences"]), len(second["ImageReferences"])) == (5, 1)
    assert "NextToken" not in second
