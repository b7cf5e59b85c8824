from datetime import timedelta

import pytest

from registry.audit import defaults, prospect
from registry.billing.prediction import predict
from registry.billing.prospect import LiveInstance, Sibling
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_image,
    make_instance,
    make_snapshot,
    make_volume,
)

pytestmark = pytest.mark.django_db
HERE, THERE = "eu-west-1", "us-east-1"
PLAIN, RHEL, WINDOWS = "RunInstances", "RunInstances:0010", "RunInstances:0002"
MARKETPLACE = [{"id": "abc", "type": "marketplace"}]


@pytest.fixture
def account():
    return make_account()


def make_machine(account, **fields):
    """An instance with a root volume."""
    volume = make_volume(account=account).aws_id
    root = {"root_device_name": "/dev/sda1", "volumes": {"/dev/sda1": volume}}
    return make_instance(account=account, **root | fields)


def root_volume(machine):
    return machine.volumes[machine.root_device_name]


def of_snapshot(account, snapshot, expected=RHEL):
    return prospect(
        account, HERE, method="snapshot", expected=expected, snapshot_id=snapshot.aws_id
    )


def of_instance(account, machine, expected=RHEL):
    return prospect(account, HERE, method="instance", expected=expected, instance_id=machine.aws_id)


def of_copy(account, image, expected=RHEL, source_region=HERE):
    return prospect(
        account,
        HERE,
        method="copy",
        expected=expected,
        image_id=image.aws_id,
        source_region=source_region,
    )


def test_a_snapshot_is_traced_to_the_machine_it_was_taken_of(account):
    base = make_image(account=account, usage_operation=RHEL)
    machine = make_machine(account, usage_operation=RHEL, image_id=base.aws_id, name="web")
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine), is_encrypted=True)

    found = of_snapshot(account, snapshot)

    assert (found.method, found.expected, found.source_id) == ("snapshot", RHEL, snapshot.aws_id)
    assert [(link.aws_id, link.usage_operation) for link in found.links] == [
        (machine.aws_id, RHEL),
        (base.aws_id, RHEL),
    ]
    assert found.instances == (LiveInstance(machine.aws_id, "web", RHEL),)
    assert found.is_encrypted is True
    assert found.writer == "unknown"
    assert not found.is_foreign
    assert found.siblings == found.product_codes == ()


def test_a_conversion_after_the_snapshot_is_told(account):
    machine = make_machine(account, usage_operation=RHEL, usage_operation_updated_at=LATER)
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine), started_at=NOON)

    (link,) = of_snapshot(account, snapshot).links

    assert link.has_changed


@pytest.mark.parametrize(
    ("description", "tags", "writer"),
    [
        ("[Copied snap-0a1 from us-east-1]", {}, "CopySnapshot"),
        ("nightly", {"aws:backup:source-resource": "arn"}, "AWS Backup"),
    ],
)
def test_who_wrote_the_snapshot_is_read_from_it(account, description, tags, writer):
    snapshot = make_snapshot(account=account, description=description, tags=tags)

    assert of_snapshot(account, snapshot).writer == writer


SAYS_CREATED = "Created by CreateImage(i-0a1) for ami-0b2"
SAYS_COPIED = (
    "Copied for DestinationAmi ami-0b2 from SourceAmi ami-0c3 for SourceSnapshot snap-0d4. "
)
SAYS_IMPORTED = "Created by AWS-VMImport service for import-ami-0e5"


@pytest.mark.parametrize(
    ("fields", "description", "made_by"),
    [
        pytest.param({}, "", "RegisterImage", id="nothing recorded"),
        pytest.param({}, SAYS_CREATED, "RegisterImage", id="after the one it was created for"),
        pytest.param({"aws_id": "ami-0b2"}, SAYS_CREATED, "CreateImage", id="created, by text"),
        pytest.param({"source_instance_id": "i-0a1"}, "", "CreateImage", id="created"),
        pytest.param(
            {"source_instance_id": "i-0a1", "source_image_id": "ami-0c3"},
            "",
            "CreateImage",
            id="created, with base",
        ),
        pytest.param({"source_image_id": "ami-0c3"}, "", "CopyImage", id="copied"),
        pytest.param({"aws_id": "ami-0b2"}, SAYS_COPIED, "CopyImage", id="copied, by text"),
        pytest.param({"name": "import-ami-0e5"}, SAYS_IMPORTED, "VM Import", id="imported"),
        pytest.param({}, SAYS_IMPORTED, "RegisterImage", id="after it was imported"),
        pytest.param({"name": "AwsBackup_i-0a1_x"}, "", "AWS Backup", id="backup by name"),
        pytest.param({"owner_alias": "aws-backup-vault"}, "", "AWS Backup", id="backup"),
    ],
)
def test_images_with_the_same_root_snapshot_are_told_by_what_made_them(
    account, fields, description, made_by
):
    snapshot = make_snapshot(account=account, description=description)
    image = make_image(
        account=account, root_snapshot_id=snapshot.aws_id, usage_operation=RHEL, **fields
    )

    assert of_snapshot(account, snapshot).siblings == (Sibling(image.aws_id, RHEL, made_by),)


