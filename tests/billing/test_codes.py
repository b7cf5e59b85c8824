import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.billing.codes import (
    BROUGHT,
    PLAIN,
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SQL_EDITIONS,
    SQL_ENTERPRISE,
    SQL_STANDARD,
    SQL_WEB,
    SUSE,
    TABLE,
    UBUNTU_PRO,
    WINDOWS,
    WINDOWS_BYOL,
    canonical,
    compose,
    could_become,
    from_platform_details,
    in_order,
    is_known,
    is_published,
    label,
    normalize_reserved_platform,
    parts,
    recorded_code,
    reserved_platform,
)

LICENCES = (
    WINDOWS,
    WINDOWS_BYOL,
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SUSE,
    UBUNTU_PRO,
    SQL_STANDARD,
    SQL_ENTERPRISE,
    SQL_WEB,
)
# As AWS publishes it: code, text, licences in it, who sells them, and the platform that pays.
PUBLISHED: tuple[tuple[str, str, set[str], str, str | None], ...] = (
    ("RunInstances", "Linux/UNIX", set(), "none", "Linux/UNIX"),
    ("RunInstances:00g0", "Red Hat BYOL Linux", {RHEL_BYOL}, "yours", "Linux/UNIX"),
    (
        "RunInstances:0010",
        "Red Hat Enterprise Linux",
        {RHEL},
        "AWS",
        "Red Hat Enterprise Linux",
    ),
    (
        "RunInstances:1010",
        "Red Hat Enterprise Linux with HA",
        {RHEL, RHEL_HA},
        "AWS",
        "Red Hat Enterprise Linux with HA",
    ),
    (
        "RunInstances:1014",
        "Red Hat Enterprise Linux with SQL Server Standard and HA",
        {RHEL, RHEL_HA, SQL_STANDARD},
        "AWS",
        None,
    ),
    (
        "RunInstances:1110",
        "Red Hat Enterprise Linux with SQL Server Enterprise and HA",
        {RHEL, RHEL_HA, SQL_ENTERPRISE},
        "AWS",
        None,
    ),
    (
        "RunInstances:0014",
        "Red Hat Enterprise Linux with SQL Server Standard",
        {RHEL, SQL_STANDARD},
        "AWS",
        None,
    ),
    (
        "RunInstances:0210",
        "Red Hat Enterprise Linux with SQL Server Web",
        {RHEL, SQL_WEB},
        "AWS",
        None,
    ),
    (
        "RunInstances:0110",
        "Red Hat Enterprise Linux with SQL Server Enterprise",
        {RHEL, SQL_ENTERPRISE},
        "AWS",
        None,
    ),
    (
        "RunInstances:0100",
        "SQL Server Enterprise",
        {SQL_ENTERPRISE},
        "AWS",
        "Linux with SQL Server Enterprise",
    ),
    (
        "RunInstances:0004",
        "SQL Server Standard",
        {SQL_STANDARD},
        "AWS",
        "Linux with SQL Server Standard",
    ),
    ("RunInstances:0200", "SQL Server Web", {SQL_WEB}, "AWS", "Linux with SQL Server Web"),
    ("RunInstances:000g", "SUSE Linux", {SUSE}, "AWS", "SUSE Linux"),
    ("RunInstances:0g00", "Ubuntu Pro", {UBUNTU_PRO}, "AWS", None),
    ("RunInstances:0002", "Windows", {WINDOWS}, "AWS", "Windows"),
    ("RunInstances:0800", "Windows BYOL", {WINDOWS_BYOL}, "yours", None),
    (
        "RunInstances:0102",
        "Windows with SQL Server Enterprise",
        {WINDOWS, SQL_ENTERPRISE},
        "AWS",
        "Windows with SQL Server Enterprise",
    ),
    (
        "RunInstances:0006",
        "Windows with SQL Server Standard",
        {WINDOWS, SQL_STANDARD},
        "AWS",
        "Windows with SQL Server Standard",
    ),
    (
        "RunInstances:0202",
        "Windows with SQL Server Web",
        {WINDOWS, SQL_WEB},
        "AWS",
        "Windows with SQL Server Web",
    ),
)
rows = pytest.mark.parametrize(
    ("code", "text", "licences", "sold_by", "paid_by"),
    [pytest.param(*row, id=row[0]) for row in PUBLISHED],
)
digits = st.text("0123456789abcdefghijklmnopqrstuv", min_size=4, max_size=4)


