import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.clues import NOTHING, Clues, Link
from registry.billing.codes import TABLE, is_published, parts
from registry.billing.expectation import expect
from registry.billing.own_patterns import OwnPattern
from registry.billing.rules import ImageFacts, compare

PLAIN, RHEL, RHEL_HA = "RunInstances", "RunInstances:0010", "RunInstances:1010"
RHEL_BYOL, SUSE, UBUNTU_PRO = "RunInstances:00g0", "RunInstances:000g", "RunInstances:0g00"
WINDOWS, WINDOWS_BYOL = "RunInstances:0002", "RunInstances:0800"
WINDOWS_STD, WINDOWS_ENT = "RunInstances:0006", "RunInstances:0102"
RHEL_STD = "RunInstances:0014"
RED_HAT, CANONICAL = "309956199498", "099720109477"
RED_HAT_CODE = "6cd5fxzrad0cu2j23p692xytz"


def instance(code, **fields):
    return Link("instance", "i-1", code, how="It was created from", **fields)


def image(code, **fields):
    return Link("image", "ami-1", code, how="It descends from", **fields)


def pattern(code, strength="medium", text="golden*", **fields):
    return OwnPattern("name", "", text, code, strength, **fields)


def summary(clues):
    found = expect(clues)
    return found.usage_operation, found.source, found.confidence


def verdict(clues):
    return compare(ImageFacts(clues.usage_operation, expect(clues))).verdict


def test_nothing_is_expected_without_evidence():
    assert (
        expect(Clues(usage_operation=PLAIN, name="golden-base", tags={"team": "rhel"})) == NOTHING
    )


@pytest.mark.parametrize(
    ("clues", "code", "source", "confidence"),
    [
        pytest.param({"declared": RHEL}, RHEL, "declared", "strong", id="declared"),
        pytest.param({"links": (instance(RHEL),)}, RHEL, "instance", "strong", id="instance"),
        pytest.param(
            {"links": (instance(RHEL, is_recorded=False),)},
            RHEL,
            "instance",
            "medium",
            id="instance, from a description",
        ),
        pytest.param({"links": (image(SUSE),)}, SUSE, "ancestor", "strong", id="ancestor"),
        pytest.param(
            {"links": (image(SUSE, is_recorded=False),)},
            SUSE,
            "ancestor",
            "medium",
            id="ancestor, from a description",
        ),
        pytest.param(
            {
                "links": (
                    image(None, name="RHEL-9.4.0_HVM-1-x86_64-1-Hourly2-GP3", owner_id=RED_HAT),
                )
            },
            RHEL,
            "ancestor",
            "strong",
            id="a vendor's image as ancestor",
        ),
        pytest.param(
            {"owner_id": CANONICAL, "name": "ubuntu-pro-server/images/x"},
            UBUNTU_PRO,
            "owner",
            "strong",
            id="owner and name",
        ),
        pytest.param({"tags": {"OS": "Windows"}}, WINDOWS, "tag", "weak", id="tag"),
        pytest.param({"name": "sles15-app"}, SUSE, "name", "weak", id="name"),
        pytest.param(
            {"description": "Red Hat Enterprise Linux 9"}, RHEL, "description", "weak", id="words"
        ),
        pytest.param({"platform": "windows"}, WINDOWS, "platform", "medium", id="platform"),
        pytest.param({"platform": "Windows"}, WINDOWS, "platform", "medium", id="its other case"),
        pytest.param(
            {"product_codes": (RED_HAT_CODE,)}, RHEL, "product code", "weak", id="product code"
        ),
        pytest.param({"platform": "linux"}, None, "none", "none", id="any other platform"),
        pytest.param({"product_codes": ("abc",)}, None, "none", "none", id="any other code"),
    ],
)
def test_each_source_speaks(clues, code, source, confidence):
    assert summary(Clues(**clues)) == (code, source, confidence)


@pytest.mark.parametrize(
    ("stronger", "weaker", "source"),
    [
        pytest.param({"declared": SUSE}, {"links": (instance(RHEL),)}, "declared", id="declared"),
        pytest.param(
            {"links": (instance(SUSE), image(RHEL))}, {}, "instance", id="the nearest link"
        ),
        pytest.param(
            {"links": (image(SUSE),)},
            {"owner_id": CANONICAL, "name": "ubuntu-pro-x"},
            "ancestor",
            id="ancestor over owner",
        ),
        pytest.param(
            {"links": (instance(SUSE, is_recorded=False),)},
            {"name": "rhel9"},
            "instance",
            id="a description of a snapshot over a name",
        ),
        pytest.param({"tags": {"os": "sles"}}, {"name": "rhel9"}, "tag", id="tag over name"),
        pytest.param(
            {"name": "sles15"}, {"description": "rhel 9"}, "name", id="name over description"
        ),
        pytest.param(
            {"name": "sles15"}, {"product_codes": (RED_HAT_CODE,)}, "name", id="name over product"
        ),
    ],
)
def test_the_strongest_source_wins(stronger, weaker, source):
    found = expect(Clues(**stronger, **weaker))

    assert (found.usage_operation, found.source) == (SUSE, source)


