import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from registry.billing.clues import Clues
from registry.billing.codes import PLAIN, TABLE
from registry.billing.coverage import apply
from registry.billing.expectation import expect
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.graph import (
    ImageNode,
    InstanceNode,
    Inventory,
    SnapshotNode,
    VolumeNode,
    images_of_snapshots,
    root_volumes,
)
from registry.billing.lineage import trace
from registry.billing.rules import ImageFacts, compare
from sandbox.aws.__main__ import SEED
from sandbox.aws.catalog import HOSTILE, MANAGEMENT, RED_HAT_MARKETPLACE
from sandbox.aws.inventory import REGIONS
from sandbox.aws.reading import tags_of
from sandbox.aws.registering import NAME
from sandbox.aws.server import SimulatedAws
from sandbox.aws.state import State, text
from sandbox.aws.world import populate
from tests.sandbox.aws.things import client

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WAYS = ("surrogate", "import", "restore", "copy")


@dataclass
class Company:
    """What the company's own accounts have, and the verdict on each of its images."""

    state: State

    def __post_init__(self):
        self.images = self._own("images")
        self.snapshots = self._own("snapshots")
        self.volumes = self._own("volumes")
        self.instances = self._own("instances")
        self.purchases = self._own("reserved_instances")
        self.verdicts = verdicts(self)
        self.coverage = coverage(self)

    def _own(self, kind):
        things = self.state.things[kind]
        return {key: one for key, one in things.items() if one["_account"] in self.state.accounts}

    def places(self, things):
        return {(thing["_account"], thing["_region"]) for thing in things}


def populated(seed=SEED):
    state = State(clock=lambda: NOW)
    populate(state, seed=seed, now=NOW)
    return state


@pytest.fixture(scope="module")
def company():
    return Company(populated())


def at(moment):
    return datetime.fromisoformat(moment)


def root_snapshot(image):
    return image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]


def root_volume(instance):
    return instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]


def verdicts(company):
    images = {key: image_node(image) for key, image in company.images.items()}
    instances = {key: instance_node(one) for key, one in company.instances.items()}
    inventory = Inventory(
        images,
        {key: snapshot_node(one) for key, one in company.snapshots.items()},
        {key: volume_node(one) for key, one in company.volumes.items()},
        instances,
        root_volumes(instances),
        images_of_snapshots(images),
    )
    return {key: verdict(image, inventory) for key, image in company.images.items()}


def image_node(image):
    return ImageNode(
        image["ImageId"],
        image["Name"],
        image["OwnerId"],
        image["UsageOperation"],
        root_snapshot(image),
        image.get("SourceInstanceId", ""),
        image.get("SourceImageId", ""),
        at(image["CreationDate"]),
    )


def instance_node(one):
    return InstanceNode(
        one["InstanceId"],
        "",
        one["ImageId"],
        one["UsageOperation"],
        at(one["UsageOperationUpdateTime"]),
        one["RootDeviceName"],
        root_volume(one),
    )


def snapshot_node(one):
    return SnapshotNode(one["SnapshotId"], "", one["Description"], one["VolumeId"])


def volume_node(one):
    hangs = tuple((item["InstanceId"], item["Device"]) for item in one["Attachments"])
    return VolumeNode(one["VolumeId"], one["SnapshotId"], hangs)


def verdict(image, inventory):
    codes = tuple(code["ProductCodeId"] for code in image.get("ProductCodes", []))
    clues = Clues(
        usage_operation=image["UsageOperation"],
        name=image["Name"],
        description=image["Description"],
        tags=tags_of(image),
        owner_id=image["OwnerId"],
        platform=image.get("Platform", ""),
        product_codes=codes,
        links=trace(image["ImageId"], inventory).links,
    )
    facts = ImageFacts(image["UsageOperation"], expect(clues), is_marketplace=bool(codes))
    return compare(facts).verdict


def coverage(company):
    machines = [
        Machine(
            one["InstanceId"],
            one["_account"],
            one["_region"],
            one["InstanceType"],
            one["UsageOperation"],
            one["Placement"]["AvailabilityZone"],
            one["Placement"]["AvailabilityZoneId"],
            one["Placement"]["Tenancy"],
            one["State"]["Name"],
            one.get("InstanceLifecycle", ""),
        )
        for one in company.instances.values()
    ]
    purchases = [
        Purchase(
            key,
            one["_account"],
            one["_region"],
            one["InstanceType"],
            one["InstanceCount"],
            one["ProductDescription"],
            one["InstanceTenancy"],
            one["Scope"],
            one.get("AvailabilityZone", ""),
            one.get("AvailabilityZoneId", ""),
            one["State"],
            at(one["Start"]),
            at(one["End"]),
        )
        for key, one in company.purchases.items()
    ]
    owners = [Owner(number, MANAGEMENT) for number in company.state.accounts]
    return apply(purchases, machines, owners, at=NOW)


