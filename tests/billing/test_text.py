import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.codes import (
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SQL_EDITIONS,
    SQL_ENTERPRISE,
    SQL_STANDARD,
    SQL_WEB,
    SUSE,
    UBUNTU_PRO,
    WINDOWS,
    WINDOWS_BYOL,
    is_published,
    parts,
)
from registry.billing.text import (
    describes,
    guess,
    is_named_for,
    is_plain,
    says_linux,
    vendor_code,
    windows_family,
    without_terms,
)

PLAIN = frozenset[str]()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        # Windows
        ("0002", "Windows"),
        ("0002", "Windows_NT"),
        ("0002", "windows_server_2019"),
        ("0002", "WindowsServer2022-hardened"),
        ("0002", "Microsoft Windows Server 2022 Full Locale English AMI"),
        ("0002", "MSWindows-2016"),
        ("0002", "win2022-core-20240101"),
        ("0002", "win-2019-iis"),
        ("0002", "prod_win2016"),
        ("0002", "WinServer2012-legacy"),
        ("0002", "winsrv-2025-base"),
        ("0002", "w2k19-base"),
        ("0002", "win2k8-legacy"),
        ("0002", "golden-windows-2019-v3"),
        ("0002", "Windows_Server-2019-English-Core-EKS_Optimized-1.29"),
        ("0002", "service-windows-2019"),
        ("0002", "backup-windows-server-2019"),
        ("0002", "piano-windows-2019"),
        ("0002", "win2022-sql2019-express"),
        ("0002", "win2022-sql2019-developer"),
        ("0002", "win2019-sql-web-01"),
        ("0002", "win2019-mysql-standard"),
        ("0002", "windows-2019-tableau-byol"),
        ("0002", "Tableau Server on Windows, BYOL"),
        ("0002", "Windows_Server-2019-English-Tesla-2024.01.10"),
        ("0002", "EC2LaunchV2-Windows_Server-2019-English-Full-ContainersLatest"),
        ("0002", "Windows_Server-2022-English-Full-EKS_Optimized-1.31-2025.04.14"),
        ("0002", "Windows_Server-2019-English-STIG-Full-2022.03.09"),
        ("0002", "CIS Microsoft Windows Server 2019 Benchmark - Level 2"),
        ("0800", "win2019-byol"),
        ("0800", "byol-windows-2016"),
        ("0800", "Windows Server 2019 Datacenter (BYOL)"),
        ("0800", "Windows 10 BYOL"),
        ("0800", "windows-2022-bring-your-own-license"),
        ("0002", "win2022-sql2019-byol"),
        ("0002", "Windows Server 2019 with SQL Server 2019 Standard (own license)"),
        ("0006", "win2022-sqlstd-20240101"),
        ("0006", "win2022sqlstd"),
        ("0006", "win2019-sql2017-std"),
        ("0006", "Windows Server 2019 with SQL Server 2017 Standard"),
        ("0006", "win2016-SQL_2016_SP3_Standard"),
        ("0006", "win2012-sql-2012-r2-std"),
        ("0006", "win2019-mssql-standard"),
        ("0006", "win2022-sqlserver2022-cu12-standard"),
        ("0102", "win2022-sqlent"),
        ("0102", "Windows_Server-2019-English-Full-SQL_2019_Enterprise-2024.01.10"),
        ("0202", "win2022-sqlweb"),
        ("0202", "windows2016-sqlserver2016-web"),
        ("0202", "win2019-sql-server-web"),
        # Red Hat
        ("0010", "rhel"),
        ("0010", "RHEL-9.4-base"),
        ("0010", "rhel8.10"),
        ("0010", "ami_rhel_9"),
        ("0010", "redhat-8.9"),
        ("0010", "Red Hat Enterprise Linux release 9.4 (Plow)"),
        ("0010", "Red Hat Linux 8"),
        ("0010", "redhat_enterprise_linux"),
        ("0010", "rhel9-haproxy"),
        ("0010", "rhel9-ha-proxy"),
        ("0010", "rhel9-postgres-ha"),
        ("0010", "rhel9 behind a load balancer with high availability"),
        ("0010", "rhel9-mysql-enterprise"),
        ("0010", "rhel8-oracle-byol"),
        ("0010", "CIS Red Hat Enterprise Linux 8 Benchmark - Level 1 - v2.0.0.4"),
        ("0010", "RHEL-9.8_HVM-20250506-x86_64-1893-Hourly2-GP3"),
        ("1010", "rhel8-ha-cluster"),
        ("1010", "RHEL_HA-8.6.0_HVM-20220503-x86_64-0-Hourly2-GP2"),
        ("1010", "Red Hat Enterprise Linux with HA"),
        ("1010", "Red Hat Enterprise Linux 8 with High Availability"),
        ("00g0", "rhel9-byos"),
        ("00g0", "rhel9-byol-20240101"),
        ("00g0", "RHEL-9.4.0_HVM-20240605-x86_64-82-Access2-GP3"),
        ("00g0", "rhel8-cloud-access"),
        ("00g0", "RHEL-8.3.0_HVM_BETA-20200701-x86_64-2-Access2-GP2"),
        ("0014", "rhel9-sqlstd"),
        ("0014", "rhel8-sql-server-2019-standard"),
        ("0110", "rhel9-sqlent"),
        ("0014", "RHEL_8.10-x86_64-SQL_2022_Standard-2024.06.19"),
        ("1110", "RHEL_HA_8.8-x86_64-SQL_2022_Enterprise-2023.10.18"),
        ("0210", "rhel9-sqlweb"),
        ("1014", "rhel9-ha-sqlstd"),
        ("1110", "rhel9-ha-sqlent"),
        # SUSE
        ("000g", "sles15-sp6-20240101"),
        ("000g", "SLES"),
        ("000g", "suse-sles-15-sp5-v20240129-hvm-ssd-x86_64"),
        ("000g", "SUSE Linux Enterprise Server 15 SP5 (HVM, 64-bit)"),
        ("000g", "sle15-base"),
        ("000g", "suse-sles-15-sp4-v20230502-ecs-hvm-ssd-x86_64"),
        ("000g", "SUSE"),
        # Ubuntu
        ("0g00", "ubuntu-pro-22.04"),
        ("0g00", "Ubuntu Pro"),
        ("0g00", "ubuntu-pro-fips-20.04"),
        ("0g00", "ubuntu-pro-server/images/hvm-ssd/ubuntu-jammy-22.04-amd64-pro-server"),
        # SQL Server on Linux
        ("0004", "ubuntu-sqlstd"),
        ("0004", "Ubuntu_22.04-x86_64-SQL_2022_Standard-2024.05.30"),
        ("0004", "Amazon Linux 2 with SQL Server 2017 Standard"),
        ("0100", "amzn2-sql_2019_enterprise"),
        ("0200", "ubuntu-sqlweb"),
    ],
)
def test_what_a_name_says(code, text):
    found = guess(text)

    assert found is not None
    assert found.usage_operation == f"RunInstances:{code}"