def test_what_made_an_image_of_an_unknown_snapshot_is_not_known(account):
    image = make_image(account=account, root_snapshot_id="snap-dead", usage_operation=RHEL)

    found = prospect(account, HERE, method="snapshot", expected=RHEL, snapshot_id="snap-dead")

    assert found.siblings == (Sibling(image.aws_id, RHEL, "unknown"),)
    assert predict(found).must_explain


def test_images_of_the_same_snapshot_come_newest_first_also_when_gone(account):
    snapshot = make_snapshot(account=account)
    fields = {"account": account, "root_snapshot_id": snapshot.aws_id}
    newer = make_image(created_at=LATER, **fields)
    undated = make_image(created_at=None, **fields)
    older = make_image(created_at=NOON, gone_at=LATER, **fields)

    siblings = of_snapshot(account, snapshot).siblings

    assert [one.image_id for one in siblings] == [newer.aws_id, older.aws_id, undated.aws_id]


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_of_two_rows_of_an_image_the_one_that_is_there_counts(account, is_first):
    snapshot = make_snapshot(account=account)
    fields = {"aws_id": "ami-1", "root_snapshot_id": snapshot.aws_id}
    present = {"account": account, "usage_operation": RHEL}
    gone = {"usage_operation": PLAIN, "gone_at": NOON}
    first, second = (present, gone) if is_first else (gone, present)
    make_image(**fields, **first)
    make_image(**fields, **second)

    (one,) = of_snapshot(account, snapshot).siblings

    assert one.usage_operation == RHEL


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_of_two_rows_in_other_accounts_the_one_that_is_there_counts(account, is_first):
    present = {"usage_operation": RHEL}
    gone = {"usage_operation": PLAIN, "gone_at": NOON}
    first, second = (present, gone) if is_first else (gone, present)
    image = make_image(aws_id="ami-1", **first)
    make_image(aws_id="ami-1", **second)

    found = of_copy(account, image)

    assert (found.source_usage_operation, found.source_state) == (RHEL, "available")


def test_an_image_that_aws_has_not_finished_tells_no_code(account):
    snapshot = make_snapshot(account=account)
    make_image(account=account, root_snapshot_id=snapshot.aws_id, state="pending")

    (one,) = of_snapshot(account, snapshot).siblings

    assert one.usage_operation is None


def test_no_snapshot_has_no_siblings(account):
    make_image(account=account, root_snapshot_id="")

    found = prospect(account, HERE, method="snapshot", expected=RHEL)

    assert (found.siblings, found.links) == ((), ())


def test_what_createimage_made_of_a_second_volume_tells_nothing(account):
    machine = make_machine(account, aws_id="i-0a1", usage_operation=RHEL)
    make_image(account=account, aws_id="ami-0b2", root_snapshot_id="snap-root")
    snapshot = make_snapshot(account=account, description=SAYS_CREATED)

    found = of_snapshot(account, snapshot)

    assert machine.aws_id not in {link.aws_id for link in found.links}
    assert predict(found).outcome == "unknown"


def test_a_snapshot_made_for_an_image_that_nobody_has_seen_may_be_of_the_root(account):
    machine = make_machine(account, aws_id="i-0a1", usage_operation=RHEL)
    snapshot = make_snapshot(account=account, description=SAYS_CREATED)

    found = of_snapshot(account, snapshot)

    assert [link.aws_id for link in found.links] == [machine.aws_id]


def test_what_createimage_made_of_the_root_volume_proves(account):
    make_machine(account, aws_id="i-0a1", usage_operation=RHEL)
    snapshot = make_snapshot(account=account, description=SAYS_CREATED)
    make_image(
        account=account,
        aws_id="ami-0b2",
        usage_operation=RHEL,
        root_snapshot_id=snapshot.aws_id,
        gone_at=NOON,
    )

    prediction = predict(of_snapshot(account, snapshot))

    assert (prediction.outcome, prediction.must_explain) == ("kept", False)


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        pytest.param(MARKETPLACE, ("abc",), id="marketplace"),
        pytest.param([{"id": "old", "type": "devpay"}], (), id="devpay"),
        pytest.param([], (), id="none"),
    ],
)
def test_product_codes_come_from_the_machine(account, codes, found):
    machine = make_machine(account, product_codes=codes)
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))

    assert of_snapshot(account, snapshot).product_codes == found
    assert of_instance(account, machine).product_codes == found