@pytest.mark.parametrize(
    ("clues", "confidence"),
    [
        pytest.param({"links": (instance(RHEL),), "name": "rhel9"}, "strong", id="agree"),
        pytest.param({"links": (instance(RHEL),), "name": "sles15"}, "medium", id="strong"),
        pytest.param(
            {"links": (instance(RHEL, is_recorded=False),), "name": "sles15"}, "weak", id="medium"
        ),
        pytest.param({"tags": {"os": "rhel"}, "name": "sles15"}, "weak", id="weak stays weak"),
        pytest.param({"declared": RHEL, "name": "sles15"}, "strong", id="declared stays strong"),
        pytest.param({"platform": "windows", "name": "win2019"}, "medium", id="medium, agree"),
        pytest.param({"platform": "windows", "name": "win2019-sqlstd"}, "weak", id="on SQL"),
        pytest.param(
            {"links": (instance(RHEL_STD),), "name": "rhel9-app"},
            "strong",
            id="a name that says less does not disagree",
        ),
        pytest.param(
            {"links": (instance(RHEL),), "name": "rhel9-sqlstd"},
            "medium",
            id="a name that says more does",
        ),
        pytest.param(
            {"links": (instance(WINDOWS_STD),), "platform": "windows"},
            "strong",
            id="a platform that says less does not disagree",
        ),
    ],
)
def test_sources_that_disagree_lower_the_confidence(clues, confidence):
    assert expect(Clues(usage_operation=PLAIN, **clues)).confidence == confidence


def test_every_source_is_shown_the_strongest_first():
    clues = Clues(
        usage_operation=PLAIN,
        declared=RHEL,
        links=(instance(RHEL),),
        name="sles15",
        description="RHEL 9",
        tags={"Platform": "windows-2019", "Name": "win2019"},
        product_codes=(RED_HAT_CODE,),
    )

    found = expect(clues)

    assert [(item.source, item.strength, item.usage_operation) for item in found.evidence] == [
        ("declared", "strong", RHEL),
        ("instance", "strong", RHEL),
        ("tag", "weak", WINDOWS),
        ("name", "weak", SUSE),
        ("description", "weak", RHEL),
        ("product code", "weak", RHEL),
    ]
    assert found.platform == "Red Hat Enterprise Linux"


@pytest.mark.parametrize(
    ("clues", "sentence"),
    [
        pytest.param(
            {"declared": RHEL, "declaration": "Declared by ann."}, "Declared by ann.", id="declared"
        ),
        pytest.param(
            {"patterns": (pattern(RHEL, text="*", note="All ours are."),)},
            "Its name fits the pattern *. All ours are.",
            id="pattern",
        ),
        pytest.param(
            {"links": (instance(RHEL),)},
            "It was created from i-1, which is billed as RunInstances:0010.",
            id="instance",
        ),
        pytest.param(
            {"links": (image(PLAIN),), "usage_operation": PLAIN},
            "It descends from ami-1, which is billed without a license.",
            id="plain ancestor",
        ),
        pytest.param(
            {"links": (image("", name="RHEL-9-Hourly2", owner_id=RED_HAT),)},
            "It descends from ami-1, which is the vendor's image RHEL-9-Hourly2.",
            id="a vendor's image",
        ),
        pytest.param(
            {"owner_id": CANONICAL, "name": "ubuntu-pro-x"},
            "Account 099720109477 publishes Ubuntu Pro under names like this one.",
            id="owner",
        ),
        pytest.param({"tags": {"os": "rhel"}}, "Its tag os is rhel.", id="tag"),
        pytest.param({"name": "rhel9"}, "Its name is rhel9.", id="name"),
        pytest.param({"description": "rhel 9"}, "Its description says so.", id="description"),
        pytest.param(
            {"platform": "windows"}, "AWS says that its Platform is windows.", id="platform"
        ),
        pytest.param(
            {"product_codes": (RED_HAT_CODE,)},
            "A product code of Red Hat is on it.",
            id="product code",
        ),
    ],
)
def test_the_evidence_says_why(clues, sentence):
    (item,) = expect(Clues(**clues)).evidence

    assert item.sentence == sentence


@pytest.mark.parametrize(
    "key", ["os", "OS", "Platform", "operating-system", "Operating_System", "amiportal:platform"]
)
def test_a_tag_may_name_the_system(key):
    assert summary(Clues(tags={key: "rhel8"})) == (RHEL, "tag", "weak")


@pytest.mark.parametrize("key", ["Name", "team", "os-version-of-parent", "role", "platforms", ""])
def test_any_other_tag_says_nothing(key):
    assert expect(Clues(tags={key: "rhel8"})) == NOTHING


@pytest.mark.parametrize(
    ("links", "actual", "code"),
    [
        pytest.param((instance(PLAIN), image(RHEL)), PLAIN, RHEL, id="lost before the instance"),
        pytest.param((image(PLAIN), image(None), image(RHEL)), PLAIN, RHEL, id="lost long ago"),
        pytest.param((image(""), image(RHEL)), PLAIN, RHEL, id="an ancestor left empty"),
        pytest.param((image(RHEL), image(SUSE)), PLAIN, RHEL, id="the nearer licence"),
        pytest.param((instance(None), image(RHEL)), PLAIN, RHEL, id="an instance never recorded"),
        pytest.param((instance(f"{RHEL}:SV006"),), PLAIN, RHEL, id="an instance on Spot"),
        pytest.param((image("RunInstances:FFP-1"), image(RHEL)), PLAIN, RHEL, id="not decoded"),
        pytest.param(
            (instance(RHEL, has_changed=True), image(SUSE)), PLAIN, SUSE, id="changed since"
        ),
        pytest.param(
            (image(None, name="ubuntu/images/x", owner_id=CANONICAL), image(RHEL)),
            PLAIN,
            RHEL,
            id="a vendor's image without a licence",
        ),
        pytest.param(
            (instance(PLAIN), image(RHEL, is_recorded=False)), RHEL, RHEL, id="as the image is"
        ),
    ],
)
def test_the_nearest_link_with_a_licence_counts(links, actual, code):
    found = expect(Clues(usage_operation=actual, links=links))

    assert found.usage_operation == code
    assert len(found.evidence) == 1