@pytest.mark.parametrize(
    "text",
    [
        "web-al2023-20240101",
        "web_al2023",
        "web-al2-base",
        "amzn2-ami-hvm-2.0.20240109.0-x86_64-gp2",
        "amazon-eks-node-al2023-x86_64-standard-1.30-v20240605",
        "amzn-ec2-macos-14.2.1",
        "Amazon Linux 2 AMI",
        "bottlerocket-aws-k8s-1.29-x86_64-v1.19.4",
        "api-ubuntu-22.04-20240101",
        "ubuntu-eks/k8s_1.29/images",
        "ubuntu-production-web",
        "ubuntu-prod-01",
        "ubuntu-prometheus",
        "ubuntu-proxy",
        "debian-12-amd64-20240102-1614",
        "Rocky-9-EC2-Base-9.3-20231113.0.x86_64",
        "rockylinux-9-rhel-compatible",
        "AlmaLinux OS 9.3",
        "alma9-base",
        "almalinux-9-for-rhel-users",
        "CentOS Stream 9",
        "centos-7-to-rhel-migration",
        "oracle-linux-9 (RHEL compatible kernel)",
        "ol8 base",
        "Fedora-Cloud-Base-39",
        "fedora-coreos-39.20240112.3.0-x86_64",
        "Flatcar-stable-3760.2.0-hvm",
        "FreeBSD 14.0-RELEASE-amd64",
        "alpine-3.19.0-x86_64-uefi-cloudinit-r0",
        "kali-last-snapshot-amd64-2023.4.0",
        "arch-linux-ec2-hvm",
        "windows-exporter on amazon linux",
        "ubuntu-mysql-8",
        "debian-postgresql-15",
        "mysql-enterprise-ubuntu",
        "nosql-standard-ubuntu",
        "ubuntu-no-windows",
        "sles-byos",
        "suse-sles-15-sp5-byos-v20240129-hvm-ssd-x86_64",
        "ubuntu-pro-byos",
    ],
)
def test_a_system_without_a_licence_is_plain(text):
    found = guess(text)

    assert found is not None
    assert found.usage_operation == "RunInstances"


