import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.audit.ahead import read_ahead
from registry.audit.inventory import load_inventory, read_on_demand
from registry.billing.lineage import trace
from registry.models import Image, Instance, Snapshot, Volume
from tests.factories import make_account, make_image, make_instance, make_snapshot, make_volume

pytestmark = pytest.mark.django_db


def make_chains(number):
    """Make images of a chain each: from an instance of a parent, by way of a volume's snapshot."""
    account, found = make_account(), []
    for n in range(number):
        parent = make_image(account=account, root_snapshot_id=f"snap-old-{n}")
        make_instance(
            account=account,
            aws_id=f"i-{n}",
            image_id=parent.aws_id,
            root_device_name="/dev/xvda",
            volumes={"/dev/xvda": f"vol-{n}"},
        )
        make_volume(account=account, aws_id=f"vol-{n}", snapshot_id=f"snap-old-{n}")
        make_snapshot(account=account, aws_id=f"snap-{n}", volume_id=f"vol-{n}")
        found.append(make_image(account=account, root_snapshot_id=f"snap-{n}").aws_id)
    return found


def test_what_was_read_ahead_traces_as_the_whole_graph_does(django_assert_num_queries):
    ids = make_chains(3)
    whole = load_inventory()
    some = read_on_demand(ids)

    read_ahead(some, ids)

    with django_assert_num_queries(0):
        assert [trace(one, some) for one in ids] == [trace(one, whole) for one in ids]


def test_the_number_of_queries_does_not_grow_with_the_images():
    counts = []
    for number in (2, 20):
        ids = make_chains(number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read_ahead(read_on_demand(ids), ids)
        counts.append(len(queries))
        for model in (Image, Instance, Volume, Snapshot):
            model.objects.all().delete()

    assert counts[0] == counts[1]


def test_an_image_that_is_not_there_needs_nothing():
    read_ahead(read_on_demand(), ["ami-none"])