@pytest.mark.parametrize(
    ("links", "actual", "code"),
    [
        pytest.param((instance(PLAIN),), PLAIN, PLAIN, id="instance, image plain"),
        pytest.param((image(PLAIN),), PLAIN, PLAIN, id="ancestor, image plain"),
        pytest.param((image(None), image(PLAIN)), PLAIN, PLAIN, id="far ancestor, image plain"),
        pytest.param((instance(PLAIN),), RHEL, PLAIN, id="instance, image charged"),
        pytest.param((image(PLAIN, is_copy=True),), RHEL, PLAIN, id="copy, image charged"),
        pytest.param(
            (image(None, is_copy=True), instance(PLAIN)),
            RHEL,
            PLAIN,
            id="copy of what an instance made",
        ),
        pytest.param((image(PLAIN),), UBUNTU_PRO, None, id="an instance between was converted"),
        pytest.param((image(PLAIN),), RHEL, None, id="nothing is known of what was between"),
        pytest.param(
            (image(PLAIN), instance(PLAIN)), UBUNTU_PRO, None, id="what is behind does not count"
        ),
        pytest.param(
            (image(PLAIN), image(PLAIN, is_copy=True)), UBUNTU_PRO, None, id="nor a copy behind"
        ),
        pytest.param(
            (instance(None), image(PLAIN)), UBUNTU_PRO, None, id="an instance never recorded"
        ),
        pytest.param(
            (instance(PLAIN, has_changed=True),), PLAIN, None, id="an instance that changed"
        ),
        pytest.param(
            (instance(UBUNTU_PRO, has_changed=True), image(PLAIN)),
            PLAIN,
            PLAIN,
            id="an instance converted later",
        ),
        pytest.param(
            (instance(PLAIN, has_changed=True), image(PLAIN)),
            UBUNTU_PRO,
            None,
            id="an instance converted back later",
        ),
        pytest.param((image(PLAIN),), "", None, id="the image left empty"),
        pytest.param((image(PLAIN),), None, None, id="the image never recorded"),
        pytest.param((image(""),), PLAIN, None, id="an ancestor left empty is not plain"),
    ],
)
def test_a_plain_link_speaks_only_where_nothing_was_converted(links, actual, code):
    assert expect(Clues(usage_operation=actual, links=links)).usage_operation == code


@pytest.mark.parametrize(
    ("now", "clues", "says"),
    [
        pytest.param(WINDOWS_BYOL, {"usage_operation": WINDOWS}, "unknown", id="Windows brought"),
        pytest.param(WINDOWS, {"usage_operation": WINDOWS_BYOL}, "unknown", id="Windows bought"),
        pytest.param(WINDOWS_STD, {"usage_operation": WINDOWS_BYOL}, "unknown", id="with SQL"),
        pytest.param(RHEL_BYOL, {"usage_operation": RHEL}, "unknown", id="RHEL brought"),
        pytest.param(RHEL, {"usage_operation": RHEL_BYOL}, "unknown", id="RHEL bought"),
        pytest.param(UBUNTU_PRO, {"usage_operation": PLAIN}, "unknown", id="Ubuntu became Pro"),
        pytest.param(
            RHEL,
            {"usage_operation": PLAIN, "product_codes": (RED_HAT_CODE,), "declared": PLAIN},
            "ok",
            id="RHEL that Red Hat sold",
        ),
        pytest.param(RHEL, {"usage_operation": PLAIN}, "lost", id="RHEL that nobody sold"),
        pytest.param(RHEL, {"usage_operation": ""}, "lost", id="left empty"),
        pytest.param(SUSE, {"usage_operation": PLAIN}, "lost", id="never converted"),
        pytest.param(PLAIN, {"usage_operation": UBUNTU_PRO}, "unexpected", id="nor back"),
        pytest.param(WINDOWS, {"usage_operation": WINDOWS_STD}, "unexpected", id="nor SQL away"),
        pytest.param(RHEL, {"usage_operation": RHEL}, "ok", id="the same"),
    ],
)
def test_no_alarm_comes_of_an_instance_alone_that_may_have_been_converted(now, clues, says):
    assert verdict(Clues(links=(instance(now, may_have_changed=True),), **clues)) == says


@pytest.mark.parametrize(
    ("clues", "confidence"),
    [
        pytest.param({"platform": "windows"}, "medium", id="the platform"),
        pytest.param({"name": "win2019"}, "weak", id="its name"),
        pytest.param({"declared": WINDOWS}, "strong", id="a person"),
    ],
)
def test_of_such_an_image_the_other_evidence_tells(clues, confidence):
    link = instance(WINDOWS_BYOL, may_have_changed=True)

    found = expect(Clues(usage_operation=WINDOWS, links=(link,), **clues))

    assert (found.usage_operation, found.confidence) == (WINDOWS, confidence)