@pytest.mark.parametrize(
    "text",
    [
        # nothing is said
        "",
        "golden-base-v12",
        "app-server-2019",
        "server-2022-standard",
        "AwsBackup_i-0123456789abcdef0_7b1c",
        "fortigate-vm64-7.4.1",
        "Linux",
        "Linux/UNIX",
        "RedHat",
        "red-hat-wearing-robot",
        # like Red Hat
        "rhel-like-linux",
        "rhel9-like",
        "rhel-9-compatible-base",
        "rhelcompat-9",
        "el9-rhel-clone",
        "el9 rebuild, red hat enterprise linux compatible",
        "rhel derivative",
        "hostname-rhelmet",
        "convert2rhel-runner",
        "leapp-upgrade-to-rhel9",
        "agent for rhel9",
        "migrated-from-redhat",
        "not-rhel",
        "non-RHEL base",
        "rhel-image-builder",
        "Manages RHEL 8 hosts",
        "rhcos-414.92.202310170514-0-x86_64",
        "Red Hat Enterprise Linux CoreOS 414",
        "Red Hat CoreOS",
        "Red Hat OpenShift 4.14",
        "ROSA-worker-4.14",
        "rhel8-or-centos7",
        # not Windows
        "win-builder",
        "win-20220101-app",
        "winter-2022-release",
        "darwin-2022-build",
        "twin2019-db",
        "edwin-2016",
        "winston-2019-backup",
        "web-window-cleaner",
        "windowsill-cam",
        "x64-windowed",
        "maintenance-windows-lambda",
        "Patched during maintenance windows",
        "backup-windows-schedule",
        "samba-windows-share",
        "prometheus-windows-exporter-gateway",
        "windows-client-tools",
        "Windows Subsystem for Linux",
        "linux-build-windows-cross",
        "windows-2019-docker-linux-containers",
        "x-windows-desktop",
        "windows-like-desktop",
        "packer-windows-ami-builder",
        "wine-windows-emulation-ubuntu",
        "Jump host for our Windows servers",
        "bastion of the Windows Server machines",
        "connects to Windows",
        "win2019-and-rhel9-toolbox",
        "windows-ubuntu-dual",
        # not SUSE's server
        "openSUSE-Leap-15.5",
        "opensuse_tumbleweed",
        "open-suse-15",
        "suse manager client",
        "suse-manager-4-3-server-byos",
        "SUSE Liberty Linux 9",
        "rancher-by-suse",
        "suse-rancher-setup",
        "sle-micro-5.5",
        "suse-sle-micro-5-3-v20230420-hvm-ssd-x86_64",
        "suse-sle-hpc-15-sp4-v20220621-hvm-ssd-x86_64",
        "suse-sles-15-sp4-sapcal-v20220621-hvm-ssd-x86_64",
        "suse-sles-sap-15-sp2-v20200721-hvm-ssd-x86_64",
        "SUSE Linux Enterprise High Performance Computing 15 SP4",
        "sles12sp5-hdb",
        "sles15-s4",
        "sles15-abap",
        "sles15-oracle-byol",
        "ubuntu-pro-22.04-tableau-byol",
        # what was made of one
        "rhel2rocky",
        "sles2alma-migrated",
        "SUSE Linux Enterprise Micro 5.5",
        "sles-and-rhel",
        # SUSE for SAP comes through the Marketplace
        "SAP on SLES 15",
        "sles4sap-15-sp5",
        "s4hana-sles15",
        "suse-sles-15-sp5-sap-v20240101-hvm",
        "sles-for-sap-byos",
        "hana-2.0-suse",
        # other SQL, or no edition
        "mysql-8-server",
        "mysql-enterprise-linux",
        "postgresql-sql-proxy",
        "pgsql-web-linux",
        "plsql-enterprise-linux",
        "psql-standard-linux",
        "azure-sql-standard-linux",
        "spark-sql-standard-linux",
        "sqlite-web-linux",
        "graphql-web-linux",
        "ubuntu-sql-web-app",
        "linux-mssql-tools",
        "ubuntu-sql-server-2019",
        "sqlstd-reporting",
        "sql2019-enterprise",
        "sql2019-express",
        "ubuntu-sqlstd-byol",
        "etl-sql-runner-linux",
        # more than one at once, or no code is known
        "win2022-sqlstd-sqlent",
        "ubuntu-sqlstd-sqlent",
        "rhel9-ha-sqlweb",
        "rhel9-byol-sqlstd",
        "sles15-sqlstd",
        "ubuntu-pro-sqlstd",
    ],
)
def test_no_licence_is_guessed(text):
    assert guess(text) is None


