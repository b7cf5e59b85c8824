"""What is said before, what comes of it and what is advised then, for every way to a code."""

from uuid import uuid4

import pytest

from registry.jobs.registrations import request_registrations
from registry.registration import Wish
from tests.jobs.steps import carry_out
from tests.registration.scenarios import KINDS, METHOD_OF, put_scenario, read_all, wish

# Each platform, the code, and which rows of the table are its own.
PLATFORMS = {
    "Linux": ("RunInstances", "plain"),
    "RHEL": ("RunInstances:0010", "licensed"),
    "RHEL BYOL": ("RunInstances:00g0", "brought"),
    "RHEL with HA": ("RunInstances:1010", "licensed"),
    "SUSE": ("RunInstances:000g", "licensed"),
    "Ubuntu Pro": ("RunInstances:0g00", "licensed"),
    "Windows": ("RunInstances:0002", "windows"),
    "Windows with SQL Server": ("RunInstances:0006", "windows"),
    "SQL Server on Linux": ("RunInstances:0004", "licensed"),
}
# With, encrypted: the snapshot kept the metadata of the code, which no API shows. Again:
# RegisterImage once more, when the first image of the same snapshot is there. A reason is needed to
# go on: yes. The verdict is on the image that AWS then made. Marketplace: the instance has the same
# product code and the license, so the code excuses no paid license; one of one's own it does.
TABLE = """
platform  snapshot     way            outcome  sure    recommended    reason  verdict  advice
plain     with         RegisterImage  kept     medium  RegisterImage  no      ok       -
plain     with         CreateImage    kept     strong  CreateImage    no      ok       -
plain     with         CopyImage      kept     medium  CopyImage      no      ok       -
plain     with         again          kept     strong  RegisterImage  no      ok       -
plain     without      RegisterImage  kept     medium  RegisterImage  no      ok       -
plain     without      CreateImage    kept     strong  CreateImage    no      ok       -
plain     without      CopyImage      kept     medium  CopyImage      no      ok       -
plain     without      again          kept     strong  RegisterImage  no      ok       -
plain     copied       RegisterImage  kept     weak    RegisterImage  no      ok       -
plain     copied       CreateImage    kept     strong  CreateImage    no      ok       -
plain     copied       CopyImage      kept     medium  CopyImage      no      ok       -
plain     copied       again          kept     strong  RegisterImage  no      ok       -
plain     encrypted    RegisterImage  kept     medium  RegisterImage  no      ok       -
plain     encrypted    CreateImage    kept     strong  CreateImage    no      ok       -
plain     encrypted    CopyImage      kept     medium  CopyImage      no      ok       -
plain     encrypted    again          kept     strong  RegisterImage  no      ok       -
plain     marketplace  RegisterImage  kept     medium  RegisterImage  no      ok       -
plain     marketplace  CreateImage    kept     strong  CreateImage    no      ok       -
plain     marketplace  CopyImage      kept     medium  CopyImage      no      ok       -
plain     marketplace  again          kept     strong  RegisterImage  no      ok       -
licensed  with         RegisterImage  kept     medium  RegisterImage  no      ok       -
licensed  with         CreateImage    kept     strong  CreateImage    no      ok       -
licensed  with         CopyImage      kept     medium  CopyImage      no      ok       -
licensed  with         again          kept     strong  RegisterImage  no      ok       -
licensed  without      RegisterImage  kept     weak    CreateImage    yes     lost     create-again
licensed  without      CreateImage    kept     strong  CreateImage    no      ok       -
licensed  without      CopyImage      kept     medium  CopyImage      no      ok       -
licensed  without      again          lost     strong  CreateImage    yes     lost     create-again
licensed  copied       RegisterImage  unknown  weak    CreateImage    yes     lost     create-again
licensed  copied       CreateImage    kept     strong  CreateImage    no      ok       -
licensed  copied       CopyImage      kept     medium  CopyImage      no      ok       -
licensed  copied       again          lost     strong  CreateImage    yes     lost     create-again
licensed  encrypted    RegisterImage  kept     weak    CreateImage    yes     ok       -
licensed  encrypted    CreateImage    kept     strong  CreateImage    no      ok       -
licensed  encrypted    CopyImage      kept     medium  CopyImage      no      ok       -
licensed  encrypted    again          kept     strong  RegisterImage  no      ok       -
licensed  marketplace  RegisterImage  kept     weak    CreateImage    yes     lost     create-again
licensed  marketplace  CreateImage    kept     strong  CreateImage    no      ok       -
licensed  marketplace  CopyImage      kept     medium  CopyImage      no      ok       -
licensed  marketplace  again          lost     strong  CreateImage    yes     lost     create-again
brought   with         RegisterImage  kept     medium  RegisterImage  no      ok       -
brought   with         CreateImage    kept     strong  CreateImage    no      ok       -
brought   with         CopyImage      kept     medium  CopyImage      no      ok       -
brought   with         again          kept     strong  RegisterImage  no      ok       -
brought   without      RegisterImage  kept     weak    CreateImage    yes     lost     create-again
brought   without      CreateImage    kept     strong  CreateImage    no      ok       -
brought   without      CopyImage      kept     medium  CopyImage      no      ok       -
brought   without      again          lost     strong  CreateImage    yes     lost     create-again
brought   copied       RegisterImage  unknown  weak    CreateImage    yes     lost     create-again
brought   copied       CreateImage    kept     strong  CreateImage    no      ok       -
brought   copied       CopyImage      kept     medium  CopyImage      no      ok       -
brought   copied       again          lost     strong  CreateImage    yes     lost     create-again
brought   encrypted    RegisterImage  kept     weak    CreateImage    yes     ok       -
brought   encrypted    CreateImage    kept     strong  CreateImage    no      ok       -
brought   encrypted    CopyImage      kept     medium  CopyImage      no      ok       -
brought   encrypted    again          kept     strong  RegisterImage  no      ok       -
brought   marketplace  RegisterImage  kept     weak    CreateImage    yes     excused  -
brought   marketplace  CreateImage    kept     strong  CreateImage    no      ok       -
brought   marketplace  CopyImage      kept     medium  CopyImage      no      ok       -
brought   marketplace  again          unknown  strong  CreateImage    yes     excused  -
windows   with         RegisterImage  kept     medium  CreateImage    no      ok       -
windows   with         CreateImage    kept     strong  CreateImage    no      ok       -
windows   with         CopyImage      kept     medium  CopyImage      no      ok       -
windows   with         again          kept     strong  CreateImage    no      ok       -
windows   without      RegisterImage  kept     weak    CreateImage    yes     lost     create-again
windows   without      CreateImage    kept     strong  CreateImage    no      ok       -
windows   without      CopyImage      kept     medium  CopyImage      no      ok       -
windows   without      again          lost     strong  CreateImage    yes     lost     create-again
windows   copied       RegisterImage  unknown  weak    CreateImage    yes     lost     create-again
windows   copied       CreateImage    kept     strong  CreateImage    no      ok       -
windows   copied       CopyImage      kept     medium  CopyImage      no      ok       -
windows   copied       again          lost     strong  CreateImage    yes     lost     create-again
windows   encrypted    RegisterImage  kept     weak    CreateImage    yes     ok       -
windows   encrypted    CreateImage    kept     strong  CreateImage    no      ok       -
windows   encrypted    CopyImage      kept     medium  CopyImage      no      ok       -
windows   encrypted    again          kept     strong  CreateImage    no      ok       -
windows   marketplace  RegisterImage  kept     weak    CreateImage    yes     lost     create-again
windows   marketplace  CreateImage    kept     strong  CreateImage    no      ok       -
windows   marketplace  CopyImage      kept     medium  CopyImage      no      ok       -
windows   marketplace  again          lost     strong  CreateImage    yes     lost     create-again
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]
SOUND = {"ok", "excused"}


def carried_out(aws, account, wishes):
    """Ask for images together; return for each what was said before and what came of it."""
    asked = [Wish(uuid4(), account, fields) for fields in wishes.values()]
    registrations = request_registrations(asked, by=None)
    return {
        way: told(registration, carry_out(aws, registration))
        for way, registration in zip(wishes, registrations, strict=True)
    }


def told(registration, run):
    said = registration.prediction
    return [
        said["outcome"],
        said["confidence"],
        said["api"],
        "yes" if said["must_explain"] else "no",
        registration.verdict,
        in_short(run.result["advice"]),
    ]


def in_short(advice):
    """Return whether an advice is to create the image again from the instance."""
    if not advice:
        return "-"
    create, replace, discard = advice
    assert create.startswith("Create the AMI again with CreateImage from ")
    assert replace.startswith("Replace the instances ")
    assert discard.startswith("Discard this AMI. ")
    return "create-again"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_was_said_and_what_came_of_it(aws, ec2, scope, platform, kind):
    code, group = PLATFORMS[platform]
    snapshot_id = put_scenario(aws, ec2, code, kind)
    read_all(scope.account)
    wishes = {way: wish(way, code, kind, snapshot_id) for way in METHOD_OF}
    again = {"again": {**wishes["RegisterImage"], "name": "golden again"}}

    found = carried_out(aws, scope.account, wishes) | carried_out(aws, scope.account, again)

    assert [[group, kind, way, *row] for way, row in found.items()] == [
        row for row in ROWS if row[:2] == [group, kind]
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:3]))
def test_strong_words_come_true(row):
    *_, outcome, confidence, _, _, verdict, _ = row

    assert (outcome, confidence, verdict in SOUND) not in {
        ("kept", "strong", False),
        ("lost", "strong", True),
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:3]))
def test_a_mismatch_never_comes_without_a_word_before_and_an_advice_after(row):
    *_, needs_reason, verdict, advice = row

    assert verdict in SOUND or (needs_reason, advice) == ("yes", "create-again")