def is_lost(image):
    """The truth: registered from a snapshot that has no billing metadata, or none any more."""
    return "SourceInstanceId" not in image and any(f"-{way}-" in image["Name"] for way in WAYS)


# Deterministic


def written(state):
    return json.dumps([state.things, state.accounts])


def test_the_same_seed_and_time_give_the_same_company():
    assert written(populated()) == written(populated())


def test_another_seed_gives_another_company():
    assert written(populated()) != written(populated(SEED + 1))


# Its size


def test_it_has_six_accounts_in_four_regions(company):
    assert len(company.state.accounts) == 6
    assert company.places(company.images.values()) == {
        (account, region) for account in company.state.accounts for region in REGIONS
    }
    assert company.places(company.instances.values()) == company.places(company.images.values())


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_it_is_as_large_as_a_company_is(seed):
    company = Company(populated(seed))

    assert 1100 <= len(company.images) <= 1300
    assert 2800 <= len(company.instances) <= 3200
    assert len(company.purchases) == 61


def test_one_purchase_was_modified_and_its_origin_is_retired(company):
    by_id = {bought["ReservedInstancesId"]: bought for bought in company.purchases.values()}
    (made,) = [bought for bought in by_id.values() if "_modified_from" in bought]
    origin = by_id[made["_modified_from"][0]]

    assert (made["State"], made["FixedPrice"]) == ("active", 0)
    assert origin["State"] == "retired"
    assert origin["FixedPrice"] > 0
    assert origin["Start"] < origin["End"] == made["Start"] < made["End"]


# Billing codes


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_every_published_code_is_on_an_image_and_on_a_running_instance(seed):
    company = Company(populated(seed))
    published = {row.usage_operation for row in TABLE}
    running = [one for one in company.instances.values() if one["State"]["Name"] == "running"]

    assert published <= {image["UsageOperation"] for image in company.images.values()}
    assert published <= {one["UsageOperation"] for one in running}


@pytest.mark.parametrize("way", WAYS)
def test_codes_are_lost_in_each_way_in_every_scope(company, way):
    lost = [i for i in company.images.values() if is_lost(i) and f"-{way}-" in i["Name"]]

    assert len(company.places(lost)) == 24


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_what_was_lost_is_found_and_nothing_else_is_blamed(seed):
    company = Company(populated(seed))
    found = {key for key, v in company.verdicts.items() if v in {"lost", "partial"}}

    assert found == {key for key, image in company.images.items() if is_lost(image)}
    assert {"partial", "unexpected", "excused", "unknown"} < set(company.verdicts.values())
    assert "wrong" not in company.verdicts.values()


def test_some_lost_images_have_no_code_at_all(company):
    empty = [image for image in company.images.values() if not image["UsageOperation"]]

    assert empty
    assert all(is_lost(image) and "Platform" not in image for image in empty)


def test_an_image_carries_what_its_root_snapshot_kept(company):
    snapshots = company.snapshots
    told = {
        key: (image["UsageOperation"], snapshots[root_snapshot(image)]["_billing"])
        for key, image in company.images.items()
        if image["UsageOperation"]
    }

    assert {key for key, (code, kept) in told.items() if code != (kept or PLAIN)} == set()


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_lost_images_run_somewhere(seed):
    company = Company(populated(seed))
    lost = {key for key, image in company.images.items() if is_lost(image)}
    running = [one for one in company.instances.values() if one["ImageId"] in lost]

    assert len(running) > 200
    assert {one["UsageOperation"] for one in running} == {PLAIN, "RunInstances:0002"}


def test_red_hat_of_the_marketplace_reads_plain_linux_and_is_right(company):
    images = [image for image in company.images.values() if "ProductCodes" in image]
    ids = {image["ImageId"] for image in images}
    running = [one for one in company.instances.values() if one["ImageId"] in ids]

    assert {image["PlatformDetails"] for image in images} == {"Linux/UNIX"}
    assert {company.verdicts[image["ImageId"]] for image in images} == {"excused"}
    assert len(images) >= 20
    assert running
    assert {one["ProductCodes"][0]["ProductCodeId"] for one in running} == {RED_HAT_MARKETPLACE}


