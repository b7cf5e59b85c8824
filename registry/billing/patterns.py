"""What the names of images say: the vendors' public patterns, and words in free text.

Data, not code. Vendor patterns hold for images of the vendor's own accounts (commercial, China,
GovCloud); a name alone proves little, for everybody may use it.
"""

import re
from dataclasses import dataclass

from registry.billing.codes import PLAIN, SQL_ENTERPRISE, SQL_STANDARD, SQL_WEB

AMAZON = frozenset({"137112412989", "591542846629", "102837901569", "013067466220"})
AMAZON_WINDOWS = frozenset({"801119661308", "016951021795", "077303321853"})
DEEP_LEARNING = frozenset({"898082745236"})
RED_HAT = frozenset({"309956199498", "219670896067", "841258680906"})
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
    VendorName(_ANY_AMAZON, _is(r"^(amzn|al20)"), PLAIN),
    VendorName(DEEP_LEARNING, _is(r"^deep learning.*(ubuntu|amazon linux)"), PLAIN),
    VendorName(RED_HAT, _is(r"^rhel[-_ ].*access2"), f"{PLAIN}:00g0"),
    VendorName(RED_HAT, _is(r"^rhel_ha[-_].*hourly2"), f"{PLAIN}:1010"),
    VendorName(RED_HAT, _is(r"^rhel-\d.*hourly2"), f"{PLAIN}:0010"),
    VendorName(SUSE_ACCOUNT, _is(r"^suse-(sles|manager|sle).*byos"), PLAIN),
    VendorName(SUSE_ACCOUNT, _is(r"^suse-sles-\d+(-sp\d+)?-v\d+"), f"{PLAIN}:000g"),
    VendorName(SUSE_ACCOUNT, _is(r"^opensuse"), PLAIN),
    VendorName(CANONICAL, _is(r"^ubuntu-pro"), f"{PLAIN}:0g00"),
    VendorName(CANONICAL, _is(r"^ubuntu(-minimal|-eks)?/images"), PLAIN),
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
NOT_A_LICENCE = _is(
    r"open[-_ ]?suse\w*|rhel[-_ ]?(like|compatible|clone|alike|derivat\w*)|"
    r"(non|not|no|without)[-_ ]?(rhel|red[-_ ]?hat|windows|sql|suse|sles)|"
    r"(my|postgre|no|azure)[-_ ]?sql\w*|sql[-_ ]?(client|tools|proxy|lite|exporter)|"
    r"(to|for|from|migrate|replaces?)[-_ ](rhel|red[-_ ]?hat|windows|suse|sles)\b|"
    r"red[-_ ]?hat[-_ ]?(coreos|openshift)|rhcos\w*|"
    r"windows[-_ ]?(client|agent|exporter|tools|subsystem|terminal)"
)
# A name of another system: then a licence's name beside it proves nothing.
OTHER_SYSTEM = _is(
    r"rocky|alma[-_ ]?linux|\balma\d?\b|cent[-_ ]?os|oracle[-_ ]?linux|\bol[6-9]\b|fedora|"
    r"debian|amzn|\bal20\d\d|amazon[-_ ]?linux|bottlerocket|flatcar|core[-_ ]?os|"
    r"ubuntu(?![-_ /]?pro)|freebsd|alpine|arch[-_ ]?linux|mac[-_ ]?os|\bkali\b"
)
_START, _END = r"(?:^|[^a-z0-9])", r"(?:$|[^a-z])"
_YEAR = r"20(?:0[38]|1[269]|2[25])"
WORDS: dict[str, re.Pattern[str]] = {
    "windows": _is(rf"windows|{_START}win[-_ ]?(?:srv|server)?[-_ ]?{_YEAR}(?:$|[^0-9])"),
    "rhel": _is(rf"{_START}rhel(?:$|[^a-z])|red[-_ ]?hat[-_ ]?(?:enterprise|\d)"),
    "suse": _is(rf"{_START}(?:sles|suse){_END}"),
    "ubuntu pro": _is(rf"ubuntu[-_ /]?pro{_END}"),
    "sap": _is(rf"{_START}(?:sap|hana){_END}"),
    "linux": _is(r"linux|ubuntu|amzn|rhel"),
}
BYOL = _is(rf"{_START}(?:byol|byos|access2|bring[-_ ]your[-_ ]own){_END}")
HIGH_AVAILABILITY = _is(rf"{_START}ha{_END}|high[-_ ]availability")
_SQL = r"sql(?:[-_ ]?server)?[-_ ]?(?:20\d\d)?(?:[-_ ]?(?:r2|sp\d))?[-_ ]?"
EDITIONS: dict[str, re.Pattern[str]] = {
    SQL_ENTERPRISE: _is(rf"{_SQL}(?:ent|enterprise){_END}"),
    SQL_STANDARD: _is(rf"{_SQL}(?:std|standard){_END}"),
    SQL_WEB: _is(rf"{_SQL}web{_END}"),
}
