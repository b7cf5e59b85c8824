"""What the seeded company has: names as people give them, vendors' images, types of machines."""

from dataclasses import dataclass

MANAGEMENT, SHARED_IMAGES, DEV_SANDBOX = "100000000001", "655301927748", "903318846125"
CORE_PROD = "418273095511"
ACCOUNTS = {
    MANAGEMENT: "northwind-billing",
    CORE_PROD: "core-prod",
    "736120488204": "core-staging",
    "290517736642": "data-platform",
    SHARED_IMAGES: "shared-images",
    DEV_SANDBOX: "dev-sandbox",
}
TEAMS = ("web", "erp", "payments", "data", "platform")
RED_HAT_MARKETPLACE = "6cd5fxzrad0cu2j23p692xytz"

# Names, the code, and how often.
KINDS: tuple[tuple[str, str, int], ...] = (
    ("web-al2023-{date}", "RunInstances", 30),
    ("api-ubuntu-22.04-{date}", "RunInstances", 14),
    ("batch-worker-{date}", "RunInstances", 10),
    ("rhel-9.4-base-{date}", "RunInstances:0010", 12),
    ("rhel8-app-{date}", "RunInstances:0010", 6),
    ("rhel8-ha-cluster-{date}", "RunInstances:1010", 2),
    ("rhel9-byos-{date}", "RunInstances:00g0", 2),
    ("win2022-core-{date}", "RunInstances:0002", 12),
    ("win2019-iis-{date}", "RunInstances:0002", 6),
    ("win2019-byol-{date}", "RunInstances:0800", 2),
    ("win2022-sqlstd-{date}", "RunInstances:0006", 4),
    ("win2022-sqlent-{date}", "RunInstances:0102", 2),
    ("win2022-sqlweb-{date}", "RunInstances:0202", 2),
    ("sles15-sp6-{date}", "RunInstances:000g", 5),
    ("ubuntu-pro-22.04-{date}", "RunInstances:0g00", 4),
    ("ubuntu-sqlstd-{date}", "RunInstances:0004", 1),
    ("ubuntu-sqlent-{date}", "RunInstances:0100", 1),
    ("ubuntu-sqlweb-{date}", "RunInstances:0200", 1),
)
# Each of these in some scope for certain, with a machine that runs it.
RARE = (
    ("rhel9-sqlstd-{date}", "RunInstances:0014"),
    ("rhel9-sqlweb-{date}", "RunInstances:0210"),
    ("rhel9-sqlent-{date}", "RunInstances:0110"),
    ("rhel9-ha-sqlstd-{date}", "RunInstances:1014"),
    ("rhel9-ha-sqlent-{date}", "RunInstances:1110"),
    *((name, code) for name, code, often in KINDS if often <= 2),  # noqa: PLR2004
)
# Tags and descriptions may hold anything; a name only what AWS allows.
HOSTILE = (
    "<script>alert(1)</script>",
    '=cmd|"/c calc"!A1',
    'O\'Hara "quoted" & co',
    "\u202egnp.egami",
    "a-word-without-any-end-" * 10,
)
ODD_NAMES = ("O'Hara [web] (old) @ 2.0/x", ("a-name-without-any-end-" * 6)[:128])
# What is lost, and on machines of which type: nobody else uses these, so purchases for them wait.
LICENSED = (
    ("rhel9-{word}", "RunInstances:0010", "m7i.xlarge"),
    ("sles15-{word}", "RunInstances:000g", "r7i.xlarge"),
    ("rhel8-{word}", "RunInstances:0010", "r7i.2xlarge"),
    ("win2022-{word}", "RunInstances:0002", "m7i.2xlarge"),
    ("rhel9-ha-{word}", "RunInstances:1010", "c7i.2xlarge"),
    ("win2022-sqlstd-{word}", "RunInstances:0006", "r7i.4xlarge"),
    ("rhel9-erp-{word}", "RunInstances:0010", "c7i.4xlarge"),
)
TYPES = (
    "t3.medium",
    "m5.large",
    "m5.xlarge",
    "m6i.xlarge",
    "m6i.2xlarge",
    "c5.4xlarge",
    "r6i.2xlarge",
)


@dataclass(frozen=True, slots=True)
class Base:
    """A public image of a vendor."""

    owner_id: str
    alias: str
    name: str


_AMAZON, _WINDOWS = "137112412989", "801119661308"
_RED_HAT, _SUSE, _CANONICAL = "309956199498", "013907871322", "099720109477"
BASES = {
    "RunInstances": Base(_AMAZON, "amazon", "al2023-ami-2023.6.20250915.0-kernel-6.1-x86_64"),
    "RunInstances:0010": Base(_RED_HAT, "", "RHEL-9.4.0_HVM-20250905-x86_64-82-Hourly2-GP3"),
    "RunInstances:1010": Base(_RED_HAT, "", "RHEL_HA-8.10.0_HVM-20250905-x86_64-2-Hourly2-GP3"),
    "RunInstances:00g0": Base(_RED_HAT, "", "RHEL-9.4.0_HVM-20250905-x86_64-82-Access2-GP3"),
    "RunInstances:0014": Base(_AMAZON, "amazon", "RHEL-9-SQL_2022_Standard-2025.09.10"),
    "RunInstances:0210": Base(_AMAZON, "amazon", "RHEL-9-SQL_2022_Web-2025.09.10"),
    "RunInstances:0110": Base(_AMAZON, "amazon", "RHEL-9-SQL_2022_Enterprise-2025.09.10"),
    "RunInstances:1014": Base(_AMAZON, "amazon", "RHEL_HA-9-SQL_2022_Standard-2025.09.10"),
    "RunInstances:1110": Base(_AMAZON, "amazon", "RHEL_HA-9-SQL_2022_Enterprise-2025.09.10"),
    "RunInstances:0002": Base(
        _WINDOWS, "amazon", "Windows_Server-2022-English-Full-Base-2025.09.10"
    ),
    "RunInstances:0006": Base(
        _WINDOWS, "amazon", "Windows_Server-2022-English-Full-SQL_2022_Standard-2025.09.10"
    ),
    "RunInstances:0102": Base(
        _WINDOWS, "amazon", "Windows_Server-2022-English-Full-SQL_2022_Enterprise-2025.09.10"
    ),
    "RunInstances:0202": Base(
        _WINDOWS, "amazon", "Windows_Server-2022-English-Full-SQL_2022_Web-2025.09.10"
    ),
    "RunInstances:000g": Base(_SUSE, "", "suse-sles-15-sp6-v20250910-hvm-ssd-x86_64"),
    "RunInstances:0g00": Base(
        _CANONICAL,
        "",
        "ubuntu-pro-server/images/hvm-ssd/ubuntu-jammy-22.04-amd64-pro-20250910",
    ),
    "RunInstances:0004": Base(_AMAZON, "amazon", "ubuntu-22.04-SQL_2022_Standard-2025.09.10"),
    "RunInstances:0100": Base(_AMAZON, "amazon", "ubuntu-22.04-SQL_2022_Enterprise-2025.09.10"),
    "RunInstances:0200": Base(_AMAZON, "amazon", "ubuntu-22.04-SQL_2022_Web-2025.09.10"),
}