@pytest.mark.parametrize(
    ("text", "actual", "allowed"),
    [
        pytest.param("win2019-iis", {WINDOWS}, True, id="Windows"),
        pytest.param("win2019-iis", {WINDOWS_BYOL}, True, id="Windows of one's own"),
        pytest.param("win2019-iis", {WINDOWS, SQL_WEB}, True, id="a name need not name SQL"),
        pytest.param("win2019-iis", PLAIN, False, id="Windows lost"),
        pytest.param("win2019-iis", {SQL_WEB}, False, id="Windows lost, SQL kept"),
        pytest.param("win2019-iis", {WINDOWS, RHEL}, False, id="Windows and something else"),
        pytest.param("win2019-sql2019-express", {WINDOWS}, True, id="Express is free"),
        pytest.param("win2019-sql2019-express", {WINDOWS, SQL_STANDARD}, False, id="and not paid"),
        pytest.param("win2019-sqlstd", {WINDOWS, SQL_STANDARD}, True, id="Windows and SQL"),
        pytest.param("win2019-sqlstd", {WINDOWS}, False, id="SQL lost"),
        pytest.param(
            "win2019-sqlstd and sql-express", {WINDOWS, SQL_STANDARD}, True, id="SQL and Express"
        ),
        pytest.param("win2019-sqlstd", {WINDOWS, SQL_WEB}, False, id="another edition"),
        pytest.param("win2019-sqlstd", {WINDOWS_BYOL}, True, id="both of one's own"),
        pytest.param("win2019-sqlstd-byol", {WINDOWS}, True, id="SQL of one's own"),
        pytest.param("win2019-sqlstd-byol", {WINDOWS_BYOL}, True, id="Windows of one's own, SQL"),
        pytest.param("win2019-sqlstd-byol", {WINDOWS, SQL_STANDARD}, True, id="SQL from AWS"),
        pytest.param("win2019-sqlstd-byol", PLAIN, False, id="nothing of the two"),
        pytest.param("win2019-byol", {WINDOWS_BYOL}, True, id="brought"),
        pytest.param("win2019-byol", {WINDOWS}, False, id="brought, yet paid"),
        pytest.param("rhel9", {RHEL}, True, id="RHEL"),
        pytest.param("rhel9", {RHEL_BYOL}, True, id="RHEL of one's own"),
        pytest.param("rhel9", {RHEL, RHEL_HA}, True, id="a name need not name HA"),
        pytest.param("rhel9", {RHEL, SQL_STANDARD}, True, id="nor SQL on RHEL"),
        pytest.param("rhel9", PLAIN, False, id="RHEL lost"),
        pytest.param("rhel9", {SUSE}, False, id="RHEL as SUSE"),
        pytest.param("rhel9", {RHEL, SUSE}, False, id="RHEL and SUSE"),
        pytest.param("rhel8-ha-cluster", {RHEL}, False, id="HA lost"),
        pytest.param("rhel8-ha-cluster", {RHEL_BYOL}, True, id="HA of one's own"),
        pytest.param("rhel9-sqlent", {RHEL, SQL_ENTERPRISE}, True, id="RHEL and SQL"),
        pytest.param("rhel9-sqlent", {RHEL}, False, id="SQL on RHEL lost"),
        pytest.param("rhel9-byos", {RHEL_BYOL}, True, id="RHEL brought"),
        pytest.param("rhel9-byos", {RHEL}, False, id="RHEL brought, yet paid"),
        pytest.param("rhel9-byos", PLAIN, False, id="RHEL brought, the mark lost"),
        pytest.param("sles15", {SUSE}, True, id="SUSE"),
        pytest.param("sles15", PLAIN, False, id="SUSE lost"),
        pytest.param("sles15", {SUSE, SQL_WEB}, False, id="SUSE and something else"),
        pytest.param("sles15-byos", PLAIN, True, id="SUSE brought"),
        pytest.param("sles15-byos", {SUSE}, False, id="SUSE brought, yet paid"),
        pytest.param("ubuntu-pro-22.04", {UBUNTU_PRO}, True, id="Ubuntu Pro"),
        pytest.param("ubuntu-pro-22.04", PLAIN, False, id="Ubuntu Pro lost"),
        pytest.param("ubuntu-pro-22.04", {UBUNTU_PRO, SQL_WEB}, True, id="Pro, SQL not named"),
        pytest.param("ubuntu-pro-22.04", {UBUNTU_PRO, RHEL}, False, id="Pro and something else"),
        pytest.param("ubuntu-pro-byos", PLAIN, True, id="Pro brought"),
        pytest.param("ubuntu-22.04", PLAIN, True, id="Ubuntu"),
        pytest.param("ubuntu-22.04", {UBUNTU_PRO}, True, id="Ubuntu that became Pro"),
        pytest.param("ubuntu-22.04", {SQL_STANDARD}, True, id="SQL on Ubuntu, not named"),
        pytest.param("ubuntu-22.04", {RHEL}, False, id="Ubuntu as RHEL"),
        pytest.param("web-al2023", {UBUNTU_PRO}, False, id="Amazon Linux never becomes Pro"),
        pytest.param("web-al2023", {SQL_STANDARD}, True, id="SQL on Amazon Linux, not named"),
        pytest.param("web-al2023", {WINDOWS}, False, id="Amazon Linux as Windows"),
        pytest.param("rocky-9", {RHEL_BYOL}, False, id="Rocky as RHEL of one's own"),
        pytest.param("ubuntu-sqlstd", {SQL_STANDARD}, True, id="SQL on Ubuntu"),
        pytest.param("ubuntu-sqlstd", {SQL_STANDARD, UBUNTU_PRO}, True, id="SQL on Ubuntu Pro"),
        pytest.param(
            "amzn2-sqlstd", {SQL_STANDARD, UBUNTU_PRO}, False, id="no Pro on Amazon Linux"
        ),
        pytest.param("ubuntu-sqlstd", PLAIN, False, id="SQL on Ubuntu lost"),
        pytest.param("ubuntu-sqlstd", {SQL_WEB}, False, id="another edition on Ubuntu"),
    ],
)
def test_what_is_in_keeping_with_a_name(text, actual, allowed):
    found = guess(text)

    assert found is not None
    assert found.allows(frozenset(actual)) is allowed


