"""What AWS and others publish on the application of Reserved Instances, through the whole portal.

Sources: EC2 User Guide, "How Reserved Instance discounts are applied", its scenarios 1 to 4 and its
examples of the normalization factor, and "How you are billed"; EC2 API and frequently asked
questions; the blogs of Skeddly and Cloudability; Cost and Usage Report guide, "size
flexible reservations"; Billing guide, "billing examples for specific services" and the sharing of
Reserved Instances; the whitepaper on reservation models; the table of billing information fields.
What is no number there, but a rule, is an example of that rule.
"""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils.dateparse import parse_datetime

from tests.audit.examples import Example

pytestmark = pytest.mark.django_db
GUIDE = {
    "scenario 1: one account, zonal and regional": """
        A runs 4 m3.large in us-east-1a: 4 x 1
        A runs 2 m4.xlarge in us-east-1b: 2 x 1
        A runs 1 c4.xlarge in us-east-1c: 1 x 1/2
        A buys 4 m3.large in us-east-1a: used 4, idle 0
        A buys 4 m4.large in us-east-1: used 4, idle 0
        A buys 1 c4.large in us-east-1: used 1, idle 0
    """,
    "scenario 2: from the smallest size to the largest": """
        A runs 2 m3.xlarge in us-east-1a: 1 x 1, 1 x 0
        A runs 2 m3.large in us-east-1b: 2 x 1
        A buys 1 m3.2xlarge in us-east-1: used 1, idle 0
    """,
    "scenario 3: the account that bought comes first": """
        A runs 2 m4.xlarge in us-east-1a: 2 x 1
        A runs 1 m4.2xlarge in us-east-1b: 1 x 1
        A runs 2 c4.xlarge in us-east-1a: 2 x 1
        A runs 1 c4.2xlarge in us-east-1b: 1 x 0
        B runs 2 m4.xlarge in us-east-1a: 2 x 0
        A buys 4 m4.xlarge in us-east-1: used 4, idle 0
        A buys 2 c4.xlarge in us-east-1: used 2, idle 0
    """,
    "scenario 4: zonal ones of others before regional ones of one's own": """
        A runs 1 m4.xlarge in us-east-1a: 1 x 1
        B runs 1 m4.xlarge in us-east-1b: 1 x 1
        A buys 1 m4.xlarge in us-east-1: used 1, idle 0
        C buys 1 m4.xlarge in us-east-1a: used 1, idle 0
    """,
    "two zonal ones and more instances than that": """
        A runs 3 c4.xlarge in us-east-1a: 2 x 1, 1 x 0
        A runs 1 c4.xlarge in us-east-1b: 1 x 0
        A runs 1 c4.2xlarge in us-east-1a: 1 x 0
        A buys 2 c4.xlarge in us-east-1a: used 2, idle 0
    """,
    "a t2.medium covers two t2.small": """
        A runs 2 t2.small in us-east-1a: 2 x 1
        A buys 1 t2.medium in us-east-1: used 1, idle 0
    """,
    "a t2.medium covers half of a t2.large": """
        A runs 1 t2.large in us-east-1a: 1 x 1/2
        A buys 1 t2.medium in us-east-1: used 1, idle 0
    """,
    "an i3.metal covers one i3.16xlarge": """
        A runs 1 i3.16xlarge in us-east-1a: 1 x 1
        A buys 1 i3.metal in us-east-1: used 1, idle 0
    """,
    "an i3.metal covers two i3.8xlarge": """
        A runs 2 i3.8xlarge in us-east-1a: 2 x 1
        A buys 1 i3.metal in us-east-1: used 1, idle 0
    """,
    "an i3.metal covers four i3.4xlarge": """
        A runs 4 i3.4xlarge in us-east-1a: 4 x 1
        A buys 1 i3.metal in us-east-1: used 1, idle 0
    """,
    "two i3.8xlarge cover an i3.metal": """
        A runs 1 i3.metal in us-east-1a: 1 x 1
        A buys 2 i3.8xlarge in us-east-1: used 2, idle 0
    """,
    "one hour, four instances: one of Reserved Instance usage, three On-Demand": """
        A runs 4 m4.xlarge in us-east-1a: 1 x 1, 3 x 0
        A buys 1 m4.xlarge in us-east-1: used 1, idle 0
    """,
    "billed whether an instance runs or not": """
        A runs 1 c4.large in us-east-1a, stopped: nothing
        A buys 1 c4.large in us-east-1: used 0, idle 1
    """,
}
OTHER_GUIDES = {
    "cost and usage report: two m4.large share an m4.xlarge": """
        A runs 2 m4.large in us-east-1a: 2 x 1
        A buys 1 m4.xlarge in us-east-1: used 1, idle 0
    """,
    "cost and usage report: two subscriptions pay half of an m4.xlarge each": """
        A runs 1 m4.xlarge in us-east-1a: 1 x 1
        A buys 1 m4.large in us-east-1: used 1, idle 0
        A buys 1 m4.large in us-east-1: used 1, idle 0
    """,
    "consolidated billing: Susan bought five, Bob none; nine run, five are paid": """
        S runs 3 m1.small in us-west-2a: 3 x 1
        B runs 6 m1.small in us-west-2a: 2 x 1, 4 x 0
        S buys 5 m1.small in us-west-2a: used 5, idle 0
    """,
    "consolidated billing: Bob runs in another zone": """
        S runs 3 m1.small in us-west-2a: 3 x 1
        B runs 6 m1.small in us-west-2b: 6 x 0
        S buys 5 m1.small in us-west-2a: used 3, idle 2
    """,
    "consolidated billing: Bob's us-west-2a is elsewhere": """
        S runs 3 m1.small in us-west-2a, usw2-az1: 3 x 1
        B runs 6 m1.small in us-west-2a, usw2-az2: 6 x 0
        S buys 5 m1.small in us-west-2a, usw2-az1: used 3, idle 2
    """,
    "consolidated billing: Susan's us-west-2a is what Bob calls us-west-2b": """
        S runs 3 m1.small in us-west-2a, usw2-az1: 3 x 1
        B runs 6 m1.small in us-west-2b, usw2-az1: 2 x 1, 4 x 0
        S buys 5 m1.small in us-west-2a, usw2-az1: used 5, idle 0
    """,
    "whitepaper: a c4.8xlarge covers one": """
        A runs 1 c4.8xlarge in us-east-1a: 1 x 1
        A buys 1 c4.8xlarge in us-east-1: used 1, idle 0
    """,
    "whitepaper: a c4.8xlarge covers two c4.4xlarge": """
        A runs 2 c4.4xlarge in us-east-1a: 2 x 1
        A buys 1 c4.8xlarge in us-east-1: used 1, idle 0
    """,
    "whitepaper: a c4.8xlarge covers four c4.2xlarge": """
        A runs 4 c4.2xlarge in us-east-1a: 4 x 1
        A buys 1 c4.8xlarge in us-east-1: used 1, idle 0
    """,
    "whitepaper: a c4.8xlarge covers sixteen c4.large": """
        A runs 16 c4.large in us-east-1a: 16 x 1
        A buys 1 c4.8xlarge in us-east-1: used 1, idle 0
    """,
    "whitepaper: a c4.8xlarge covers one c4.4xlarge and eight c4.large": """
        A runs 1 c4.4xlarge in us-east-1a: 1 x 1
        A runs 8 c4.large in us-east-1b: 8 x 1
        A buys 1 c4.8xlarge in us-east-1: used 1, idle 0
    """,
    "API guide: other zones and types than were bought": """
        A runs 4 m1.small in us-east-1a: 2 x 1, 2 x 0
        A runs 4 c1.medium in us-east-1b: 4 x 0
        A runs 2 c1.xlarge in us-east-1b: 2 x 0
        A buys 2 m1.small in us-east-1a: used 2, idle 0
        A buys 2 c1.medium in us-east-1a: used 0, idle 2
        A buys 2 m1.xlarge in us-east-1a: used 0, idle 2
    """,
    "frequent questions: an m5.2xlarge covers two m5.xlarge in one zone": """
        A runs 2 m5.xlarge in us-east-1a: 2 x 1
        A buys 1 m5.2xlarge in us-east-1: used 1, idle 0
    """,
    "frequent questions: or four m5.large in another": """
        A runs 4 m5.large in us-east-1b: 4 x 1
        A buys 1 m5.2xlarge in us-east-1: used 1, idle 0
    """,
    "Skeddly: an m4.xlarge covers half of an m4.2xlarge, and nothing of another family": """
        A runs 1 m4.2xlarge in us-east-1a: 1 x 1/2
        A runs 1 c4.large in us-east-1a: 1 x 0
        A buys 1 m4.xlarge in us-east-1: used 1, idle 0
    """,
    "Cloudability: a 2xlarge covers an xlarge and two large": """
        A runs 1 r4.xlarge in us-east-1a: 1 x 1
        A runs 2 r4.large in us-east-1b: 2 x 1
        A buys 1 r4.2xlarge in us-east-1: used 1, idle 0
    """,
    "knowledge center: one of several accounts gets it, the buyer first": """
        A runs 1 m1.small in us-east-1a: 1 x 1
        B runs 1 m1.small in us-east-1a: 1 x 0
        C runs 1 m1.small in us-east-1a: 1 x 0
        A buys 1 m1.small in us-east-1a: used 1, idle 0
    """,
    "knowledge center: smaller ones combine for a larger one, once they pay for no other": """
        A runs 1 m3.xlarge in us-east-1a: 1 x 1/2
        A runs 1 m3.large in us-east-1a: 1 x 1
        A buys 2 m3.large in us-east-1: used 2, idle 0
    """,
}
RULES = {
    "sharing is off: in the account that bought, and nowhere else": """
        C shares nothing
        A runs 1 m5.large in us-east-1a: 1 x 0
        C runs 1 m5.large in us-east-1a: 1 x 1
        C buys 1 m5.large in us-east-1a: used 1, idle 0
        C buys 1 m5.large in us-east-1: used 0, idle 1
    """,
    "sharing is off: nor do others pay for it": """
        C shares nothing
        C runs 1 m5.large in us-east-1a: 1 x 0
        A buys 1 m5.large in us-east-1: used 0, idle 1
    """,
    "a prioritized group comes after the owner and before the rest": """
        A is in group red
        C is in group red
        A runs 1 m5.large in us-east-1a: 1 x 1
        B runs 2 m5.large in us-east-1a: 1 x 1, 1 x 0
        C runs 1 m5.large in us-east-1a: 1 x 1
        A buys 3 m5.large in us-east-1: used 3, idle 0
    """,
    "a restricted group comes after the owner, and nobody else does": """
        A shares in group red only
        B shares in group red only
        A runs 1 m5.large in us-east-1a: 1 x 1
        B runs 1 m5.large in us-east-1a: 1 x 1
        C runs 2 m5.large in us-east-1a: 2 x 0
        A buys 3 m5.large in us-east-1: used 2, idle 1
    """,
    "another payer is another organization": """
        D has a payer of its own
        D runs 1 m5.large in us-east-1a: 1 x 0
        A buys 1 m5.large in us-east-1: used 0, idle 1
    """,
    "a region is a region": """
        A runs 1 m5.large in eu-west-1a: 1 x 0
        A buys 1 m5.large in us-east-1: used 0, idle 1
    """,
    "fractions of the smallest sizes": """
        A runs 3 t3.nano in us-east-1a: 3 x 1
        A runs 1 t3.micro in us-east-1a: 1 x 1/2
        A buys 1 t3.small in us-east-1: used 1, idle 0
    """,
    "what is left of a Reserved Instance is a fraction": """
        A runs 1 t3.nano in us-east-1a: 1 x 1
        A buys 1 t3.medium in us-east-1: used 1/8, idle 7/8
    """,
    "an m5.metal is an m5.24xlarge": """
        A runs 1 m5.metal in us-east-1a: 1 x 1/2
        A buys 1 m5.12xlarge in us-east-1: used 1, idle 0
    """,
    "families that are left out pay for their own size alone": """
        A runs 1 g4dn.xlarge in us-east-1a: 1 x 1
        A runs 1 g5.2xlarge in us-east-1a: 1 x 0
        A runs 1 inf1.xlarge in us-east-1a: 1 x 0
        A buys 2 g4dn.xlarge in us-east-1: used 1, idle 1
        A buys 2 g5.xlarge in us-east-1: used 0, idle 2
        A buys 1 inf1.2xlarge in us-east-1: used 0, idle 1
    """,
    "dedicated ones pay for dedicated instances of their size": """
        A runs 1 m5.large in us-east-1a: 1 x 0
        A runs 1 m5.large in us-east-1a, dedicated: 1 x 1
        A runs 2 m5.xlarge in us-east-1a, dedicated: 2 x 0
        A buys 3 m5.large in us-east-1, dedicated: used 1, idle 2
    """,
    "Red Hat, SUSE, Windows and SQL Server do not flex": """
        A runs 1 m5.xlarge in us-east-1a, RunInstances:0010: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0010: 1 x 0
        A runs 1 m5.large in us-east-1a, RunInstances:000g: 1 x 0
        A runs 1 m5.large in us-east-1a, RunInstances:0002: 1 x 0
        A runs 1 m5.large in us-east-1a, RunInstances:0004: 1 x 0
        A buys 2 m5.xlarge in us-east-1, Red Hat Enterprise Linux: used 1, idle 1
        A buys 2 m5.xlarge in us-east-1, SUSE Linux: used 0, idle 2
        A buys 2 m5.xlarge in us-east-1, Windows: used 0, idle 2
        A buys 2 m5.xlarge in us-east-1, Linux with SQL Server Standard: used 0, idle 2
    """,
    "a purchase never pays a part of a richer platform, nor of a poorer one": """
        A runs 1 m5.large in us-east-1a: 1 x 0
        A runs 1 m5.large in us-east-1a, RunInstances:1010: 1 x 0
        A buys 1 m5.large in us-east-1, Red Hat Enterprise Linux: used 0, idle 1
    """,
    "every platform that is sold pays for its code": """
        A runs 1 m5.large in us-east-1a, RunInstances:0010: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:1010: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:000g: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0002: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0006: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0202: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0102: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0004: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0200: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:0100: 1 x 1
        A buys 1 m5.large in us-east-1, Red Hat Enterprise Linux: used 1, idle 0
        A buys 1 m5.large in us-east-1, Red Hat Enterprise Linux with HA: used 1, idle 0
        A buys 1 m5.large in us-east-1, SUSE Linux: used 1, idle 0
        A buys 1 m5.large in us-east-1, Windows: used 1, idle 0
        A buys 1 m5.large in us-east-1, Windows with SQL Server Standard: used 1, idle 0
        A buys 1 m5.large in us-east-1, Windows with SQL Server Web: used 1, idle 0
        A buys 1 m5.large in us-east-1, Windows with SQL Server Enterprise: used 1, idle 0
        A buys 1 m5.large in us-east-1, Linux with SQL Server Standard: used 1, idle 0
        A buys 1 m5.large in us-east-1, Linux with SQL Server Web: used 1, idle 0
        A buys 1 m5.large in us-east-1, Linux with SQL Server Enterprise: used 1, idle 0
    """,
    "a license of one's own of Red Hat is paid by Linux, and flexes": """
        A runs 1 m5.xlarge in us-east-1a, RunInstances:00g0: 1 x 1/2
        A buys 1 m5.large in us-east-1: used 1, idle 0
        A buys 1 m5.xlarge in us-east-1, Red Hat Enterprise Linux: used 0, idle 1
    """,
    "no Reserved Instance pays for Ubuntu Pro, nor for Red Hat with SQL Server": """
        A runs 1 m5.large in us-east-1a, RunInstances:0g00: 1 x 0
        A runs 1 m5.large in us-east-1a, RunInstances:0014: 1 x 0
        A buys 1 m5.large in us-east-1: used 0, idle 1
        A buys 1 m5.large in us-east-1, Red Hat Enterprise Linux: used 0, idle 1
        A buys 1 m5.large in us-east-1, Linux with SQL Server Standard: used 0, idle 1
    """,
    "the suffix of EC2-Classic means nothing any more": """
        A runs 1 m5.xlarge in us-east-1a: 1 x 1
        A runs 1 m5.large in us-east-1a, RunInstances:000g: 1 x 1
        A buys 2 m5.large in us-east-1, Linux/UNIX (Amazon VPC): used 2, idle 0
        A buys 1 m5.large in us-east-1, SUSE Linux (Amazon VPC): used 1, idle 0
    """,
    "Spot, scheduled, capacity blocks and Dedicated Hosts are not On-Demand": """
        A runs 1 m5.large in us-east-1a, spot: 1 x 0
        A runs 1 m5.large in us-east-1a, scheduled: 1 x 0
        A runs 1 m5.large in us-east-1a, capacity-block: 1 x 0
        A runs 1 m5.large in us-east-1a, host: 1 x 0
        A buys 4 m5.large in us-east-1: used 0, idle 4
    """,
    "only what is active pays": """
        A runs 1 m5.large in us-east-1a: 1 x 0
        A buys 1 m5.large in us-east-1, retired: used 0, idle 1
        A buys 1 m5.large in us-east-1, queued: used 0, idle 1
        A buys 1 m5.large in us-east-1, payment-pending: used 0, idle 1
    """,
    "a lost code: the purchase for Red Hat stays idle": """
        A runs 2 m5.xlarge in us-east-1a, RunInstances:0010: 2 x 1
        A runs 2 m5.xlarge in us-east-1a: 2 x 0
        A buys 3 m5.xlarge in us-east-1, Red Hat Enterprise Linux: used 2, idle 1
    """,
}