def test_the_table_has_the_published_codes_and_no_other():
    assert [(row.usage_operation, row.platform_details) for row in TABLE] == [
        (code, text) for code, text, *_ in PUBLISHED
    ]


@rows
def test_a_published_code_is_decoded(code, text, licences, sold_by, paid_by):
    assert parts(code) == licences
    assert compose(frozenset(licences)) == code
    assert is_published(code)


@rows
def test_a_published_code_has_its_text(code, text, licences, sold_by, paid_by):
    assert label(code) == text
    assert from_platform_details(text) == code


@rows
def test_a_published_code_is_paid_by_one_platform_or_by_none(
    code, text, licences, sold_by, paid_by
):
    assert reserved_platform(code) == paid_by


@rows
def test_a_published_code_says_who_sells_its_licence(code, text, licences, sold_by, paid_by):
    found = next(row for row in TABLE if row.usage_operation == code)

    assert found.licence == sold_by


@rows
def test_a_spot_instance_has_the_same_code(code, text, licences, sold_by, paid_by):
    spot = f"{code}:SV006"

    assert canonical(spot) == code
    assert parts(spot) == licences
    assert label(spot) == text
    assert is_published(spot)
    assert reserved_platform(spot) == paid_by


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("", id="left empty"),
        pytest.param("Hourly", id="an operation of something else"),
        pytest.param("RunInstances:FFP-0010", id="a code of GovCloud"),
        pytest.param("RunInstances:FFP-0010:SV001", id="a code of GovCloud on Spot"),
        pytest.param("RunInstances:001", id="three digits"),
        pytest.param("RunInstances:00100", id="five digits"),
        pytest.param("RunInstances:", id="no digits"),
        pytest.param("RunInstances:001w", id="a letter beyond base 32"),
        pytest.param("RunInstances:00G0", id="an upper-case letter"),
        pytest.param("runinstances", id="lower case"),
        pytest.param("RunInstances:0010:XX001", id="an unknown suffix"),
        pytest.param("RunInstances:0010:SV", id="Spot without a zone"),
        pytest.param("CreateVolume:0010", id="another action"),
        pytest.param("RunInstances:0010\nRunInstances", id="two codes"),
    ],
)
def test_what_cannot_be_decoded_is_no_code(code):
    assert canonical(code) is None
    assert parts(code) is None
    assert not is_published(code)
    assert reserved_platform(code) is None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(None, "Not recorded", id="never recorded"),
        pytest.param("", "No platform details", id="left empty"),
        pytest.param("RunInstances:FFP-0010", "RunInstances:FFP-0010", id="not decoded"),
        pytest.param("RunInstances:1210", "RHEL + RHEL HA + SQL Server Web", id="not published"),
        pytest.param("RunInstances:0018", "RHEL + bit 3", id="one bit of no known meaning"),
        pytest.param("RunInstances:4009", "bit 0 + bit 3 + bit 17", id="several unknown bits"),
        pytest.param("RunInstances:0000", "Linux/UNIX", id="plain, written out"),
    ],
)
def test_every_code_has_a_label(code, text):
    assert label(code) == text


def test_a_code_that_was_never_recorded_has_no_licences_known():
    assert parts(None) is None
    assert reserved_platform(None) is None


@pytest.mark.parametrize("code", ["RunInstances:1210", "RunInstances:0018", "RunInstances:0g04"])
def test_no_platform_is_guessed_for_a_code_never_published(code):
    assert not is_published(code)
    assert reserved_platform(code) is None


def test_blanks_around_a_code_do_not_matter():
    assert canonical(" RunInstances:0010 ") == "RunInstances:0010"


@given(digits)
@example("0000")
@example("vvvv")
def test_composing_undoes_decoding(code):
    found = parts(f"{PLAIN}:{code}")

    assert found is not None
    assert compose(found) == canonical(f"{PLAIN}:{code}")


