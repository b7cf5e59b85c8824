"""What the names of images say: the vendors' public patterns, and words in free text.

Data, not code. Vendor patterns hold for images of the vendor's own accounts (commercial, China,
GovCloud); a name alone proves little, for everybody may use it.
"""

import re
from dataclasses import dataclass

from registry.billing.codes import PLAIN, SQL_ENTERPRISE, SQL_STANDARD, SQL_WEB

AMAZON = frozenset(
    {
        "137112412989",
        "591542846629",
        "102837901569",
        "013067466220",
        "141808717104",  # China
        "045324592363",  # GovCloud
    }
)
AMAZON_WINDOWS = frozenset(
    {
        "801119661308",
        "016951021795",  # China
        "077303321853",  # GovCloud
        # Regions that an account must opt in to have one each
        "442396546477",  # af-south-1
        "777534740333",  # ap-east-1
        "159365745649",  # ap-south-2
        "903064639964",  # ap-southeast-3
        "311529897437",  # ap-southeast-4
        "002667544638",  # ap-southeast-5
        "767398017123",  # ap-southeast-7
        "194652444849",  # ca-west-1
        "536790793924",  # eu-central-2
        "460214486919",  # eu-south-1
        "688423173695",  # eu-south-2
        "185158320714",  # il-central-1
        "878052572473",  # me-central-1
        "162367869970",  # me-south-1
        "574179025982",  # mx-central-1
    }
)
AMAZON_EKS = frozenset({"602401143452", "961992271922", "013241004608"})
DEEP_LEARNING = frozenset({"898082745236"})
RED_HAT = frozenset({"309956199498", "219670896067", "841258680906"})
RED_HAT_COREOS = frozenset({"531415883065"})
SUSE_ACCOUNT = frozenset({"013907871322", "841869936221"})
CANONICAL = frozenset({"099720109477", "513442679011", "837727238323"})
COMMUNITY = frozenset(
    {
        "136693071363",  # Debian
        "379101102735",  # Debian, before 2019
        "792107900819",  # Rocky
        "764336703387",  # AlmaLinux
        "125523088429",  # CentOS, Fedora
        "131827586825",  # Oracle Linux
        "075585003325",  # Flatcar
        "595879546273",  # CoreOS
        "782442783595",  # FreeBSD
    }
)
# What sellers publish under their names is billed as its own fields say. Commercial, GovCloud.
MARKETPLACE = frozenset({"679593333241", "345084742485"})


@dataclass(frozen=True, slots=True)
class VendorName:
    """Images of `owners` whose name fits are billed with `usage_operation`."""

    owners: frozenset[str]
    name: re.Pattern[str]
    usage_operation: str


