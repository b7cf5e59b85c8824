import pytest

from registry.billing.codes import SQL_ENTERPRISE, SQL_STANDARD, SQL_WEB, is_published
from registry.billing.patterns import (
    BYOL,
    BYOL_OF_SYSTEM,
    COMES_FIRST,
    DESCRIBES,
    EDITIONS,
    FREE_EDITION,
    HIGH_AVAILABILITY,
    NOT_A_LICENCE,
    OTHER_SYSTEM,
    RED_HAT_MARKETPLACE,
    VENDOR_NAMES,
    VERSION,
    WORDS,
)


def test_a_vendor_is_expected_to_use_published_codes():
    assert {
        row.usage_operation for row in VENDOR_NAMES if not is_published(row.usage_operation)
    } == (set())


def test_an_owner_is_an_account():
    owners = {owner for row in VENDOR_NAMES for owner in row.owners}

    assert {owner for owner in owners if len(owner) != 12 or not owner.isdecimal()} == set()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("6cd5fxzrad0cu2j23p692xytz", id="RHEL for AWS, North America and global"),
        pytest.param("6t1yup6mik9ng3ge36n33xqhw", id="RHEL for AWS, EMEA"),
        pytest.param("du6111oq9lwrc996awt04qyql", id="RHEL for SAP"),
        pytest.param("952qwcsxkm430zxhpy32i7w8g", id="RHEL for SAP, the other"),
    ],
)
def test_the_product_codes_of_red_hat_are_known(code):
    assert code in RED_HAT_MARKETPLACE


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("win2019-mysql", "win2019- ", id="another kind of SQL"),
        pytest.param("rhel9 for windows", "rhel9  ", id="somewhere else"),
        pytest.param("rhel9-base", "rhel9-base", id="a licence stays"),
        pytest.param("casino-rhel9", "casino-rhel9", id="the end of a word is no word"),
        pytest.param("photo-windows", "photo-windows", id="nor does it point elsewhere"),
        pytest.param("linux-windows", "linux-windows", id="nor is it a kind of windows"),
    ],
)
def test_what_only_looks_like_a_licence_is_taken_away(text, left):
    assert NOT_A_LICENCE.sub(" ", text) == left