@given(st.frozensets(st.sampled_from(LICENCES)))
def test_decoding_undoes_composing(licences):
    assert parts(compose(licences)) == licences


@given(digits, digits)
def test_two_codes_never_look_equal_when_they_are_not(one, other):
    assert (parts(f"{PLAIN}:{one}") == parts(f"{PLAIN}:{other}")) == (one == other)


@given(digits)
def test_a_label_names_every_licence_once(code):
    licences = in_order(parts(f"{PLAIN}:{code}") or frozenset())

    assert len(set(licences)) == len(licences)
    assert is_published(f"{PLAIN}:{code}") or label(f"{PLAIN}:{code}") == " + ".join(licences)


def test_licences_come_in_the_order_in_which_people_name_them():
    every = {*LICENCES, "bit 12", "bit 3"}

    assert in_order(frozenset(every)) == [*LICENCES, "bit 3", "bit 12"]


@pytest.mark.parametrize(
    ("licences", "known"),
    [
        pytest.param(set(), True, id="none"),
        pytest.param({RHEL, SQL_WEB}, True, id="all with a name"),
        pytest.param({RHEL, "bit 3"}, False, id="one without a name"),
    ],
)
def test_a_bit_without_a_meaning_is_not_known(licences, known):
    assert is_known(frozenset(licences)) is known


def test_the_groups_of_licences():
    assert {SQL_STANDARD, SQL_ENTERPRISE, SQL_WEB} == SQL_EDITIONS
    assert {WINDOWS_BYOL, RHEL_BYOL} == BROUGHT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(
            "Red Hat Enterprise Linux with High Availability", "RunInstances:1010", id="HA in full"
        ),
        pytest.param("Linux with SQL Server Standard", "RunInstances:0004", id="purchase, std"),
        pytest.param("Linux with SQL Server Web", "RunInstances:0200", id="purchase, web"),
        pytest.param(
            "Linux with SQL Server Enterprise", "RunInstances:0100", id="purchase, enterprise"
        ),
        pytest.param("RHEL with HA", "RunInstances:1010", id="capacity, HA"),
        pytest.param("RHEL with SQL Server Standard", "RunInstances:0014", id="capacity, standard"),
        pytest.param("RHEL with SQL Server Web", "RunInstances:0210", id="capacity, web"),
        pytest.param(
            "RHEL with SQL Server Enterprise", "RunInstances:0110", id="capacity, enterprise"
        ),
        pytest.param(
            "RHEL with HA and SQL Server Standard", "RunInstances:1014", id="capacity, HA standard"
        ),
        pytest.param(
            "RHEL with HA and SQL Server Enterprise",
            "RunInstances:1110",
            id="capacity, HA enterprise",
        ),
        pytest.param("Linux/UNIX (Amazon VPC)", "RunInstances", id="in a VPC"),
        pytest.param("Windows (Amazon VPC) ", "RunInstances:0002", id="in a VPC, with a blank"),
        pytest.param("SUSE LINUX", "RunInstances:000g", id="in capitals"),
        pytest.param("Windows with SQL Server", None, id="an edition left open"),
        pytest.param("Solaris", None, id="unknown"),
        pytest.param("", None, id="empty"),
    ],
)
def test_a_text_of_any_interface_names_its_code(text, code):
    assert from_platform_details(text) == code


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        pytest.param("RunInstances:0010", "Windows", "RunInstances:0010", id="the code counts"),
        pytest.param(None, "Windows", "RunInstances:0002", id="a text alone"),
        pytest.param(None, "Solaris", None, id="a text nobody knows"),
        pytest.param(None, "", None, id="an empty text is no code"),
        pytest.param(None, None, None, id="neither"),
        pytest.param("", "Windows", "", id="a code left empty stays empty"),
    ],
)
def test_a_text_stands_for_a_code_that_was_never_recorded(code, text, found):
    assert recorded_code(code, text) == found