def test_what_is_behind_an_instance_that_may_have_been_converted_tells():
    links = (instance(UBUNTU_PRO, may_have_changed=True), image(UBUNTU_PRO))

    assert verdict(Clues(usage_operation=PLAIN, links=links)) == "lost"


@pytest.mark.parametrize(
    ("links", "clues", "code"),
    [
        pytest.param((image(PLAIN, name="rhel9-base"),), {}, RHEL, id="child"),
        pytest.param((image(PLAIN, name="rhel9-base", is_copy=True),), {}, RHEL, id="copy"),
        pytest.param((image("", name="rhel9-base"),), {}, RHEL, id="the ancestor left empty"),
        pytest.param(
            (image(PLAIN, name="rhel9-base", is_copy=True),),
            {"usage_operation": ""},
            RHEL,
            id="a copy left empty",
        ),
        pytest.param(
            (image(PLAIN, name="golden"), image(PLAIN, name="rhel9-base")), {}, RHEL, id="farther"
        ),
        pytest.param(
            (instance(PLAIN), image(PLAIN, name="sles-15-sp5")), {}, SUSE, id="behind an instance"
        ),
        pytest.param(
            (image(PLAIN, name="win2019-sqlstd"),), {}, WINDOWS_STD, id="Windows without Platform"
        ),
        pytest.param(
            (image(PLAIN, name="ubuntu-pro-22.04"),), {}, UBUNTU_PRO, id="Ubuntu with its version"
        ),
        pytest.param(
            (image(PLAIN, name="win2k19-dc"),), {}, WINDOWS, id="the year after two letters"
        ),
        pytest.param(
            (image(PLAIN, name="rhel-base"),),
            {"name": "rhel9-app"},
            RHEL,
            id="the version in its own name",
        ),
        pytest.param(
            (image(PLAIN, name="rhel-base"),),
            {"description": "Red Hat Enterprise Linux 9"},
            RHEL,
            id="the version in its description",
        ),
        pytest.param(
            (image(PLAIN, name="rhel-base"),), {"tags": {"os": "rhel"}}, RHEL, id="its tag"
        ),
        pytest.param(
            (image(PLAIN, name="rhel9-base"),), {"tags": {"os": "linux"}}, RHEL, id="RHEL is Linux"
        ),
        pytest.param(
            (image(PLAIN, name="rhel9-base"),),
            {"name": "rhel9-byos"},
            RHEL_BYOL,
            id="what its own name says more",
        ),
        pytest.param(
            (image(PLAIN, name="rhel9-base", is_copy=True),),
            {"usage_operation": RHEL_HA},
            RHEL_HA,
            id="as the image is",
        ),
    ],
)
def test_the_name_of_an_ancestor_tells_that_it_lost_its_code(links, clues, code):
    found = expect(Clues(**{"usage_operation": PLAIN, "links": links} | clues))

    assert (found.usage_operation, found.source, found.confidence) == (code, "ancestor", "weak")


@pytest.mark.parametrize(
    ("links", "clues"),
    [
        pytest.param((image(PLAIN, name="golden"),), {}, id="no system"),
        pytest.param((image(PLAIN, name="golden"),), {"name": "rhel9-app"}, id="its own name"),
        pytest.param((image(PLAIN, name="rhel-base"),), {"name": "rhel-app"}, id="a word alone"),
        pytest.param((image(PLAIN, name="windows-gateway"),), {}, id="another word"),
        pytest.param((image(PLAIN, name="rhel-20240601"),), {}, id="a date"),
        pytest.param((image(PLAIN, name="repo-for-rhel9"),), {}, id="something beside a system"),
        pytest.param((instance(PLAIN, name="rhel9-jump"),), {}, id="an instance"),
        pytest.param((image(PLAIN, name="sles15-byos"),), {}, id="brought, and plain"),
        pytest.param((image(PLAIN, name="sles15-sap"),), {}, id="sold by others"),
        pytest.param(
            (image(PLAIN, name="rocky9-base"), image(PLAIN, name="rhel9-base")),
            {},
            id="another system nearer",
        ),
        pytest.param(
            (image(PLAIN), image(None, name="rhel9-base")), {}, id="an ancestor never recorded"
        ),
        pytest.param((image(PLAIN, name="rhel9-base"),), {"name": "ubuntu-22.04"}, id="its name"),
        pytest.param(
            (image(PLAIN, name="rhel9-base"),), {"name": "rocky-like-rhel9"}, id="its unclear name"
        ),
        pytest.param(
            (image(PLAIN, name="rhel9-base"),), {"tags": {"os": "amazon linux 2"}}, id="its tag"
        ),
        pytest.param(
            (image(PLAIN, name="rhel9-base"),), {"description": "Debian 12"}, id="its description"
        ),
        pytest.param(
            (image(PLAIN, name="win2019-base"),), {"tags": {"os": "linux"}}, id="tagged as Linux"
        ),
        pytest.param(
            (image(PLAIN, name="rhel9-base"),),
            {"name": "base", "owner_id": "136693071363"},
            id="a vendor's image",
        ),
    ],
)
def test_no_alarm_comes_of_an_ancestors_name(links, clues):
    found_clues = Clues(usage_operation=PLAIN, links=links, **clues)

    assert verdict(found_clues) == "ok"
    assert expect(found_clues).evidence[0].strength == "strong"