# Every pattern but those of vendors, and of each what it fits and what it does not.
CASES = {
    OTHER_SYSTEM: (
        *(("rocky-9", True), ("AlmaLinux OS 9", True), ("alma8", True), ("CentOS Stream", True)),
        *(("oracle linux 8", True), ("ol9-base", True), ("Fedora", True), ("debian-12", True)),
        *(("amzn2-ami", True), ("al2023-web", True), ("Amazon Linux 2", True), ("x-al2", True)),
        *(("bottlerocket", True), ("flatcar", True), ("core-os", True), ("ubuntu-22.04", True)),
        *(("FreeBSD 14", True), ("alpine", True), ("arch-linux", True), ("macOS", True)),
        *(("kali", True), ("ubuntu-pro-22.04", False), ("ubuntu-production", True)),
        *(("almanac", False), ("ol4", False), ("al22", False), ("kalium", False), ("rhel9", False)),
    ),
    DESCRIBES: (
        *(("RHEL 9 base", True), ("A golden Windows image", True), ("our hardened SLES", True)),
        *(("Ubuntu Pro", True), ("for a team, RHEL 9.4", True), ("with windows server 2019", True)),
        *(("on win2016", True), ("has SQL Server 2019", True), ("the new SUSE Linux 15", True)),
        *(("runs ubuntu-pro-22", True), ("like windows", False), ("agent for RHEL", False)),
        *(("beside SQL", False), ("windowsill", False), ("web tier", False)),
    ),
    COMES_FIRST: (
        *(("RHEL 9 base", True), ("golden-windows", True), ("(ubuntu pro)", True)),
        *(("on win2016", False), ("my-rhel9", False), ("windowsill", False)),
    ),
    VERSION: (
        *(("rhel9", True), ("RHEL-8.4", True), ("red hat enterprise linux 9", True)),
        *(("rhel-ha-8", True), ("rhel10", True), ("rhel4", False), ("rhel11", False)),
        *(("rhel2024", False), ("rhel", False), ("sles15", True), ("SUSE Linux 12", True)),
        *(("sles 17", False), ("suse", False), ("win2019", True), ("windows-server-2022", True)),
        *(("winsrv-2025", True), ("WinServer2012", True), ("win-srv2019", True)),
        *(("64bit Windows Server Core 2022", True), ("windows core", False)),
        *(("w2k16", True), ("win2k8", True), ("sql2019", True), ("sql server 2017", True)),
        *(("win10", False), ("windows 2020", False), ("windows-20240101", False)),
        *(("ubuntu-pro-22.04", True), ("ubuntu pro focal 2004", True), ("ubuntu-pro", False)),
        *(("ubuntu-22.04", False), ("web", False)),
    ),
    WORDS["windows"]: (
        *(("Windows", True), ("mswindows-2016", True), ("windowsserver2019", True)),
        *(("win2022-core", True), ("winsrv-2025", True), ("w2k19", True), ("windowsill", False)),
        *(("win10", False), ("darwin2019", False), ("twin-2019", False), ("win20190101", False)),
    ),
    WORDS["rhel"]: (
        *(("rhel", True), ("RHEL-9", True), ("red hat 9", True), ("redhat-linux", True)),
        *(("rhelm", False), ("kirhel", False), ("red hat", False), ("red-hat-insights", False)),
    ),
    WORDS["suse"]: (
        *(("sles", True), ("SUSE-15", True), ("sle15", True), ("sle-12", True), ("sle14", False)),
        *(("sleek", False), ("measles", False), ("opensuse", False)),
    ),
    WORDS["ubuntu pro"]: (
        *(("ubuntu-pro", True), ("Ubuntu Pro 22.04", True), ("ubuntu/pro", True)),
        *(("ubuntupro", True), ("ubuntu-production", False), ("ubuntu", False)),
    ),
    WORDS["sap"]: (
        *(("sles-sap", True), ("SAP", True), ("hana2", True), ("sapling", False), ("asap", False)),
        *(("sapcal", True), ("sles-hdb", True), ("abap", True), ("s4h", True), ("s400", True)),
        *(("hdbx", False), ("ss4", False)),
    ),
    WORDS["linux"]: (
        *(("linux", True), ("ubuntu", True), ("amzn2", True), ("rhel", True), ("unix", False)),
    ),
    WORDS["ubuntu"]: (("my-ubuntu", True), ("debian", False)),
    BYOL: (
        *(("win-byol", True), ("sles-BYOS-15", True), ("rhel-access2", True)),
        *(("SQL (own license)", True), ("grown license", False)),
        *(("cloud access", True), ("bring your own license", True), ("byolumba", False)),
        *(("hobyol", False), ("access", False), ("cloud", False)),
    ),
    BYOL_OF_SYSTEM: (
        *(("win2019-byol", True), ("Windows Server 2019 Datacenter (BYOL)", True)),
        *(("byol-rhel9", True), ("sles-15-sp5-chost-byos-v1", True), ("x-access2-gp2", True)),
        *(("ubuntu-pro-22.04-byol", True), ("rhel 8 bring your own license", True)),
        *(("win2019-tableau-byol", False), ("byol-fortigate", False), ("rhel9-byolumba", False)),
        *(("hobyos", False), ("F5 BYOL for windows", False)),
    ),
    HIGH_AVAILABILITY: (
        *(("rhel-ha", True), ("RHEL 8.4 with HA", True), ("rhel-9-high-availability", True)),
        *(("enterprise linux ha", True), ("rhel-haproxy", False), ("rhel-ha-proxy", False)),
        *(("ha-rhel", False), ("sles-ha", False), ("rhel-hardened", False)),
    ),
    EDITIONS[SQL_ENTERPRISE]: (
        *(("sql2019-ent", True), ("SQL Server Enterprise", True), ("mssql-2019-r2-ent", True)),
        *(("sql2019-enter", False), ("enterprise", False), ("mysql-enterprise", False)),
    ),
    EDITIONS[SQL_STANDARD]: (
        *(("sqlstd", True), ("sql_2019_sp3_standard", True), ("sql server standard", True)),
        *(("standard", False), ("sql-stdlib", False), ("nosql-standard", False)),
    ),
    EDITIONS[SQL_WEB]: (
        *(("sqlweb", True), ("SQL_2019_Web", True), ("sql-server-web", True)),
        *(("sql-web", False), ("web-sql2019", False), ("sql2019-website", False)),
    ),
    FREE_EDITION: (
        *(("SQL_2019_Express", True), ("sql-developer", True), ("mssql2022 express", True)),
        *(("express", False), ("sql2019-web", False), ("mysql-express", False)),
    ),
}


def test_every_pattern_has_its_cases():
    single = {OTHER_SYSTEM, DESCRIBES, COMES_FIRST, VERSION, BYOL, BYOL_OF_SYSTEM}
    single |= {HIGH_AVAILABILITY, FREE_EDITION}

    assert CASES.keys() == single | set(WORDS.values()) | set(EDITIONS.values())
    assert all({is_fit for _, is_fit in cases} == {True, False} for cases in CASES.values())


@pytest.mark.parametrize(
    ("pattern", "text", "is_fit"),
    [
        pytest.param(pattern, text, is_fit, id=f"{number}-{text}")
        for number, (pattern, cases) in enumerate(CASES.items())
        for text, is_fit in cases
    ],
)
def test_what_a_pattern_fits(pattern, text, is_fit):
    assert (pattern.search(text) is not None) is is_fit