@given(st.text())
def test_any_text_may_be_asked(text):
    found = guess(text)

    assert found is None or is_published(found.usage_operation)


@given(
    st.sampled_from(["rhel9", "win2022-sqlstd", "sles15", "ubuntu-pro", "rhel9-byos", "ubuntu"]),
    st.sampled_from(["{}", "app-{}", "{}-v1", "{}_20240101", "My {} image", "prod/{}/7"]),
)
def test_what_stands_around_a_name_does_not_matter(name, frame):
    assert guess(frame.format(name)) == guess(name)
    assert guess(frame.format(name).upper()) == guess(name)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz-_ 0123456789.", max_size=30))
def test_a_guess_allows_what_it_guesses(text):
    found = guess(text)

    assert found is None or found.allows(parts(found.usage_operation) or PLAIN)


@pytest.mark.parametrize(
    ("actual", "allowed"),
    [
        ({WINDOWS}, True),
        ({WINDOWS_BYOL}, True),
        ({WINDOWS, SQL_STANDARD}, True),
        (PLAIN, False),
        (SQL_EDITIONS, False),
        ({WINDOWS, RHEL}, False),
    ],
)
def test_the_platform_windows_tells_windows_and_no_more(actual, allowed):
    assert windows_family().allows(frozenset(actual)) is allowed
    assert windows_family().usage_operation == "RunInstances:0002"


@pytest.mark.parametrize(
    ("code", "plain"),
    [
        ("RunInstances", True),
        ("RunInstances:SV006", True),
        ("RunInstances:0010", False),
        ("RunInstances:FFP-1", False),
        ("", False),
        (None, False),
    ],
)
def test_a_plain_code(code, plain):
    assert is_plain(code) is plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("linux", True),
        ("Linux ", True),
        ("Linux/UNIX", True),
        ("Red Hat Enterprise Linux", False),
        ("windows", False),
        ("", False),
    ],
)
def test_a_tag_that_says_linux_and_no_more(text, says):
    assert says_linux(text) is says


