from fractions import Fraction

import pytest

from registry.billing.normalization import NOT_FLEXIBLE, factor, family, is_flexible, kind, weight


@pytest.mark.parametrize(
    ("size", "number"),
    [
        ("nano", Fraction(1, 4)),
        ("micro", Fraction(1, 2)),
        ("small", 1),
        ("medium", 2),
        ("large", 4),
        ("xlarge", 8),
        ("2xlarge", 16),
        ("3xlarge", 24),
        ("4xlarge", 32),
        ("6xlarge", 48),
        ("8xlarge", 64),
        ("9xlarge", 72),
        ("10xlarge", 80),
        ("12xlarge", 96),
        ("16xlarge", 128),
        ("18xlarge", 144),
        ("24xlarge", 192),
        ("32xlarge", 256),
        ("48xlarge", 384),
        ("56xlarge", 448),
        ("112xlarge", 896),
        ("metal-24xl", 192),
        ("metal-48xl", 384),
    ],
)
def test_the_factor_of_a_size(size, number):
    assert factor(f"m7i.{size}") == number


@pytest.mark.parametrize(
    ("number", "families"),
    [
        (32, "a1"),
        (96, "m5zn x2iezn z1d"),
        (128, "c6g c6gd i3 m6g m6gd r6g r6gd x2gd"),
        (128, "c7g c7gd c7gn m7g m7gd r7g r7gd"),
        (144, "c5n"),
        (192, "c5 c5d i3en m5 m5d m5dn m5n r5 r5b r5d r5dn r5n"),
        (256, "c6i c6id m6i m6id r6i r6id c6in m6in m6idn r6in r6idn i4i x2idn x2iedn"),
        (384, "c6a m6a r6a"),
        (448, "u-18tb1 u-24tb1"),
        (896, "u-6tb1 u-9tb1 u-12tb1"),
    ],
)
def test_the_factor_of_bare_metal(number, families):
    assert {factor(f"{name}.metal") for name in families.split()} == {number}


@pytest.mark.parametrize(
    "instance_type",
    [
        "mac2.metal",
        "g4dn.metal",
        "m99.metal",
        "m5.huge",
        "m5.0xlarge",
        "m5.2xlarges",
        "m5.24xl",
        "m5.metal-24xlarge",
        "m5",
        "m5.",
        "",
    ],
)
def test_no_factor_is_made_up(instance_type):
    assert factor(instance_type) is None


@pytest.mark.parametrize(
    ("instance_type", "name"),
    [
        ("m5.large", "m5"),
        ("u7i-12tb.224xlarge", "u7i-12tb"),
        ("mac-m4.metal", "mac-m4"),
        ("m5", "m5"),
    ],
)
def test_the_family_of_a_type(instance_type, name):
    assert family(instance_type) == name


@pytest.mark.parametrize(
    ("differs", "flexes"),
    [
        pytest.param({}, True, id="regional, shared, Linux"),
        pytest.param({"instance_type": "m5.metal"}, True, id="bare metal"),
        pytest.param({"instance_type": "t3.nano"}, True, id="the smallest"),
        pytest.param({"scope": "Availability Zone"}, False, id="zonal"),
        pytest.param({"scope": ""}, False, id="a scope never recorded"),
        pytest.param({"tenancy": "dedicated"}, False, id="dedicated"),
        pytest.param({"platform": "Windows"}, False, id="Windows"),
        pytest.param({"platform": "SUSE Linux"}, False, id="SUSE"),
        pytest.param({"platform": "Red Hat Enterprise Linux"}, False, id="RHEL"),
        pytest.param({"platform": "Linux with SQL Server Web"}, False, id="Linux with SQL"),
        pytest.param({"instance_type": "m5.huge"}, False, id="a size without a factor"),
        pytest.param({"instance_type": "g4dn.metal"}, False, id="metal without a factor"),
    ],
)
def test_where_size_is_flexible(differs, flexes):
    usual = {
        "instance_type": "m5.large",
        "platform": "Linux/UNIX",
        "tenancy": "default",
        "scope": "Region",
    }
    asked = usual | differs

    assert is_flexible(asked.pop("instance_type"), **asked) is flexes


@pytest.mark.parametrize(
    "name",
    (
        "g4ad g4dn g5 g5g g6 g6e g6f gr6 gr6f hpc7a p5 inf1 inf2 u7i-6tb u7i-8tb".split()  # noqa: SIM905
    ),
)
def test_these_families_do_not_flex(name):
    assert name in NOT_FLEXIBLE
    assert not is_flexible(
        f"{name}.xlarge", platform="Linux/UNIX", tenancy="default", scope="Region"
    )


@pytest.mark.parametrize("name", ["g4", "p4d", "inf", "u7i-12tb", "hpc7", "m5", "g6x"])
def test_their_neighbours_do(name):
    assert is_flexible(f"{name}.xlarge", platform="Linux/UNIX", tenancy="default", scope="Region")


@pytest.mark.parametrize(
    ("instance_type", "platform", "tenancy", "name", "units"),
    [
        ("m5.large", "Linux/UNIX", "default", "m5", 16),
        ("t3.nano", "Linux/UNIX", "default", "t3", 1),
        ("m5.huge", "Linux/UNIX", "default", "m5.huge", 1),
        ("g5.xlarge", "Linux/UNIX", "default", "g5.xlarge", 1),
        ("m5.large", "Linux/UNIX", "dedicated", "m5.large", 1),
        ("m5.large", "Windows", "default", "m5.large", 1),
    ],
)
def test_units_are_quarters_of_the_factor_where_size_is_flexible_else_instances(
    instance_type, platform, tenancy, name, units
):
    assert kind(instance_type, platform, tenancy) == name
    assert weight(instance_type, platform, tenancy) == units