def _is(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ANY_AMAZON = AMAZON | AMAZON_WINDOWS
# The first that fits decides: the special before the general.
VENDOR_NAMES = (
    VendorName(_ANY_AMAZON, _is(r"^(?=.*windows).*sql[_-]?\d{4}.*express"), f"{PLAIN}:0002"),
    VendorName(_ANY_AMAZON, _is(r"^(?=.*windows).*sql[_-]?\d{4}.*web"), f"{PLAIN}:0202"),
    VendorName(_ANY_AMAZON, _is(r"^(?=.*windows).*sql[_-]?\d{4}.*standard"), f"{PLAIN}:0006"),
    VendorName(_ANY_AMAZON, _is(r"^(?=.*windows).*sql[_-]?\d{4}.*enterprise"), f"{PLAIN}:0102"),
    VendorName(_ANY_AMAZON | DEEP_LEARNING, _is(r"windows[_ -]?server"), f"{PLAIN}:0002"),
    VendorName(_ANY_AMAZON | RED_HAT, _is(r"^rhel_ha.*sql.*enterprise"), f"{PLAIN}:1110"),
    VendorName(_ANY_AMAZON | RED_HAT, _is(r"^rhel_ha.*sql.*standard"), f"{PLAIN}:1014"),
    VendorName(_ANY_AMAZON | RED_HAT, _is(r"^rhel.*sql.*enterprise"), f"{PLAIN}:0110"),
    VendorName(_ANY_AMAZON | RED_HAT, _is(r"^rhel.*sql.*standard"), f"{PLAIN}:0014"),
    VendorName(_ANY_AMAZON | RED_HAT, _is(r"^rhel.*sql.*web"), f"{PLAIN}:0210"),
    VendorName(_ANY_AMAZON, _is(r"^(amzn|ubuntu).*sql.*enterprise"), f"{PLAIN}:0100"),
    VendorName(_ANY_AMAZON, _is(r"^(amzn|ubuntu).*sql.*standard"), f"{PLAIN}:0004"),
    VendorName(_ANY_AMAZON, _is(r"^(amzn|ubuntu).*sql.*web"), f"{PLAIN}:0200"),
    VendorName(_ANY_AMAZON, _is(r"^ubuntu.*sql[_-]?\d{4}.*express"), PLAIN),
    VendorName(_ANY_AMAZON, _is(r"^(amzn|al20)"), PLAIN),
    VendorName(AMAZON_EKS, _is(r"^amazon-eks-"), PLAIN),
    VendorName(DEEP_LEARNING, _is(r"^deep learning.*(ubuntu|amazon linux)"), PLAIN),
    VendorName(RED_HAT, _is(r"^rhel[-_ ].*access2"), f"{PLAIN}:00g0"),
    VendorName(RED_HAT, _is(r"^rhel_ha[-_].*hourly2"), f"{PLAIN}:1010"),
    VendorName(RED_HAT, _is(r"^rhel-\d.*hourly2"), f"{PLAIN}:0010"),
    VendorName(RED_HAT_COREOS, _is(r"^rhcos-"), PLAIN),
    VendorName(SUSE_ACCOUNT, _is(r"^suse-.*byos"), PLAIN),
    VendorName(SUSE_ACCOUNT, _is(r"^suse-sles-\d+(-sp\d+)?-v\d+"), f"{PLAIN}:000g"),
    VendorName(SUSE_ACCOUNT, _is(r"^opensuse"), PLAIN),
    VendorName(CANONICAL, _is(r"^ubuntu-pro"), f"{PLAIN}:0g00"),
    VendorName(CANONICAL, _is(r"^ubuntu(-minimal|-eks)?/"), PLAIN),
    VendorName(COMMUNITY, _is(r""), PLAIN),
)

# Red Hat sold through the Marketplace bills as plain Linux or BYOL: legitimate.
RED_HAT_MARKETPLACE = frozenset(
    {
        "6cd5fxzrad0cu2j23p692xytz",
        "6t1yup6mik9ng3ge36n33xqhw",
        "du6111oq9lwrc996awt04qyql",
        "952qwcsxkm430zxhpy32i7w8g",
    }
)

# Free text. What only looks like a licence is taken away first.
_NAMED = r"(?:rhel|red[-_ ]?hat(?:[-_ ]enterprise[-_ ]linux)?|windows|win|suse|sles)"
_ALONE = r"(?<![a-z])"
NOT_A_LICENCE = _is(
    # systems that are like one, or were made of one
    rf"{_NAMED}[-_ ]?\d*(?:\.\d+)?[-_ ]?(?:like|compat\w*|clone|alike|derivat\w*|rebuild)|"
    rf"{_NAMED}2(?!k\d)[a-z]\w*|"
    r"open[-_ ]?suse\w*|rhcos\w*|red[-_ ]?hat[-_ ]?(?:coreos|openshift)|"
    # what SUSE sells besides its server
    r"suse[-_ ](?:manager|liberty|rancher|multi|neuvector|longhorn|harvester|edge)\w*|"
    r"by[-_ ]suse|(?:suse[-_ ])?(?:sle|suse(?:[-_ ]linux)?(?:[-_ ]enterprise)?)[-_ ]?"
    r"(?:micro\w*|hpc|high[-_ ]performance)|"
    # what is not there, not yet, or somewhere else
    rf"{_NAMED}[-_ ]?[\d.]*[-_ ]?(?:server[-_ ]?)?"
    r"(?:hosts|servers|machines|instances|users|clients|nodes|workloads|fleets?)|"
    rf"{_ALONE}(?:non|not|no|without)[-_ ]?(?:{_NAMED}|sql|byo[ls])|"
    rf"{_ALONE}(?:to|for|from|migrate|replac\w+)[-_ ]{_NAMED}\d*\b|"
    rf"{_NAMED}[-_ ]?[\d.]*[-_ ]?(?:ami|image|iso|packer)[-_ ]?(?:builder|factory|pipeline)|"
    # other kinds of SQL and of windows
    r"(?:my|postgres?|no|azure|spark|cloud|ansi)[-_ ]?sql\w*|"
    r"sql[-_ ]?(?:client|tools|proxy|lite|exporter)|"
    rf"{_ALONE}(?:maintenance|maint|time|patch\w*|change|service|backup|update|x)[-_ ]?windows"
    r"(?![-_ ]?(?:server|\d))|"
    r"windows[-_ ]?(?:client|agent|exporter|tools|subsystem|terminal|share|domain)|"
    # what serves a system from beside it
    rf"{_NAMED}[-_ ](?:logs?|events?|updates?|proxy|rdp|sync|dns|repos?|mirror|rmt|farm|vpn)"
    r"(?![a-z])|red[-_ ]?hat[-_ ]?\d*[-_ ]?ubi(?![a-z])"
)
_START, _END = r"(?:^|[^a-z0-9])", r"(?:$|[^a-z])"
# A name of another system: then a licence's name beside it proves nothing.
OTHER_SYSTEM = _is(
    r"rocky|alma[-_ ]?linux|\balma\d?\b|cent[-_ ]?os|oracle[-_ ]?linux|\bol[6-9]\b|fedora|"
    rf"debian|amzn|{_START}al(?:2|20\d\d)(?:$|[^a-z0-9])|amazon[-_ ]?linux|bottlerocket|flatcar|"
    rf"core[-_ ]?os|ubuntu(?![-_ /]?pro{_END})|freebsd|alpine|arch[-_ ]?linux|mac[-_ ]?os|\bkali\b"
)
_YEAR = r"20(?:0[38]|1[269]|2[25])"
# What a description must say of a system to be about it: its version, or first of all its name.
_FIRST = (
    r"^\W*(?:(?:an?|the|our|golden|base|hardened|custom|encrypted|amazon|microsoft)\W+)*"
    rf"(?:{_NAMED}|sql|ubuntu[-_ ]?pro)(?![a-z])"
)
COMES_FIRST = _is(_FIRST)
DESCRIBES = _is(
    rf"{_FIRST}|"
    rf"(?:rhel|red[-_ ]?hat(?:[-_ ]enterprise)?(?:[-_ ]linux)?|sles|suse[-_ \w]{{0,40}})[-_ ]?\d|"
    rf"windows[-_ ]?(?:server[-_ ]?)?{_YEAR}|win{_YEAR}|sql[-_ ]?(?:server[-_ ]?)?20\d\d|"
    r"ubuntu[-_ ]?pro[-_ ]?\d"
)
# A system with its version. The word alone may be there for any reason, a date is no version.
VERSION = _is(
    r"(?:rhel|red[-_ ]?hat(?:[-_ ]enterprise)?(?:[-_ ]linux)?)(?:[-_ ](?:server|release|ha|sap))*"
    r"[-_ ]?v?(?:[5-9]|10)(?:[._-]?\d{1,2})?(?!\d)|"
    r"(?:sles?|suse(?:[-_ ]linux)?(?:[-_ ]enterprise)?(?:[-_ ]server)?)[-_ ]?v?1[0-6](?!\d)|"
    r"(?:win(?:dows)?(?:[-_ ]?(?:server|srv))?(?:[-_ ]core)?|w(?:in)?2k|sql(?:[-_ ]?server)?)[-_ ]?"
    r"(?:20(?:0[38]|1[24679]|2[25])|(?<=2k)(?:0?[38]|1[269]|2[25]))(?!\d)|"
    r"ubuntu[-_ /]?pro[-_ a-z/]*(?:1[468]|2[0246])[.]?(?:04|10)(?!\d)"
)
WORDS: dict[str, re.Pattern[str]] = {
    "windows": _is(
        rf"{_START}(?:ms|microsoft)?windows{_END}|windows[-_ ]?server|"
        rf"{_START}win[-_ ]?(?:srv|server)?[-_ ]?{_YEAR}(?:$|[^0-9])|"
        rf"{_START}w(?:in)?2k(?:0?[38]|1[269]|2[25])(?:$|[^0-9])"
    ),
    "rhel": _is(rf"{_START}rhel{_END}|red[-_ ]?hat[-_ ]?(?:enterprise|linux|\d)"),
    "suse": _is(rf"{_START}(?:sles|suse|sle[-_ ]?1[125]){_END}"),
    "ubuntu pro": _is(rf"ubuntu[-_ /]?pro{_END}"),
    "sap": _is(rf"(?:^|[^a-z])(?:sap(?:cal)?|hana|hdb|abap|s4h?){_END}"),
    "linux": _is(r"linux|ubuntu|amzn|rhel"),
    "ubuntu": _is(r"ubuntu"),
}
_OWN = r"(?:byol|bring[-_ ]your[-_ ]own|own[-_ ]licen[cs]e)"
_OWN_OF_LINUX = r"(?:byos|access2|cloud[-_ ]?access)"
BYOL = _is(rf"{_START}(?:{_OWN}|{_OWN_OF_LINUX}){_END}")
# Other software is brought too: the word is about the system only where it stands beside it.
BYOL_OF_SYSTEM = _is(
    rf"{_START}(?:{_OWN_OF_LINUX}{_END}|{_OWN}[-_ ](?:{_NAMED}|ubuntu[-_ ]?pro))|"
    rf"(?:{_NAMED}|ubuntu[-_ ]?pro)(?:[-_ .\d(]|server|enterprise|linux|datacenter|standard|"
    rf"r2|sp\d|core|full|base)*{_OWN}{_END}"
)
# "ha" alone says that something is highly available, not that Red Hat's add-on is sold with it.
HIGH_AVAILABILITY = _is(
    rf"(?:rhel|enterprise[-_ ]linux)[-_ ]?[\d.]*[-_ ](?:with[-_ ])?(?:ha|high[-_ ]availability)"
    rf"(?![-_ ]?proxy){_END}"
)
_SERVICE = r"(?:[-_ ]?(?:r2|sp\d|cu\d+))?[-_ ]?"
_SERVER = rf"(?:(?:[-_ ]?server)?[-_ ]?(?:20)?(?:0[58]|1[24679]|2[25])|[-_ ]?server){_SERVICE}"
_SQL = rf"(?:^|[^a-z]|ms)sql(?:{_SERVER}|[-_ ]?)"
EDITIONS: dict[str, re.Pattern[str]] = {
    SQL_ENTERPRISE: _is(rf"{_SQL}(?:ent|enterprise){_END}"),
    SQL_STANDARD: _is(rf"{_SQL}(?:std|standard){_END}"),
    # A web server beside some SQL is no SQL Server Web.
    SQL_WEB: _is(rf"(?:^|[^a-z]|ms)sql(?:{_SERVER})?web{_END}"),
}
FREE_EDITION = _is(rf"{_SQL}(?:express|developer){_END}")