@pytest.mark.parametrize("actual", [SUSE, UBUNTU_PRO])
def test_an_ancestors_name_says_nothing_of_an_image_with_another_licence(actual):
    link = image(PLAIN, name="rhel9-base")

    assert expect(Clues(usage_operation=actual, links=(link,))) == NOTHING


def test_the_account_of_a_vendor_stands_behind_an_ancestors_name():
    link = image(PLAIN, name="RHEL-beta", owner_id=RED_HAT)

    assert summary(Clues(usage_operation=PLAIN, links=(link,))) == (RHEL, "ancestor", "medium")


def test_another_vendors_account_does_not():
    link = image(PLAIN, name="RHEL-beta", owner_id=CANONICAL)

    assert verdict(Clues(usage_operation=PLAIN, links=(link,))) == "ok"


def test_the_evidence_says_that_an_ancestor_lost_its_code_without_its_name():
    link = image(PLAIN, name="rhel9-base")

    (item,) = expect(Clues(usage_operation=PLAIN, links=(link,))).evidence

    assert item.sentence == (
        "It descends from ami-1, which is billed without a license though its name says "
        "Red Hat Enterprise Linux."
    )


@pytest.mark.parametrize(
    ("link", "actual", "says"),
    [
        pytest.param(image(WINDOWS_BYOL), WINDOWS, "ok", id="Windows from AWS"),
        pytest.param(image(WINDOWS), WINDOWS_STD, "ok", id="SQL Server from AWS"),
        pytest.param(image(RHEL), RHEL_BYOL, "ok", id="RHEL of one's own"),
        pytest.param(image(RHEL_BYOL), RHEL, "ok", id="RHEL from AWS"),
        pytest.param(image(WINDOWS_STD), WINDOWS, "partial", id="SQL Server lost"),
        pytest.param(image(WINDOWS_STD), WINDOWS_ENT, "wrong", id="another edition"),
        pytest.param(image(RHEL), PLAIN, "lost", id="RHEL lost"),
        pytest.param(image(RHEL), "", "lost", id="RHEL lost, left empty"),
        pytest.param(image(WINDOWS), "", "lost", id="Windows lost, left empty"),
        pytest.param(image(RHEL), SUSE, "wrong", id="another system"),
        pytest.param(image(RHEL), RHEL_HA, "unexpected", id="an add-on that is not converted"),
        pytest.param(instance(WINDOWS_BYOL), WINDOWS, "wrong", id="not from the instance itself"),
        pytest.param(instance(RHEL), RHEL_BYOL, "wrong", id="nor RHEL"),
        pytest.param(image(RHEL, is_copy=True), RHEL_BYOL, "wrong", id="nor by a copy"),
        pytest.param(image(WINDOWS, is_copy=True), WINDOWS_STD, "unexpected", id="nor SQL Server"),
        pytest.param(
            image(None, name="RHEL-9-Hourly2", owner_id=RED_HAT),
            RHEL_BYOL,
            "ok",
            id="a vendor's image converted",
        ),
    ],
)
def test_what_aws_converts_between_an_ancestor_and_its_image_is_no_mistake(link, actual, says):
    assert verdict(Clues(usage_operation=actual, links=(link,))) == says


@pytest.mark.parametrize(
    ("clues", "code"),
    [
        pytest.param({"name": "rhel9", "usage_operation": RHEL_HA}, RHEL_HA, id="an add-on"),
        pytest.param({"name": "rhel9", "usage_operation": RHEL_BYOL}, RHEL_BYOL, id="brought"),
        pytest.param({"name": "win2019", "usage_operation": WINDOWS_STD}, WINDOWS_STD, id="SQL"),
        pytest.param({"name": "win2019-byol", "usage_operation": WINDOWS}, WINDOWS_BYOL, id="BYOL"),
        pytest.param({"name": "rhel9-byos", "usage_operation": PLAIN}, RHEL_BYOL, id="BYOS"),
        pytest.param({"name": "rhel9", "usage_operation": PLAIN}, RHEL, id="lost"),
        pytest.param({"name": "rhel9", "usage_operation": ""}, RHEL, id="left empty"),
        pytest.param({"name": "rhel9", "usage_operation": None}, RHEL, id="never recorded"),
        pytest.param(
            {"name": "rhel9", "usage_operation": "RunInstances:1010:SV001"}, RHEL_HA, id="Spot"
        ),
        pytest.param(
            {"name": "ubuntu-22.04", "usage_operation": UBUNTU_PRO}, UBUNTU_PRO, id="became Pro"
        ),
        pytest.param(
            {"name": "web-al2023", "usage_operation": UBUNTU_PRO}, PLAIN, id="cannot be Pro"
        ),
        pytest.param(
            {"platform": "windows", "usage_operation": WINDOWS_BYOL},
            WINDOWS_BYOL,
            id="a platform in keeping",
        ),
        pytest.param(
            {"platform": "windows", "usage_operation": PLAIN}, WINDOWS, id="a platform that is not"
        ),
    ],
)
def test_a_text_that_the_code_does_not_contradict_speaks_for_it(clues, code):
    assert expect(Clues(**clues)).usage_operation == code


