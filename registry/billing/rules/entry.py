"""What the rulebook says of a rule, and the pages of AWS that it goes by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A page of AWS."""

    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule in words. `severity`: the level it starts from; `levels` says how it is changed."""

    id: str
    title: str
    severity: str
    checks: str
    facts: str
    matters: str
    silent: str
    levels: str
    remedy: tuple[str, ...]
    source: Source
    rises_with_use: bool = True


_USER_GUIDE = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide"
_REFERENCE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"
_LICENSE_MANAGER = "https://docs.aws.amazon.com/license-manager/latest/userguide"

BILLING_FIELDS = Source("AMI billing information fields", f"{_USER_GUIDE}/billing-info-fields.html")
REGISTER_IMAGE = Source("RegisterImage", f"{_REFERENCE}/API_RegisterImage.html")
ANCESTRY = Source("AMI ancestry", f"{_USER_GUIDE}/ami-ancestry.html")
PURCHASES = Source("How Reserved Instances apply", f"{_USER_GUIDE}/apply_ri.html")
LINUX_CONVERSION = Source(
    "License conversion for Linux", f"{_LICENSE_MANAGER}/conversion-procedures-linux.html"
)
WINDOWS_CONVERSION = Source(
    "License conversion for Windows and SQL Server",
    f"{_LICENSE_MANAGER}/conversion-types-windows.html",
)
MODIFY_IMAGE = Source("ModifyImageAttribute", f"{_REFERENCE}/API_ModifyImageAttribute.html")