def test_product_codes_come_first_of_all_from_images_of_the_same_snapshot(account):
    machine = make_machine(account, product_codes=MARKETPLACE)
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))
    make_image(account=account, root_snapshot_id=snapshot.aws_id)

    assert of_snapshot(account, snapshot).product_codes == ()


@pytest.mark.parametrize(
    ("fields", "is_there"),
    [
        pytest.param({}, True, id="running"),
        pytest.param({"state": "stopped"}, True, id="stopped"),
        pytest.param({"state": "terminated"}, False, id="terminated"),
        pytest.param({"gone_at": NOON}, False, id="gone"),
        pytest.param({"usage_operation": PLAIN}, False, id="another code"),
        pytest.param({"usage_operation": f"{RHEL}:SV006"}, True, id="spot"),
        pytest.param(
            {"usage_operation": None, "platform_details": "Red Hat Enterprise Linux"},
            True,
            id="old recording",
        ),
        pytest.param({"region": THERE}, False, id="another region"),
    ],
)
def test_only_live_instances_with_the_code_are_recommended(account, fields, is_there):
    machine = make_machine(account, **{"usage_operation": RHEL} | fields)
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))

    ids = [one.aws_id for one in of_snapshot(account, snapshot).instances]

    assert ids == ([machine.aws_id] if is_there else [])


def test_no_instance_is_recommended_for_a_code_that_cannot_be_read(account):
    machine = make_machine(account, usage_operation=None, platform_details=None)

    assert of_instance(account, machine, expected="RunInstances:FFP-1").instances == ()


def test_an_instance_of_another_account_is_not_recommended(account):
    machine = make_machine(make_account(), usage_operation=RHEL)
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))

    assert of_snapshot(account, snapshot).instances == ()


def test_machines_on_the_way_are_recommended_before_those_launched_from_it(account):
    near = make_snapshot(account=account)
    image = make_image(account=account, root_snapshot_id=near.aws_id, usage_operation=RHEL)
    launched = make_machine(account, usage_operation=RHEL, image_id=image.aws_id)
    source = make_machine(account, usage_operation=RHEL)
    make_machine(account, usage_operation=RHEL)
    near.volume_id = root_volume(source)
    near.save()

    ids = [one.aws_id for one in of_snapshot(account, near).instances]

    assert ids == [source.aws_id, launched.aws_id]


@pytest.mark.parametrize(
    ("is_own", "owner_id", "is_foreign"),
    [
        pytest.param(True, "", False, id="own"),
        pytest.param(True, "000000000000", True, id="shared"),
        pytest.param(False, "", True, id="in another account"),
    ],
)
def test_a_snapshot_of_another_account_is_foreign(account, is_own, owner_id, is_foreign):
    place = account if is_own else make_account()
    snapshot = make_snapshot(account=place, owner_id=owner_id)

    assert of_snapshot(account, snapshot).is_foreign is is_foreign


@pytest.mark.parametrize(
    ("make", "aws_id", "description"),
    [
        pytest.param(
            make_snapshot, "snap-0d4", "[Copied snap-0d4 from us-east-1]", id="CopySnapshot"
        ),
        pytest.param(make_image, "ami-0c3", SAYS_COPIED, id="CopyImage"),
    ],
)
@pytest.mark.parametrize(
    ("source", "is_foreign"), [("own", False), ("another", True), ("both", False), ("none", False)]
)
def test_a_copy_out_of_another_account_is_foreign(
    account, make, aws_id, description, source, is_foreign
):
    if source in {"own", "both"}:
        make(account=account, aws_id=aws_id, region=THERE)
    if source in {"another", "both"}:
        make(account=make_account(), aws_id=aws_id, region=THERE)
    snapshot = make_snapshot(account=account, description=description)

    assert of_snapshot(account, snapshot).is_foreign is is_foreign


@pytest.mark.parametrize(
    ("fields", "code", "state"),
    [
        ({"usage_operation": RHEL}, RHEL, "running"),
        ({"usage_operation": RHEL, "state": "stopped"}, RHEL, "stopped"),
        ({"usage_operation": RHEL, "gone_at": NOON}, RHEL, "gone"),
        ({"usage_operation": None, "platform_details": "Windows"}, WINDOWS, "running"),
    ],
    ids=["running", "stopped", "gone", "old recording"],
)
def test_an_instance(account, fields, code, state):
    machine = make_machine(account, **fields)

    found = of_instance(account, machine)

    assert (found.method, found.source_id) == ("instance", machine.aws_id)
    assert (found.source_usage_operation, found.source_state) == (code, state)
    assert found.links[0].aws_id == machine.aws_id