@pytest.mark.parametrize(
    ("clues", "code"),
    [
        pytest.param(
            {"tags": {"os": "windows"}, "name": "win2022-sqlstd", "usage_operation": WINDOWS},
            WINDOWS_STD,
            id="the text that says most",
        ),
        pytest.param(
            {"tags": {"os": "rhel"}, "name": "rhel8-ha-cluster", "usage_operation": RHEL},
            RHEL_HA,
            id="the name over the tag",
        ),
        pytest.param(
            {"name": "rhel9", "description": "built on ubuntu 22.04", "usage_operation": PLAIN},
            PLAIN,
            id="the one that the code bears out",
        ),
        pytest.param(
            {"tags": {"os": "sles"}, "name": "rhel9", "usage_operation": RHEL},
            RHEL,
            id="the same, the second",
        ),
        pytest.param(
            {"tags": {"os": "sles"}, "name": "rhel9", "usage_operation": PLAIN},
            SUSE,
            id="the first, if none is borne out",
        ),
    ],
)
def test_texts_are_read_together(clues, code):
    assert expect(Clues(**clues)).usage_operation == code


@pytest.mark.parametrize(
    ("clues", "code"),
    [
        pytest.param({"name": "windows-gateway"}, WINDOWS, id="no tag"),
        pytest.param({"name": "windows-gateway", "tags": {"os": "Linux"}}, None, id="Linux"),
        pytest.param(
            {"name": "windows-gateway", "tags": {"platform": "Linux/UNIX"}}, None, id="Linux/UNIX"
        ),
        pytest.param(
            {"name": "windows-gateway", "tags": {"team": "linux"}}, WINDOWS, id="another tag"
        ),
        pytest.param(
            {"name": "windows-gateway", "tags": {"os": "linux"}, "platform": "windows"},
            WINDOWS,
            id="AWS says windows",
        ),
        pytest.param({"name": "rhel9", "tags": {"os": "linux"}}, RHEL, id="RHEL is Linux"),
    ],
)
def test_what_is_tagged_as_linux_is_no_windows(clues, code):
    assert expect(Clues(usage_operation=PLAIN, **clues)).usage_operation == code


@pytest.mark.parametrize(
    ("clues", "code", "source"),
    [
        pytest.param({"name": "erp-sqlstd"}, WINDOWS, "platform", id="no system in the name"),
        pytest.param({"name": "win2019-sqlstd"}, WINDOWS_STD, "name", id="SQL in the name"),
        pytest.param({"name": "rhel9"}, WINDOWS, "platform", id="another system in the name"),
        pytest.param({"tags": {"os": "sql2019-standard"}}, WINDOWS_STD, "tag", id="SQL in the tag"),
        pytest.param({"name": "win2019-byol"}, WINDOWS_BYOL, "name", id="brought"),
        pytest.param({"name": "win2019-sql-express"}, WINDOWS, "name", id="SQL Express"),
    ],
)
def test_the_platform_of_aws_stands_behind_a_text(clues, code, source):
    found = expect(Clues(platform="windows", usage_operation=WINDOWS, **clues))

    assert (found.usage_operation, found.source) == (code, source)


@pytest.mark.parametrize("link", [instance(PLAIN), image(PLAIN), image(PLAIN, is_copy=True)])
def test_a_plain_link_says_nothing_of_windows(link):
    clues = Clues(usage_operation=PLAIN, platform="windows", links=(link,))

    assert summary(clues) == (WINDOWS, "platform", "medium")


def test_a_tag_of_linux_silences_no_name_that_aws_bears_out():
    clues = Clues(name="windows-gateway", tags={"os": "linux"}, platform="windows")

    assert [item.source for item in expect(clues).evidence] == ["name", "platform"]


def test_the_name_of_a_vendors_image_is_read_once():
    clues = Clues(owner_id=CANONICAL, name="ubuntu-pro-server/images/x", usage_operation=PLAIN)

    assert [item.source for item in expect(clues).evidence] == ["owner"]


def test_what_red_hat_sells_on_the_marketplace_is_expected_and_excused():
    clues = Clues(usage_operation=PLAIN, name="golden", product_codes=(RED_HAT_CODE,))

    found = compare(ImageFacts(PLAIN, expect(clues), is_marketplace=True))

    assert found.verdict == "excused"


def test_what_is_brought_onto_windows_of_aws_is_not_windows_itself():
    clues = Clues(WINDOWS, name="windows-2019-tableau-byol", platform="windows")

    assert summary(clues) == (WINDOWS, "name", "medium")


MARKETPLACE = "679593333241"


@pytest.mark.parametrize(
    "name",
    [
        "CIS Red Hat Enterprise Linux 8 Benchmark - Level 1 - v2.0.0.4",
        "CIS Microsoft Windows Server 2019 Benchmark - Level 2 - v2.0.0.14",
        "ubuntu-pro-server/images/hvm-ssd/ubuntu-xenial-16.04-amd64-pro-serv-cf418943",
        "suse-sles-15-sp4-v20220621-hvm-ssd-x86_64-2dd7b8b6",
        "RHEL-8.6.0_HVM-20220503-x86_64-2-Marketplace-GP2",
        "SQL Server 2019 Standard on Ubuntu 20.04",
        "CentOS-7-2111-20220825_1.x86_64-d9a3032a-921c-4c6d-b150-bde168105e42",
        "Check Point CloudGuard IaaS BYOL R81.10-335.883",
    ],
)
@pytest.mark.parametrize(
    "owner",
    [
        pytest.param({"owner_id": MARKETPLACE}, id="the account of the Marketplace"),
        pytest.param({"owner_id": "345084742485"}, id="in GovCloud"),
        pytest.param({"owner_id": "1", "owner_alias": "aws-marketplace"}, id="its alias"),
    ],
)
def test_nothing_is_read_from_what_a_seller_calls_an_image(name, owner):
    clues = Clues(usage_operation=PLAIN, name=name, description=name, platform="windows", **owner)

    assert expect(clues) == NOTHING


