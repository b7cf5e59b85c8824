"""An incremental audit comes to what a full one comes to, whatever a sync has changed."""

import random
from datetime import timedelta
from typing import Any

import pytest

from registry.audit import audit
from registry.models import Change, Finding, Image, Instance, Snapshot, Touched, Volume
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_image,
    make_instance,
    make_registration,
    make_snapshot,
    make_volume,
)

pytestmark = pytest.mark.django_db
CODES = ("RunInstances", "RunInstances:0010", "RunInstances:000g", "")
JUDGED = (
    *("aws_id", "verdict", "expected_usage_operation", "confidence", "source", "missing"),
    *("unexpected", "evidence", "lineage", "ancestors"),
)
SHOWN = (
    *("image__aws_id", "instance__aws_id", "rule", "severity", "message", "remedy", "state"),
    *("cause", "running"),
)
THINGS: dict[str, Any] = {
    "image": Image,
    "snapshot": Snapshot,
    "volume": Volume,
    "instance": Instance,
}


def test_only_what_is_concerned_is_judged_again():
    parent = make_image(aws_id="ami-parent", usage_operation="RunInstances:0010")
    child = make_image(source_image_id="ami-parent")
    make_image()
    audit(at=NOON)
    Image.objects.filter(pk=parent.pk).update(usage_operation="RunInstances:000g")
    Touched.objects.create(kind="image", aws_id="ami-parent")

    counts = audit(at=LATER, is_full=False)

    assert counts.images == 2
    child.refresh_from_db()
    assert child.expected_usage_operation == "RunInstances:000g"
    assert Touched.objects.count() == 0


def test_nothing_touched_is_nothing_judged_but_what_has_findings():
    make_image(declared="RunInstances:0010")
    make_image()
    audit(at=NOON)

    assert audit(at=LATER, is_full=False).images == 1


def test_everything_is_judged_where_that_was_asked_for_meanwhile():
    make_image()
    audit(at=NOON)
    Touched.objects.everything()

    assert audit(at=LATER, is_full=False).images == 1
    assert audit(at=LATER, is_full=False).images == 0


def test_an_image_that_goes_takes_its_findings_with_it():
    image = make_image(declared="RunInstances:0010")
    audit(at=NOON)
    Image.objects.update(gone_at=LATER)
    Touched.objects.create(kind="image", aws_id=image.aws_id)

    audit(at=LATER, is_full=False)

    assert not Finding.objects.open().exists()


@pytest.mark.parametrize("seed", range(5))
def test_it_comes_to_what_a_full_one_comes_to(seed):
    world = World(random.Random(seed))  # noqa: S311  # a world, no secret
    for number in range(12, 14):
        make_registration(image_id=f"ami-{number}", snapshot_id=world.one("snap"))
    audit(at=NOON)

    for _ in range(3):
        world.change()
        audit(at=LATER, is_full=False)
        so_far = judgments()
        audit(at=LATER)
        assert so_far == judgments()


def judgments():
    findings = Finding.objects.open().order_by("image__aws_id", "instance__aws_id", "rule")
    images = Image.objects.present().order_by("aws_id")
    return list(images.values(*JUDGED)), list(findings.values(*SHOWN)), Change.objects.count()


class World:
    """A small mirror in which anything may come from anything, and what a sync does to it."""

    def __init__(self, dice):
        self.dice, self.account = dice, make_account()
        for number in range(12):
            self.image(number)
            self.instance(number)
            self.snapshot(number)
            self.volume(number)

    def one(self, kind):
        return f"{kind}-{self.dice.randrange(14)}"

    def some_day(self):
        return NOON - timedelta(days=self.dice.randrange(300))

    def image(self, number):
        dice = self.dice
        source = dice.choice(["source_image_id", "source_instance_id", "", ""])
        fields = {source: self.one({"source_image_id": "ami"}.get(source, "i"))} if source else {}
        make_image(
            account=self.account,
            aws_id=f"ami-{number}",
            name=dice.choice(["web", "rhel-9.4-base", "sles15-sp5"]),
            usage_operation=dice.choice(CODES),
            root_snapshot_id=self.one("snap"),
            ancestry=dice.choice([None, [{"image_id": self.one("ami"), "source_image_id": ""}]]),
            created_at=self.some_day(),
            **fields,
        )

    def instance(self, number):
        make_instance(
            account=self.account,
            aws_id=f"i-{number}",
            image_id=self.one("ami"),
            usage_operation=self.dice.choice(CODES),
            usage_operation_updated_at=NOON,
            root_device_name="/dev/xvda",
            volumes={"/dev/xvda": self.one("vol")},
        )

    def snapshot(self, number):
        descriptions = (
            "",
            f"Created by CreateImage({self.one('i')}) for {self.one('ami')}",
            f"[Copied {self.one('snap')} from eu-west-1]",
        )
        make_snapshot(
            account=self.account,
            aws_id=f"snap-{number}",
            description=self.dice.choice(descriptions),
            volume_id=self.dice.choice([self.one("vol"), "vol-ffffffff"]),
            data_encryption_key_id=self.dice.choice(["", "one", "other"]),
            started_at=self.some_day(),
        )

    def volume(self, number):
        make_volume(
            account=self.account,
            aws_id=f"vol-{number}",
            snapshot_id=self.dice.choice([self.one("snap"), ""]),
            source_volume_id=self.one("vol"),
            attachments=[{"instance_id": self.one("i"), "device": "/dev/xvda"}],
        )

    def change(self):
        """Let some things change, go, come back or appear, and say so as a sync does."""
        for kind, model in THINGS.items():
            for number in self.dice.sample(range(14), 2):
                prefix = {"image": "ami", "instance": "i", "snapshot": "snap", "volume": "vol"}
                aws_id = f"{prefix[kind]}-{number}"
                rows = model.objects.filter(aws_id=aws_id)
                if not rows:
                    getattr(self, kind)(number)
                elif self.dice.random() < 0.4:
                    rows.update(gone_at=None if rows[0].gone_at else LATER)
                else:
                    rows.update(**self.changed(kind))
                Touched.objects.create(kind=kind, aws_id=aws_id)

    def changed(self, kind):
        dice = self.dice
        return {
            "image": lambda: {
                "usage_operation": dice.choice(CODES),
                "name": dice.choice(["web", "rhel-8"]),
            },
            "instance": lambda: {
                "usage_operation": dice.choice(CODES),
                "state": "stopped",
                "volumes": {"/dev/xvda": self.one("vol")},
            },
            "snapshot": lambda: {"description": "", "volume_id": self.one("vol")},
            "volume": lambda: {"snapshot_id": self.one("snap")},
        }[kind]()