AMAZON, AMAZON_WINDOWS, DEEP_LEARNING = "137112412989", "801119661308", "898082745236"
RED_HAT, SUSE_ACCOUNT, CANONICAL = "309956199498", "013907871322", "099720109477"


@pytest.mark.parametrize(
    ("owner", "name", "code"),
    [
        (AMAZON, "al2023-ami-2023.3.20240108.0-kernel-6.1-x86_64", "RunInstances"),
        (AMAZON, "amzn2-ami-kernel-5.10-hvm-2.0.20240109.0-x86_64-gp2", "RunInstances"),
        (AMAZON, "amzn-ami-hvm-2018.03.0.20230207.0-x86_64-gp2", "RunInstances"),
        (AMAZON, "al2022-ami-2022.0.20221207.4-kernel-5.15-arm64", "RunInstances"),
        (AMAZON, "amzn2-x86_64-SQL_2019_Standard-2024.01.12", "RunInstances:0004"),
        (AMAZON, "amzn2-x86_64-SQL_2019_Enterprise-2024.01.12", "RunInstances:0100"),
        (AMAZON, "amzn2-x86_64-SQL_2019_Web-2024.01.12", "RunInstances:0200"),
        (AMAZON, "ubuntu-jammy-22.04-SQL_2022_Standard", "RunInstances:0004"),
        (AMAZON, "Ubuntu_22.04-x86_64-SQL_2022_Enterprise-2024.05.30", "RunInstances:0100"),
        (AMAZON, "Ubuntu_22.04-x86_64-SQL_2022_Express-2024.05.30", "RunInstances"),
        (AMAZON, "amzn2-x86_64-SQL_2019_Express-2024.01.12", "RunInstances"),
        (AMAZON, "amzn2-x86_64-MATEDE_DOTNET", "RunInstances"),
        (AMAZON, "amzn-ami-vpc-nat-2018.03.0.20230807.0-x86_64-ebs", "RunInstances"),
        ("045324592363", "al2023-ami-2023.3.20240117.0-kernel-6.1-x86_64", "RunInstances"),
        ("141808717104", "amzn2-ami-hvm-2.0.20190313-x86_64-gp2", "RunInstances"),
        ("102837901569", "64bit Windows Server 2019 v2.11.4 running IIS", "RunInstances:0002"),
        ("602401143452", "amazon-eks-node-1.29-v20240315", "RunInstances"),
        ("961992271922", "amazon-eks-arm64-node-1.29-v20240315", "RunInstances"),
        ("602401143452", "something-else", None),
        (AMAZON, "RHEL_8.10-x86_64-SQL_2022_Standard-2024.06.19", "RunInstances:0014"),
        (AMAZON, "RHEL_HA_8.8-x86_64-SQL_2022_Enterprise-2023.10.18", "RunInstances:1110"),
        ("878052572473", "Windows_Server-2022-English-Full-Base-2024.01.16", "RunInstances:0002"),
        ("777534740333", "Windows_Server-2019-English-Full-SQL_2019_Web", "RunInstances:0202"),
        ("016951021795", "Windows_Server-2016-English-Full-Base-2020.01.15", "RunInstances:0002"),
        ("077303321853", "Windows_Server-2019-English-STIG-Full-2022.03.09", "RunInstances:0002"),
        (AMAZON_WINDOWS, "Windows_Server-2016-English-Deep-Learning", "RunInstances:0002"),
        (
            AMAZON_WINDOWS,
            "Windows_Server-2016-English-64Bit-SQL_2012_SP4_Enterprise-2021.08.11",
            "RunInstances:0102",
        ),
        (AMAZON_WINDOWS, "Windows_Server-2019-English-Full-Base-2024.01.10", "RunInstances:0002"),
        (AMAZON_WINDOWS, "Windows_Server-2022-English-Core-Base-2024.01.10", "RunInstances:0002"),
        (AMAZON_WINDOWS, "TPM-Windows_Server-2022-English-Full-Base", "RunInstances:0002"),
        (AMAZON_WINDOWS, "BIOS-Windows_Server-2022-English-Full-Base", "RunInstances:0002"),
        (
            AMAZON_WINDOWS,
            "Windows_Server-2019-English-Full-SQL_2019_Express-2024.01.10",
            "RunInstances:0002",
        ),
        (
            AMAZON_WINDOWS,
            "Windows_Server-2019-English-Full-SQL_2019_Web-2024.01.10",
            "RunInstances:0202",
        ),
        (
            AMAZON_WINDOWS,
            "Windows_Server-2016-English-Full-SQL_2016_SP3_Standard-2024.01.10",
            "RunInstances:0006",
        ),
        (
            AMAZON_WINDOWS,
            "Windows_Server-2022-English-Full-SQL_2022_Enterprise-2024.01.10",
            "RunInstances:0102",
        ),
        (DEEP_LEARNING, "Deep Learning AMI (Ubuntu 20.04) Version 78.0", "RunInstances"),
        (DEEP_LEARNING, "Deep Learning Base AMI (Amazon Linux 2) Version 61", "RunInstances"),
        (DEEP_LEARNING, "Deep Learning AMI (Windows Server 2016)", "RunInstances:0002"),
        (RED_HAT, "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", "RunInstances:0010"),
        (RED_HAT, "RHEL-7.5_HVM_GA-20180322-x86_64-1-Hourly2-GP2", "RunInstances:0010"),
        (RED_HAT, "RHEL_HA-8.6.0_HVM-20220503-x86_64-0-Hourly2-GP2", "RunInstances:1010"),
        (RED_HAT, "RHEL-9.4.0_HVM-20240605-x86_64-82-Access2-GP3", "RunInstances:00g0"),
        (RED_HAT, "RHEL-SAP-8.6.0_HVM-20220503-x86_64-0-Access2-GP2", "RunInstances:00g0"),
        (RED_HAT, "RHEL-8.5.0_HVM_BETA-20210902-x86_64-5-Hourly2-GP2", "RunInstances:0010"),
        ("841258680906", "RHEL-7.2_HVM_GA-20151112-x86_64-1-Hourly2-GP2", "RunInstances:0010"),
        ("531415883065", "rhcos-414.92.202309201615-0-x86_64", "RunInstances"),
        ("531415883065", "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", None),
        (RED_HAT, "RHEL-8.4_SQL_2019_Standard", "RunInstances:0014"),
        (RED_HAT, "RHEL-8.4_SQL_2019_Web", "RunInstances:0210"),
        (RED_HAT, "RHEL-8.4_SQL_2019_Enterprise", "RunInstances:0110"),
        (RED_HAT, "RHEL_HA-8.4_SQL_2019_Standard", "RunInstances:1014"),
        (RED_HAT, "RHEL_HA-8.4_SQL_2019_Enterprise", "RunInstances:1110"),
        (SUSE_ACCOUNT, "suse-sles-15-sp5-v20240129-hvm-ssd-x86_64", "RunInstances:000g"),
        (SUSE_ACCOUNT, "suse-sles-15-v20180816-hvm-ssd-x86_64", "RunInstances:000g"),
        (SUSE_ACCOUNT, "suse-sles-15-sp5-byos-v20240129-hvm-ssd-x86_64", "RunInstances"),
        (SUSE_ACCOUNT, "suse-sles-15-sp5-chost-byos-v20240129-hvm", "RunInstances"),
        (SUSE_ACCOUNT, "suse-sles-15-sp4-v20230502-ecs-hvm-ssd-x86_64", "RunInstances:000g"),
        (SUSE_ACCOUNT, "suse-sles-sap-15-sp4-byos-v20220621-hvm-ssd-x86_64", "RunInstances"),
        (SUSE_ACCOUNT, "suse-rancher-setup-1-byos-v20230601-hvm-ssd-x86_64", "RunInstances"),
        (SUSE_ACCOUNT, "openSUSE-Leap-15-5-v20230608-hvm-ssd-x86_64", "RunInstances"),
        (
            CANONICAL,
            "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240126",
            "RunInstances",
        ),
        (CANONICAL, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server", "RunInstances"),
        (CANONICAL, "ubuntu-minimal/images/hvm-ssd/ubuntu-focal-20.04", "RunInstances"),
        (CANONICAL, "ubuntu-eks/k8s_1.29/images/hvm-ssd/ubuntu-jammy-22.04", "RunInstances"),
        (CANONICAL, "ubuntu-pro-server/images/hvm-ssd/ubuntu-jammy-22.04", "RunInstances:0g00"),
        (CANONICAL, "ubuntu-pro-fips-updates-server/images/hvm-ssd", "RunInstances:0g00"),
        ("136693071363", "debian-12-amd64-20240102-1614", "RunInstances"),
        ("792107900819", "Rocky-9-EC2-Base-9.3-20231113.0.x86_64", "RunInstances"),
        ("764336703387", "AlmaLinux OS 9.3.20231113 x86_64", "RunInstances"),
        ("125523088429", "CentOS Stream 9 x86_64 20240115", "RunInstances"),
        ("131827586825", "OL9.3-x86_64-HVM-2024-01-09", "RunInstances"),
        # what is not known for sure
        (RED_HAT, "RHEL-SAP-8.6.0_HVM-20220503-x86_64-0-Hourly2-GP2", None),
        (RED_HAT, "Fedora-Cloud-Base", None),
        (SUSE_ACCOUNT, "suse-sles-15-sp5-sap-v20240129-hvm-ssd-x86_64", None),
        (SUSE_ACCOUNT, "suse-sles-sap-15-sp5-v20240129", None),
        (SUSE_ACCOUNT, "suse-sle-hpc-15-sp4-v20220621-hvm-ssd-x86_64", None),
        (SUSE_ACCOUNT, "suse-sle-micro-5-3-v20230420-hvm-ssd-x86_64", None),
        (CANONICAL, "ubuntu-eks-pro/k8s_1.29/images", None),
        (CANONICAL, "my-ubuntu/images", None),
        (DEEP_LEARNING, "Deep Learning AMI", None),
        (AMAZON, "something-else", None),
        # a name that anybody may use
        ("111122223333", "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", None),
        ("111122223333", "Windows_Server-2019-English-Full-Base-2024.01.10", None),
        (CANONICAL, "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", None),
        ("", "al2023-ami", None),
        ("679593333241", "opensuse-leap-15", None),
    ],
)
def test_a_vendor_names_its_images_alike(owner, name, code):
    assert vendor_code(owner, name) == code


@pytest.mark.parametrize(
    "description",
    [
        "Logstash shipping Windows event logs",
        "HAProxy in front of the Windows farm",
        "Backup appliance, agents for SUSE and RHEL",
        "Rebuilt after RHEL end of life",
        "OpenVPN server; clients: Windows, Mac",
        "SUSE repo mirror",
        "Built on a RHEL host with Packer",
    ],
)
def test_prose_about_something_beside_it_says_nothing(description):
    assert guess(description) is None or not describes(description)


@pytest.mark.parametrize(
    "description",
    ["RHEL golden image", "Our RHEL 9 base", "Hardened Windows Server 2022", "sles 15 for erp"],
)
def test_prose_about_the_system_itself_says_what_it_is(description):
    assert guess(description) is not None
    assert describes(description)


@pytest.mark.parametrize(
    "name",
    [
        *("windows-logs-collector", "nginx-windows-proxy", "windows-update-proxy-squid"),
        *("guacd-windows-rdp", "ad-windows-sync", "windows-dns-forwarder", "rhel-repo-mirror"),
        *("suse-rmt-mirror", "redhat-8-ubi"),
    ],
)
def test_what_serves_a_system_from_beside_it_is_not_the_system(name):
    assert guess(name) is None


@pytest.mark.parametrize(
    ("name", "is_named"),
    [
        ("RHEL-BASE-v12-1700000000-AMI", True),
        ("windows-webserver-1700000000", True),
        ("golden-sles-20240101", True),
        ("Base v3 Windows2019", True),
        ("WIN-SRV-2022-APP01", True),
        ("acme_rhel8", True),
        ("nagios-windows-monitor", False),
        ("terraform-windows-module-test", False),
        ("data-warehouse-sles-20240101", False),
        ("openshift-4.14-rhel-worker-pool", False),
        ("to-windows-2019", False),
        ("web-tier", False),
    ],
)
def test_a_name_that_is_more_than_a_word(name, is_named):
    assert is_named_for(name) is is_named


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Tableau - Windows - BYOL", "Tableau - Windows - "),
        ("win2019-SQL_2019_Standard-v1", "win2019 v1"),
        ("win2019-web", "win2019-web"),
    ],
)
def test_the_terms_of_a_product_are_taken_away(text, left):
    assert without_terms(text) == left