def test_an_instance_that_is_not_right_is_replaced_by_one_before_it(account):
    source = make_machine(account, usage_operation=RHEL)
    image = make_image(account=account, source_instance_id=source.aws_id)
    machine = make_machine(account, usage_operation=PLAIN, image_id=image.aws_id)

    prediction = predict(of_instance(account, machine))

    assert (prediction.outcome, prediction.instance_id) == ("lost", source.aws_id)


@pytest.mark.parametrize("region", [HERE, THERE])
def test_an_instance_of_another_account_or_region_is_not_known(account, region):
    machine = make_machine(
        make_account() if region == HERE else account, usage_operation=RHEL, region=region
    )

    found = of_instance(account, machine)

    assert (found.source_usage_operation, found.source_state, found.links) == (None, "", ())


@pytest.mark.parametrize(
    ("fields", "code", "state"),
    [
        ({}, RHEL, "available"),
        ({"state": "disabled"}, RHEL, "disabled"),
        ({"state": "pending"}, None, "pending"),
        ({"gone_at": NOON}, RHEL, "gone"),
    ],
    ids=["available", "disabled", "pending", "gone"],
)
def test_a_copy(account, fields, code, state):
    image = make_image(account=account, region=THERE, **{"usage_operation": RHEL} | fields)

    found = of_copy(account, image, source_region=THERE)

    assert (found.method, found.source_id) == ("copy", image.aws_id)
    assert (found.source_usage_operation, found.source_state) == (code, state)
    assert not found.is_foreign


def test_a_copy_without_a_region_is_of_the_same_region(account):
    image = make_image(account=account, usage_operation=RHEL)

    assert of_copy(account, image, source_region="").source_usage_operation == RHEL


@pytest.mark.parametrize(
    ("is_own", "owner_id", "is_foreign"),
    [(True, "", False), (True, "000000000000", True), (False, "", True)],
    ids=["own", "owned by another", "in another account"],
)
def test_an_image_of_another_account_is_foreign(account, is_own, owner_id, is_foreign):
    place = account if is_own else make_account()
    image = make_image(
        account=place, owner_id=owner_id, usage_operation=RHEL, product_codes=MARKETPLACE
    )
    launched = make_machine(account, usage_operation=RHEL, image_id=image.aws_id)

    found = of_copy(account, image)

    assert found.is_foreign is is_foreign
    assert found.product_codes == ("abc",)
    assert [one.aws_id for one in found.instances] == [launched.aws_id]


def test_an_image_that_nobody_has_seen_is_not_known(account):
    found = prospect(account, HERE, method="copy", expected=RHEL, image_id="ami-dead")

    assert (found.source_usage_operation, found.source_state, found.links) == (None, "", ())


def test_of_a_manifest_nothing_is_known(account):
    found = prospect(account, HERE, method="manifest", expected=RHEL)

    assert (found.method, found.expected) == ("manifest", RHEL)
    assert defaults(account, HERE, method="manifest") == {}


def test_the_account_s_own_row_counts_before_another_s(account):
    make_snapshot(account=make_account(), aws_id="snap-1", description="[Copied snap-0d4 from x-1]")
    own = make_snapshot(account=account, aws_id="snap-1", gone_at=NOON)

    found = of_snapshot(account, own)

    assert (found.writer, found.is_foreign) == ("unknown", False)


@pytest.mark.parametrize("others", [0, 60])
def test_a_prospect_takes_as_many_queries_in_a_mirror_of_any_size(
    account, others, django_assert_max_num_queries
):
    base = make_image(account=account)
    machine = make_machine(account, usage_operation=RHEL, image_id=base.aws_id)
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))
    for number in range(others):
        make_image(account=account, root_snapshot_id=f"snap-other-{number}")
        make_snapshot(account=account, volume_id=f"vol-other-{number}")
        make_machine(account, usage_operation=RHEL)

    with django_assert_max_num_queries(13):
        of_snapshot(account, snapshot)


# What the form may propose.

HARDWARE = {
    "architecture": "arm64",
    "virtualization_type": "hvm",
    "root_device_name": "/dev/sda1",
    "ena_support": True,
    "boot_mode": "uefi",
    "tpm_support": "v2.0",
    "imds_support": "v2.0",
}