def test_licences_were_changed_on_some_instances(company):
    images = company.state.things["images"]
    changed = [
        one
        for one in company.instances.values()
        if one["UsageOperationUpdateTime"] != one["LaunchTime"]
    ]

    assert changed
    assert {one["UsageOperation"] for one in changed} == {"RunInstances:0g00"}
    assert {images[one["ImageId"]]["UsageOperation"] for one in changed} == {PLAIN}


# Images and instances


def test_some_images_are_disabled_and_some_deprecated_by_now(company):
    images = company.images.values()
    deprecated = [image["DeprecationTime"] for image in images if "DeprecationTime" in image]

    assert Counter(image["State"] for image in images)["disabled"] == 24
    assert Counter(moment < text(NOW) for moment in deprecated) == {True: 24, False: 24}


def test_disabled_images_are_not_run(company):
    disabled = {key for key, image in company.images.items() if image["State"] == "disabled"}

    assert not disabled & {one["ImageId"] for one in company.instances.values()}


def test_some_instances_outlived_their_image(company):
    images = company.state.things["images"]
    orphans = [one for one in company.instances.values() if one["ImageId"] not in images]
    told = [one["_image"] for one in orphans if "_image" in one]

    assert len(told) == 72
    assert {memory["State"] for memory in told} == {"deregistered"}
    assert len({memory["Name"] for memory in told}) > 20
    assert len({one["UsageOperation"] for one in orphans}) > 5


def test_a_launched_volume_descends_from_its_image(company):
    images = company.state.things["images"]
    launched = [one for one in company.instances.values() if one["ImageId"] in images]

    assert len(launched) > 2500
    assert {
        one["InstanceId"]
        for one in launched
        if company.volumes[root_volume(one)]["SnapshotId"] != root_snapshot(images[one["ImageId"]])
    } == set()


def test_a_root_volume_is_where_its_instance_is(company):
    assert {
        key
        for key, one in company.instances.items()
        if company.volumes[root_volume(one)]["AvailabilityZone"]
        != one["Placement"]["AvailabilityZone"]
    } == set()


def test_a_volume_hangs_on_an_instance_that_is_there(company):
    hangs_on = {item["InstanceId"] for v in company.volumes.values() for item in v["Attachments"]}

    assert hangs_on <= company.instances.keys()


def test_a_root_snapshot_is_there(company):
    roots = {root_snapshot(image) for image in company.images.values()}

    assert roots <= company.snapshots.keys()


def test_a_source_is_a_public_image_of_a_vendor_or_long_gone(company):
    sources = {i["SourceImageId"] for i in company.images.values() if "SourceImageId" in i}
    known = [company.state.things["images"].get(source) for source in sources]

    assert known.count(None) == 1
    assert {image["Public"] for image in known if image} == {True}
    assert not sources & company.images.keys()


def test_some_instances_are_spot_dedicated_or_stopped(company):
    running = list(company.instances.values())

    assert Counter(one["State"]["Name"] for one in running)["stopped"] > 100
    assert Counter(one.get("InstanceLifecycle") for one in running)["spot"] > 50
    assert Counter(one["Placement"]["Tenancy"] for one in running)["dedicated"] > 20


# What holds images in place


def templates(company):
    return list(company.state.things["launch_templates"].values())


def parameters(company):
    return list(company.state.things["parameters"].values())


def newest(template):
    return template["_versions"][-1]["ImageId"]


def place_of(thing):
    return thing["_account"], thing["_region"]


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_templates_and_parameters_refer_to_usable_images_of_their_scope(seed):
    company = Company(populated(seed))
    held = [(one, newest(one)) for one in templates(company)]
    held += [(one, one["Value"]) for one in parameters(company)]

    images = [(one, company.images[image_id]) for one, image_id in held]

    assert {image["State"] for _, image in images} == {"available"}
    assert [one for one, image in images if place_of(one) != place_of(image)] == []
    assert company.places(templates(company)) == company.places(company.images.values())
    assert company.places(parameters(company)) == company.places(company.images.values())


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_some_templates_launch_lost_images_and_one_launches_nothing(seed):
    company = Company(populated(seed))
    run = {one["ImageId"] for one in company.instances.values()}

    lost = [one for one in templates(company) if is_lost(company.images[newest(one)])]
    idle = [one for one in templates(company) if one["LaunchTemplateName"] == "project-that-ended"]

    assert len(lost) == 6
    assert len(idle) == 1
    assert newest(idle[0]) not in run