@pytest.mark.parametrize(
    ("description", "platform"),
    [
        pytest.param("Linux/UNIX (Amazon VPC)", "Linux/UNIX", id="in a VPC"),
        pytest.param(" Linux/UNIX", "Linux/UNIX", id="a blank before"),
        pytest.param("linux/unix", "Linux/UNIX", id="small letters"),
        pytest.param(
            "Red Hat Enterprise Linux with High Availability",
            "Red Hat Enterprise Linux with HA",
            id="HA in full",
        ),
        pytest.param(
            "SQL Server Standard", "Linux with SQL Server Standard", id="as an instance says it"
        ),
        pytest.param("Windows (Amazon VPC) of old", "Windows (Amazon VPC) of old", id="not an end"),
        pytest.param("Ubuntu Pro", "Ubuntu Pro", id="no purchase pays for it"),
        pytest.param("Solaris (Amazon VPC)", "Solaris", id="unknown"),
    ],
)
def test_the_platform_of_a_purchase_has_one_spelling(description, platform):
    assert normalize_reserved_platform(description) == platform


@rows
def test_the_platform_of_every_purchase_is_spelled_as_the_codes_spell_it(
    code, text, licences, sold_by, paid_by
):
    platform = paid_by or text

    assert normalize_reserved_platform(f"{platform} (Amazon VPC)") == platform


@pytest.mark.parametrize(
    ("before", "after", "can"),
    [
        pytest.param({RHEL}, {RHEL}, True, id="nothing changes"),
        pytest.param(set(), set(), True, id="plain stays plain"),
        pytest.param({RHEL}, {RHEL_BYOL}, True, id="a Red Hat subscription of one's own"),
        pytest.param({RHEL_BYOL}, {RHEL}, True, id="Red Hat through AWS"),
        pytest.param(set(), {UBUNTU_PRO}, True, id="Ubuntu to Pro"),
        pytest.param(set(), {RHEL}, True, id="RHEL for AWS"),
        pytest.param({UBUNTU_PRO}, set(), False, id="Pro is one way"),
        pytest.param({RHEL}, set(), False, id="RHEL lost"),
        pytest.param(set(), {SUSE}, False, id="SUSE gained"),
        pytest.param({SUSE}, set(), False, id="SUSE lost"),
        pytest.param({RHEL, RHEL_HA}, {RHEL}, False, id="HA lost"),
        pytest.param({RHEL, RHEL_HA}, {RHEL_BYOL}, False, id="HA is not in the list"),
        pytest.param({WINDOWS_BYOL}, {WINDOWS}, True, id="Windows through AWS"),
        pytest.param({WINDOWS}, {WINDOWS_BYOL}, True, id="Windows of one's own"),
        pytest.param({WINDOWS_BYOL}, {WINDOWS, SQL_STANDARD}, True, id="Windows and SQL"),
        pytest.param({WINDOWS, SQL_WEB}, {WINDOWS_BYOL}, True, id="both of one's own"),
        pytest.param({WINDOWS}, {WINDOWS, SQL_ENTERPRISE}, True, id="SQL Server through AWS"),
        pytest.param({WINDOWS, SQL_STANDARD}, {WINDOWS}, False, id="SQL Server lost"),
        pytest.param(
            {WINDOWS, SQL_STANDARD}, {WINDOWS, SQL_ENTERPRISE}, False, id="another edition"
        ),
        pytest.param({WINDOWS}, set(), False, id="Windows lost"),
        pytest.param(set(), {WINDOWS}, False, id="Windows out of nothing"),
        pytest.param({SQL_STANDARD}, {WINDOWS, SQL_STANDARD}, False, id="Linux to Windows"),
        pytest.param({WINDOWS, SQL_STANDARD}, {SQL_STANDARD}, False, id="Windows lost, SQL kept"),
        pytest.param({WINDOWS}, {RHEL}, False, id="another system"),
        pytest.param({WINDOWS, RHEL}, {WINDOWS_BYOL}, False, id="a mixture"),
        pytest.param({WINDOWS}, {WINDOWS_BYOL, RHEL}, False, id="to a mixture"),
        pytest.param({WINDOWS_BYOL}, {SQL_STANDARD}, False, id="Windows exchanged for SQL"),
        pytest.param({SQL_STANDARD}, {WINDOWS_BYOL}, False, id="SQL exchanged for Windows"),
    ],
)
def test_what_aws_converts(before, after, can):
    assert could_become(frozenset(before), frozenset(after)) is can