NAMES = [*GUIDE, *OTHER_GUIDES, *RULES]


@pytest.fixture
def examples():
    texts = {**GUIDE, **OTHER_GUIDES, **RULES}
    return {name: Example.read(NAMES.index(name) + 1, text) for name, text in texts.items()}


@pytest.fixture
def answer(examples, tmp_path):
    """Take in all accounts and recordings, audit, and return what it prints."""
    accounts, recording = tmp_path / "accounts.toml", tmp_path / "recording"
    accounts.write_text("".join(example.accounts_file for example in examples.values()))
    for example in examples.values():
        example.write(recording)
    call_command("load_accounts", accounts, stdout=StringIO())
    call_command("import_dump", recording, stdout=StringIO())
    out, at = StringIO(), parse_datetime("2026-06-01T12:00:00Z")
    with pytest.raises(SystemExit) as ended:
        call_command("audit", as_of=at, format="json", stdout=out, stderr=StringIO())
    assert ended.value.code == 1  # purchases stay idle
    return json.loads(out.getvalue())


def test_every_purchase_is_used_as_is_published(examples, answer):
    found = {
        bought["reserved_instances_id"]: (bought["used"], bought["idle"])
        for bought in answer["reserved_instances"]
    }

    used = {
        name: {aws_id: found.pop(aws_id) for aws_id in example.used}
        for name, example in examples.items()
    }
    assert used == {name: example.used for name, example in examples.items()}
    assert found == {}


def test_every_instance_is_covered_as_is_published(examples, answer):
    """Which of alike instances is covered is nowhere said."""
    found = {each["instance_id"]: each["covered"] for each in answer["instances"]}

    covered = {
        name: {
            ids: sorted((found.pop(aws_id) for aws_id in ids if aws_id in found), reverse=True)
            for ids in example.covered
        }
        for name, example in examples.items()
    }
    assert covered == {name: example.covered for name, example in examples.items()}
    assert found == {}


def test_two_subscriptions_are_named_for_their_parts(examples, answer):
    (name,) = (name for name in NAMES if "two subscriptions" in name)
    ((instance,),) = examples[name].covered

    covers = [
        bought["covers"]
        for bought in answer["reserved_instances"]
        if bought["reserved_instances_id"] in examples[name].used
    ]

    assert covers == [[{"instance_id": instance, "fraction": 0.5}]] * 2