def test_two_images_are_shared_with_another_account_of_the_company(company):
    shared = [image for image in company.images.values() if image.get("_permissions")]
    users = {permission["UserId"] for image in shared for permission in image["_permissions"]}

    assert len(shared) == 2
    assert users < company.state.accounts.keys()
    assert not users & {image["_account"] for image in shared}


def test_one_image_is_protected(company):
    protections = [image.get("DeregistrationProtection") for image in company.images.values()]

    assert Counter(protections)["enabled-with-cooldown"] == 1


def test_one_account_keeps_what_it_deregisters(company):
    kept = [one["Name"] for one in company.state.accounts.values() if one["RecycleBin"]]

    assert kept == ["core-prod"]


# Names


def test_every_name_is_one_that_aws_allows_and_is_used_once(company):
    names = [(i["_account"], i["_region"], i["Name"]) for i in company.images.values()]

    assert [name for _, _, name in names if not NAME.fullmatch(name)] == []
    assert len(set(names)) == len(names)
    assert max(len(name) for _, _, name in names) == 128


def test_a_few_tags_and_descriptions_are_hostile(company):
    words = {word[:256] for word in HOSTILE}
    images = [i for i in company.images.values() if tags_of(i).get("Name") in words]
    machines = [i for i in company.instances.values() if tags_of(i).get("Name") in words]

    assert {image["Description"][:256] for image in images} == words
    assert len(images) == len(machines) == len(HOSTILE)


def test_zones_are_aliases_that_differ_between_accounts(company):
    seen = {
        (
            one["Placement"]["AvailabilityZone"],
            one["Placement"]["AvailabilityZoneId"],
            one["_account"],
        )
        for one in company.instances.values()
    }
    ids_of_a_name = Counter(name for name, _ in {(name, zone_id) for name, zone_id, _ in seen})

    assert set(ids_of_a_name.values()) == {3}
    assert len(seen) == 6 * 4 * 3


# Reserved Instances


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_purchases_for_what_lost_its_code_stay_idle_because_of_it(seed):
    company = Company(populated(seed))
    lost = {key for key, image in company.images.items() if is_lost(image)}
    uses = company.coverage.purchases
    named = {
        key: {i for reason in use.reasons for i in reason.instance_ids}
        for key, use in uses.items()
        if [reason.code for reason in use.reasons] == ["wrong_platform"]
    }
    platforms = Counter(company.purchases[key]["ProductDescription"] for key in named)
    blamed = {company.instances[i]["ImageId"] for ids in named.values() for i in ids}

    assert len(named) >= 16
    assert platforms["Red Hat Enterprise Linux"] >= 4
    assert len(platforms) >= 4
    assert blamed <= lost
    assert all(uses[key].idle == len(ids) and uses[key].used for key, ids in named.items())


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_losing_a_code_leaves_purchases_idle(company, way):
    blamed = {
        company.images[company.instances[i]["ImageId"]]["Name"]
        for use in company.coverage.purchases.values()
        for reason in use.reasons
        if [r.code for r in use.reasons] == ["wrong_platform"]
        for i in reason.instance_ids
    }

    assert any(f"-{way}-" in name for name in blamed)


def test_purchases_are_idle_for_every_other_reason_too(company):
    codes = {r.code for use in company.coverage.purchases.values() for r in use.reasons}

    assert codes >= {
        "not_active",
        "no_instance_of_type",
        "wrong_platform",
        "wrong_az",
        "wrong_tenancy",
        "wrong_size_not_flexible",
        "not_running",
        "over_bought",
    }


def test_most_purchases_are_used(company):
    uses = company.coverage.purchases.values()

    assert sum(use.idle == 0 for use in uses) >= 25


def test_purchases_are_of_every_kind(company):
    bought = list(company.purchases.values())
    states = Counter(one["State"] for one in bought)

    assert (states["retired"], states["queued"]) == (3, 2)
    assert {one["OfferingClass"] for one in bought} == {"standard", "convertible"}
    assert {one["OfferingType"] for one in bought} == {
        "No Upfront",
        "Partial Upfront",
        "All Upfront",
    }
    assert {one["Duration"] for one in bought} == {31_536_000, 94_608_000}
    assert any(one["ProductDescription"].endswith(" (Amazon VPC)") for one in bought)
    assert len({one["ProductDescription"] for one in bought}) >= 6