def proposed(account, snapshot):
    return defaults(account, HERE, method="snapshot", snapshot_id=snapshot.aws_id)


def test_everything_is_proposed_as_the_image_has_it_that_the_snapshot_was_made_for(account):
    snapshot = make_snapshot(account=account, description=SAYS_CREATED)
    make_image(account=account, aws_id="ami-0b2", root_snapshot_id=snapshot.aws_id, **HARDWARE)

    found = proposed(account, snapshot)

    assert found == {field: (value, "ami-0b2") for field, value in HARDWARE.items()}


def test_of_a_copy_everything_is_proposed_as_the_source_has_it(account):
    image = make_image(account=account, region=THERE, **HARDWARE)

    found = defaults(account, HERE, method="copy", image_id=image.aws_id, source_region=THERE)

    assert found == {field: (value, image.aws_id) for field, value in HARDWARE.items()}


def test_an_instance_tells_what_it_has_and_its_image_the_rest(account):
    image = make_image(
        account=account, architecture="x86_64", imds_support="v2.0", ena_support=True
    )
    machine = make_machine(account, architecture="arm64", boot_mode="uefi", image_id=image.aws_id)

    found = defaults(account, HERE, method="instance", instance_id=machine.aws_id)

    assert found == {
        "architecture": ("arm64", machine.aws_id),
        "root_device_name": ("/dev/sda1", machine.aws_id),
        "boot_mode": ("uefi", machine.aws_id),
        "virtualization_type": ("hvm", image.aws_id),
        "ena_support": (True, image.aws_id),
        "imds_support": ("v2.0", image.aws_id),
    }


def test_a_snapshot_of_a_machine_is_proposed_as_the_machine_is(account):
    machine = make_machine(account, architecture="arm64")
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))

    assert proposed(account, snapshot) == {
        "architecture": ("arm64", machine.aws_id),
        "root_device_name": ("/dev/sda1", machine.aws_id),
    }


def test_what_is_not_known_is_not_proposed(account):
    assert proposed(account, make_snapshot(account=account)) == {}


REGISTERED_CARELESSLY = {
    "architecture": "i386",
    "virtualization_type": "paravirtual",
    "ena_support": False,
    "root_device_name": "/dev/sda1",
}


def test_what_aws_sets_by_itself_is_not_taken_from_a_registered_image(account):
    snapshot = make_snapshot(account=account)
    image = make_image(account=account, root_snapshot_id=snapshot.aws_id, **REGISTERED_CARELESSLY)

    assert proposed(account, snapshot) == {"root_device_name": ("/dev/sda1", image.aws_id)}


def test_an_old_machine_is_proposed_as_it_really_is(account):
    snapshot = make_snapshot(account=account, description=SAYS_CREATED)
    make_image(
        account=account,
        aws_id="ami-0b2",
        root_snapshot_id=snapshot.aws_id,
        **REGISTERED_CARELESSLY,
    )

    found = proposed(account, snapshot)

    assert found == {field: (value, "ami-0b2") for field, value in REGISTERED_CARELESSLY.items()}


def test_the_machine_counts_before_an_image_registered_of_its_snapshot(account):
    machine = make_machine(account, architecture="arm64")
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))
    image = make_image(
        account=account,
        root_snapshot_id=snapshot.aws_id,
        architecture="x86_64",
        ena_support=True,
    )

    found = proposed(account, snapshot)

    assert found["architecture"] == ("arm64", machine.aws_id)
    assert found["ena_support"] == (True, image.aws_id)


def test_the_way_to_boot_is_not_taken_from_beyond_the_nearest_image(account):
    first = make_image(account=account, boot_mode="uefi", imds_support="v2.0")
    near = make_image(account=account, source_image_id=first.aws_id, boot_mode="")

    found = defaults(account, HERE, method="copy", image_id=near.aws_id)

    assert found.keys() & {"boot_mode", "imds_support"} == set()


@pytest.mark.parametrize("boot_mode", ["", "uefi-preferred", "legacy-bios"])
def test_a_tpm_is_proposed_only_with_uefi(account, boot_mode):
    image = make_image(account=account, boot_mode=boot_mode, tpm_support="v2.0")

    found = defaults(account, HERE, method="copy", image_id=image.aws_id)

    assert "tpm_support" not in found


def test_what_is_gone_tells_still(account):
    machine = make_machine(account, architecture="arm64", gone_at=NOON + timedelta(days=1))
    snapshot = make_snapshot(account=account, volume_id=root_volume(machine))

    assert proposed(account, snapshot)["architecture"] == ("arm64", machine.aws_id)