def test_a_sellers_image_that_an_image_came_from_has_not_lost_its_code():
    link = image(PLAIN, name="RHEL-8.6.0_HVM-2022-Marketplace-GP2", owner_id=MARKETPLACE)

    assert expect(Clues(usage_operation=PLAIN, links=(link,))).usage_operation == PLAIN


@pytest.mark.parametrize(
    ("name", "actual", "platform", "code", "says"),
    [
        pytest.param("Tableau - Windows - BYOL", WINDOWS, "", WINDOWS, "ok", id="brought"),
        pytest.param("win2019-tableau-byol", PLAIN, "", WINDOWS, "lost", id="brought, lost"),
        pytest.param("win2019-sql2019-std", WINDOWS, "windows", WINDOWS, "ok", id="no SQL of AWS"),
        pytest.param("win2019-sqlstd", WINDOWS_STD, "", WINDOWS_STD, "ok", id="SQL of AWS"),
        pytest.param("windows-2019", PLAIN, "", WINDOWS, "lost", id="Windows is never plain"),
        pytest.param("rhel9", PLAIN, "", None, "unknown", id="RHEL of a seller"),
        pytest.param("rhel9", None, "", None, "unknown", id="not recorded"),
        pytest.param("rhel9", RHEL, "", RHEL, "ok", id="RHEL of AWS"),
        pytest.param("rocky-9", RHEL, "", None, "unknown", id="another system of a seller"),
        pytest.param("rocky-9", PLAIN, "", PLAIN, "ok", id="billed as such"),
    ],
)
def test_the_name_of_a_product_tells_the_system_and_no_more(name, actual, platform, code, says):
    clues = Clues(actual, name=name, platform=platform, product_codes=("abc",))

    assert expect(clues).usage_operation == code
    assert verdict(clues) == says


@pytest.mark.parametrize(
    ("name", "actual", "code", "says"),
    [
        pytest.param("nagios-windows-monitor", PLAIN, None, "unknown", id="accuses none"),
        pytest.param("nagios-windows-monitor", RHEL, None, "unknown", id="nor another"),
        pytest.param("nagios-windows-monitor", WINDOWS, WINDOWS, "ok", id="confirms"),
        pytest.param("nagios-windows-monitor", None, WINDOWS, "unknown", id="not recorded"),
        pytest.param("acme-rhel-20240101", PLAIN, None, "unknown", id="a date is no version"),
        pytest.param("acme-rhel-9", PLAIN, RHEL, "lost", id="a version"),
        pytest.param("golden-rhel", PLAIN, RHEL, "lost", id="first of all"),
        pytest.param("acme-ubuntu-sqlstd", PLAIN, "RunInstances:0004", "lost", id="an edition"),
        pytest.param("acme-debian", RHEL, PLAIN, "unexpected", id="another system"),
    ],
)
def test_a_mere_word_in_a_name_confirms_and_does_not_accuse(name, actual, code, says):
    clues = Clues(actual, name=name)

    assert expect(clues).usage_operation == code
    assert verdict(clues) == says


def test_a_declared_code_that_cannot_be_decoded_gives_no_verdict():
    found = expect(Clues(usage_operation=RHEL, declared="RunInstances:FFP-1"))

    assert found.platform == "RunInstances:FFP-1"
    assert compare(ImageFacts(RHEL, found)).verdict == "unknown"


@pytest.mark.parametrize(
    ("clues", "code", "source", "confidence"),
    [
        pytest.param(
            {"patterns": (pattern(RHEL, "strong"),)}, RHEL, "declared", "strong", id="policy"
        ),
        pytest.param({"patterns": (pattern(RHEL),)}, RHEL, "pattern", "medium", id="medium"),
        pytest.param({"patterns": (pattern(RHEL, "weak"),)}, RHEL, "pattern", "weak", id="weak"),
        pytest.param(
            {"patterns": (pattern(RHEL, "strong", text="silver*"),)},
            None,
            "none",
            "none",
            id="no fit",
        ),
        pytest.param(
            {"declared": SUSE, "patterns": (pattern(RHEL, "strong"),)},
            SUSE,
            "declared",
            "strong",
            id="what is declared of an image beats a policy",
        ),
        pytest.param(
            {"links": (instance(SUSE),), "patterns": (pattern(RHEL, "strong"),)},
            RHEL,
            "declared",
            "strong",
            id="a policy beats where it came from",
        ),
        pytest.param(
            {"links": (instance(SUSE),), "patterns": (pattern(RHEL),)},
            SUSE,
            "instance",
            "medium",
            id="where it came from beats a pattern, with a doubt",
        ),
        pytest.param(
            {"links": (instance(SUSE, is_recorded=False),), "patterns": (pattern(SUSE),)},
            SUSE,
            "instance",
            "medium",
            id="also where a text alone tells it",
        ),
        pytest.param(
            {"tags": {"os": "sles"}, "patterns": (pattern(RHEL, "weak"),)},
            RHEL,
            "pattern",
            "weak",
            id="a pattern comes before what is built in",
        ),
        pytest.param(
            {"platform": "windows", "patterns": (pattern(WINDOWS_STD, "weak"),)},
            WINDOWS_STD,
            "platform",
            "medium",
            id="a text that says less speaks for the pattern",
        ),
        pytest.param(
            {"patterns": (pattern(RHEL, "strong"), pattern(SUSE, "strong"))},
            RHEL,
            "declared",
            "medium",
            id="policies that disagree",
        ),
        pytest.param(
            {"patterns": (pattern(RHEL, "strong"), pattern(SUSE, "weak"))},
            RHEL,
            "declared",
            "strong",
            id="a policy and a hint",
        ),
        pytest.param(
            {
                "declared": RHEL,
                "patterns": (pattern(RHEL, "strong"), pattern(SUSE, "strong")),
            },
            RHEL,
            "declared",
            "strong",
            id="a declaration settles what policies do not",
        ),
        pytest.param(
            {"patterns": (pattern(RHEL), pattern(SUSE))},
            RHEL,
            "pattern",
            "weak",
            id="patterns that disagree",
        ),
        pytest.param(
            {
                "usage_operation": SUSE,
                "patterns": (pattern(RHEL, "strong"), pattern(SUSE, "strong")),
            },
            SUSE,
            "declared",
            "medium",
            id="the one that the code bears out comes first",
        ),
        pytest.param(
            {
                "usage_operation": SUSE,
                "account": 7,
                "patterns": (pattern(SUSE, "strong"), pattern(RHEL, "strong", account=7)),
            },
            RHEL,
            "declared",
            "medium",
            id="but the exception for an account before it",
        ),
        pytest.param(
            {"account": 8, "patterns": (pattern(RHEL, "strong", account=7),)},
            None,
            "none",
            "none",
            id="for another account",
        ),
    ],
)
def test_patterns_of_administrators_speak(clues, code, source, confidence):
    assert summary(Clues(name="golden-base", **clues)) == (code, source, confidence)