def test_the_times_of_a_purchase_fit_its_state(company):
    fits = {
        "active": lambda one: one["Start"] < text(NOW) < one["End"],
        "retired": lambda one: one["End"] < text(NOW),
        "queued": lambda one: text(NOW) < one["Start"],
    }

    wrong = [one for one in company.purchases.values() if not fits[one["State"]](one)]

    assert wrong == []


def test_a_price_is_paid_at_once_or_by_the_hour(company):
    paid = {
        one["OfferingType"]: (one["FixedPrice"] > 0, bool(one["RecurringCharges"]))
        for one in company.purchases.values()
        if "_modified_from" not in one
    }

    assert paid == {
        "No Upfront": (False, True),
        "Partial Upfront": (True, True),
        "All Upfront": (True, False),
    }


def test_a_zonal_purchase_is_used_where_the_zone_has_another_name(company):
    bought = [key for key, one in company.purchases.items() if one["InstanceType"] == "m5n.xlarge"]
    names = [
        (
            company.purchases[key]["AvailabilityZone"],
            company.instances[cover.instance_id]["Placement"]["AvailabilityZone"],
            company.purchases[key]["_account"] != company.instances[cover.instance_id]["_account"],
        )
        for key in bought
        for cover in company.coverage.purchases[key].covers
    ]

    assert len(names) == 9
    assert all(mine != theirs and is_elsewhere for mine, theirs, is_elsewhere in names)


# Through boto3


@pytest.fixture(scope="module")
def running_company():
    with SimulatedAws(populated()) as aws:
        yield aws


def test_only_the_management_account_sees_the_organization(running_company):
    names = {
        account["Name"]
        for page in client(running_company, "organizations", account=MANAGEMENT)
        .get_paginator("list_accounts")
        .paginate()
        for account in page["Accounts"]
    }

    assert len(names) == 6


def test_every_account_gives_its_role_to_who_knows_the_external_id(running_company):
    sts = client(running_company, "sts", account=MANAGEMENT)
    given = [
        sts.assume_role(
            RoleArn=f"arn:aws:iam::{number}:role/amiportal",
            RoleSessionName="portal",
            ExternalId=f"northwind-{number[:4]}",
        )["Credentials"]["AccessKeyId"]
        for number in running_company.state.accounts
    ]

    assert given == [f"ASIA{number}" for number in running_company.state.accounts]


@pytest.mark.parametrize(
    ("method", "asked", "key"),
    [
        ("describe_images", {"Owners": ["self"], "IncludeDisabled": True}, "Images"),
        ("describe_snapshots", {"OwnerIds": ["self"]}, "Snapshots"),
        ("describe_volumes", {}, "Volumes"),
        ("describe_instances", {}, "Reservations"),
        ("describe_instance_image_metadata", {}, "InstanceImageMetadata"),
    ],
)
def test_a_whole_scope_can_be_read_page_by_page(running_company, method, asked, key):
    ec2 = client(running_company, account=MANAGEMENT, region="us-east-1")
    pages = ec2.get_paginator(method).paginate(PaginationConfig={"PageSize": 50}, **asked)

    found = [item for page in pages for item in page[key]]

    whole = list(getattr(ec2, method)(**asked)[key])
    assert found == whole
    assert len(found) > 40


@pytest.mark.parametrize(
    ("name", "usage_operation"),
    [("golden-rhel9-root", "RunInstances:0010"), ("golden-rhel9-surrogate", "RunInstances")],
)
def test_of_the_two_golden_snapshots_one_kept_its_code(running_company, name, usage_operation):
    ec2 = client(running_company, account="903318846125", region="us-east-1")
    wanted = [{"Name": "tag:Name", "Values": [name]}]
    (snapshot,) = ec2.describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"]
    ebs = {"SnapshotId": snapshot["SnapshotId"]}
    device = {"DeviceName": "/dev/xvda", "Ebs": ebs}

    image_id = ec2.register_image(
        Name=f"from {name}", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device]
    )["ImageId"]

    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    assert image["UsageOperation"] == usage_operation


def test_an_ancestry_leads_to_the_vendor(running_company):
    ec2 = client(running_company, account=MANAGEMENT, region="us-east-1")
    wanted = [{"Name": "name", "Values": ["win2022-core-*"]}]
    image = ec2.describe_images(Owners=["self"], Filters=wanted)["Images"][0]

    entries = ec2.get_image_ancestry(ImageId=image["ImageId"])["ImageAncestryEntries"]

    assert [entry.get("ImageOwnerAlias") for entry in entries] == [None, "amazon"]
