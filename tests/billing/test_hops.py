import pytest

from registry.billing.clues import Link
from registry.billing.hops import Hop, Passed, with_breaks

PLAIN, RHEL, RHEL_HA = "RunInstances", "RunInstances:0010", "RunInstances:1010"
RHEL_BYOL, RHEL_STD = "RunInstances:00g0", "RunInstances:0014"
WINDOWS, WINDOWS_STD, WINDOWS_BYOL = "RunInstances:0002", "RunInstances:0006", "RunInstances:0800"


def hops(*codes):
    return [Passed(Hop("image", f"ami-{number}", usage_operation=code)) for number, code in codes]


def broken(*codes):
    found = with_breaks(hops(*enumerate(codes)))
    return [int(hop.aws_id.removeprefix("ami-")) for hop in found if hop.is_break]


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        pytest.param([], [], id="no way"),
        pytest.param([PLAIN], [], id="a plain origin"),
        pytest.param([RHEL, RHEL, RHEL], [], id="kept"),
        pytest.param([RHEL, PLAIN], [1], id="lost"),
        pytest.param([RHEL, ""], [1], id="left empty"),
        pytest.param([RHEL, PLAIN, PLAIN, ""], [1], id="lost once"),
        pytest.param([RHEL, RHEL, PLAIN, PLAIN], [2], id="lost later"),
        pytest.param([RHEL, None, None, PLAIN], [3], id="never recorded in between"),
        pytest.param([RHEL, "RunInstances:FFP-1", PLAIN], [2], id="not decoded in between"),
        pytest.param([None, PLAIN], [], id="an origin never recorded"),
        pytest.param([RHEL, None], [], id="an end never recorded"),
        pytest.param([PLAIN, RHEL], [], id="gained"),
        pytest.param([RHEL, PLAIN, RHEL, PLAIN], [1, 3], id="lost twice"),
        pytest.param([RHEL_HA, RHEL, PLAIN], [1, 2], id="one licence after the other"),
        pytest.param([WINDOWS_STD, WINDOWS], [1], id="SQL Server lost"),
        pytest.param([WINDOWS, WINDOWS_BYOL, WINDOWS_STD], [], id="Windows converted"),
        pytest.param([RHEL, RHEL_BYOL, RHEL], [], id="RHEL converted"),
        pytest.param([RHEL, RHEL_BYOL, PLAIN], [2], id="converted, then lost"),
        pytest.param([RHEL, "RunInstances:000g"], [1], id="exchanged"),
    ],
)
def test_a_loss_is_marked_where_it_shows(codes, found):
    assert broken(*codes) == found


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        pytest.param(RHEL, PLAIN, "RHEL lost", id="one"),
        pytest.param(RHEL_STD, PLAIN, "RHEL and SQL Server Standard lost", id="two"),
        pytest.param(RHEL_STD, RHEL, "SQL Server Standard lost", id="one of two"),
    ],
)
def test_a_break_says_what_was_lost(before, after, detail):
    *_, last = with_breaks(hops((0, before), (1, after)))

    assert last.detail == detail


def test_a_break_keeps_what_was_said_before():
    way = [*hops((0, RHEL)), Passed(Hop("image", "ami-1", "app", "this AMI", PLAIN, is_gone=True))]

    *_, last = with_breaks(way)

    assert last == Hop("image", "ami-1", "app", "this AMI", PLAIN, is_gone=True, is_break=True)


def machine(code, **doubt):
    link = Link("instance", "i-1", code, **doubt)
    return Passed(Hop("instance", "i-1", usage_operation=code), link)


def test_a_code_that_has_changed_since_is_no_witness():
    base, image = hops((0, PLAIN), (2, PLAIN))

    found = list(with_breaks([base, machine(RHEL, has_changed=True), image]))

    assert not any(hop.is_break for hop in found)
    assert found[1].usage_operation == RHEL


SOLD = ("6cd5fxzrad0cu2j23p692xytz",)


@pytest.mark.parametrize(
    ("base", "now", "image", "products", "found"),
    [
        pytest.param(RHEL, PLAIN, RHEL, (), [], id="plain meanwhile"),
        pytest.param(RHEL, PLAIN, PLAIN, (), ["ami-2"], id="nothing is lost at the machine"),
        pytest.param(PLAIN, RHEL, PLAIN, (), ["ami-2"], id="nobody converts plain Linux to RHEL"),
        pytest.param(PLAIN, RHEL, PLAIN, SOLD, [], id="but what Red Hat sold"),
        pytest.param(None, RHEL, PLAIN, (), ["ami-2"], id="of an image never recorded"),
        pytest.param(WINDOWS, WINDOWS_STD, WINDOWS, (), [], id="SQL Server added since"),
        pytest.param(PLAIN, "RunInstances:0g00", PLAIN, (), [], id="Ubuntu Pro since"),
        pytest.param(WINDOWS_STD, WINDOWS, PLAIN, (), ["ami-2"], id="no conversion"),
    ],
)
def test_a_machine_that_may_have_been_converted_is_half_a_witness(
    base, now, image, products, found
):
    first, last = hops((0, base), (2, image))
    last = Passed(last.hop, None, products)

    way = list(with_breaks([first, machine(now, may_have_changed=True), last]))

    assert [hop.aws_id for hop in way if hop.is_break] == found