def test_patterns_that_disagree_are_both_shown():
    found = expect(Clues(name="golden", patterns=(pattern(RHEL), pattern(SUSE, "weak"))))

    assert [(item.source, item.strength, item.usage_operation) for item in found.evidence] == [
        ("pattern", "medium", RHEL),
        ("pattern", "weak", SUSE),
    ]


codes = st.none() | st.just("") | st.sampled_from([row.usage_operation for row in TABLE])
links = st.lists(
    st.builds(
        Link,
        st.sampled_from(["instance", "image"]),
        st.just("x-1"),
        codes,
        name=st.sampled_from(["", "golden", "rhel9", "sles-15", "ubuntu-22.04"]),
        is_recorded=st.booleans(),
        is_copy=st.booleans(),
        has_changed=st.booleans(),
        may_have_changed=st.booleans(),
    ),
    max_size=4,
).map(tuple)
names = st.sampled_from(["", "golden", "rhel9", "win2019-sqlstd", "sles15-byos", "web-al2023"])
every_clue = st.builds(
    Clues,
    usage_operation=codes,
    declared=st.sampled_from(["", RHEL]),
    name=names,
    description=names,
    tags=st.dictionaries(st.sampled_from(["os", "team"]), names),
    platform=st.sampled_from(["", "windows"]),
    links=links,
    patterns=st.lists(
        st.builds(
            pattern,
            st.sampled_from([row.usage_operation for row in TABLE]),
            st.sampled_from(["strong", "medium", "weak"]),
            st.sampled_from(["*", "golden*", "*9"]),
        ),
        max_size=2,
    ).map(tuple),
)


@given(every_clue)
def test_what_is_expected_is_what_its_source_says(found_clues):
    found = expect(found_clues)

    assert (found.usage_operation is None) == (found.evidence == ())
    assert found.usage_operation is None or is_published(found.usage_operation)
    assert found == NOTHING or (found.source, found.usage_operation) in {
        (item.source, item.usage_operation) for item in found.evidence
    }


@given(every_clue)
def test_sources_that_all_agree_keep_their_strength(found_clues):
    found = expect(found_clues)
    agree = len({parts(item.usage_operation) for item in found.evidence}) < 2
    strongest = {item.strength for item in found.evidence if item.source == found.source}

    assert not agree or found == NOTHING or found.confidence in strongest


@given(st.sampled_from([row.usage_operation for row in TABLE]))
def test_an_image_billed_as_its_instance_is_verified(code):
    assert verdict(Clues(usage_operation=code, links=(instance(code),))) == "ok"


WORDS = (
    *("windows", "Windows_Server", "2019", "rhel", "RHEL_HA", "8.6", "sles", "15", "sp4", "suse"),
    *("ubuntu", "pro", "22.04", "SQL_2019", "Standard", "Express", "byol", "byos", "Hourly2"),
    *("Access2", "amzn2", "golden", "for", "twin", "sales", "AwsBackup", "sap", "linux", "é", ""),
)
any_name = st.builds(
    lambda words, glue: glue.join(words),
    st.lists(st.sampled_from(WORDS), max_size=7),
    st.sampled_from(["-", "_", " ", "", "/"]),
)


@given(any_name, any_name, st.sampled_from([None, "", *(row.usage_operation for row in TABLE)]))
def test_what_a_customer_writes_alone_is_a_weak_sign(name, description, code):
    clues = Clues(code, name=name, description=description, owner_id="123456789012")

    assert expect(clues).confidence in ("weak", "none")
    assert expect(Clues(code, name=name, owner_id=MARKETPLACE)) == NOTHING
