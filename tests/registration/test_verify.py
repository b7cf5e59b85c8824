import uuid
from datetime import timedelta

import pytest

from registry.aws import ImageRecord
from registry.models import Method, RegistrationStep
from registry.registration import ImageFailed, Wait, operation, register_once, verify
from tests.factories import LATER, NOON
from tests.registration.calls import texts
from tests.registration.simulated import RHEL, images_named

AGAIN = timedelta(minutes=1)


@pytest.fixture
def submitted(aws, ec2, any_registration):
    """One by each method, whose image was just made, available and billed as it must be."""
    register_once(ec2, any_registration, at=NOON)
    any_registration.events.all().delete()
    bill(aws, RHEL, "Red Hat Enterprise Linux")
    return any_registration


def read(ec2, registration, at=NOON):
    return verify(ec2, registration, at=at, again_after=AGAIN)


def change(aws, **members):
    """Let AWS say something else of the image."""
    [image] = images_named(aws, "golden")
    image |= members


def bill(aws, code, details="Something"):
    change(aws, UsageOperation=code, PlatformDetails=details)


def test_a_pending_image_is_waited_for(aws, ec2, submitted):
    change(aws, State="pending", _available_at="2999")

    assert read(ec2, submitted) == Wait(timedelta(seconds=5), "Image pending")

    submitted.refresh_from_db()
    assert submitted.step == RegistrationStep.SUBMITTED
    assert texts(submitted) == []


def test_an_image_that_aws_does_not_show_is_waited_for(aws, ec2, submitted):
    change(aws, _visible_at="2999")

    assert read(ec2, submitted) == Wait(timedelta(seconds=5), "Waiting until AWS shows the image")


@pytest.mark.parametrize("state", ["invalid", "failed", "error", "deregistered"])
def test_an_image_that_could_not_be_made_says_why(aws, ec2, submitted, state):
    change(aws, State=state, StateReason={"Message": "Client.Snapshot: no good"})

    with pytest.raises(ImageFailed, match=f"is {state}: Client.Snapshot: no good"):
        read(ec2, submitted)


@pytest.mark.parametrize(
    ("waited", "pause"), [(0, 5), (49, 5), (60, 6), (300, 30), (600, 60), (86_400, 60)]
)
def test_it_asks_the_less_often_the_longer_it_takes(aws, ec2, submitted, waited, pause):
    change(aws, State="pending", _available_at="2999")

    found = read(ec2, submitted, at=NOON + timedelta(seconds=waited))

    assert found == Wait(timedelta(seconds=pause), "Image pending")


def test_an_image_that_aws_could_not_make_says_why_and_what_to_do(aws, ec2, checked):
    aws.state.pending_seconds = 1
    aws.fail(operation(checked), "image-fails")
    register_once(ec2, checked, at=NOON)
    aws.state.advance(seconds=1)

    with pytest.raises(ImageFailed, match="An internal error has occurred") as caught:
        read(ec2, checked)

    assert str(caught.value).endswith("Discard it, then repeat the request.")


def test_an_image_that_failed_without_a_reason_says_so(aws, ec2, submitted):
    change(aws, State="failed")

    with pytest.raises(ImageFailed, match="is failed: AWS gives no reason"):
        read(ec2, submitted)


@pytest.mark.parametrize("state", ["available", "disabled"])
def test_an_image_with_the_expected_code_is_verified_at_once(aws, ec2, submitted, state):
    change(aws, State=state)

    found = read(ec2, submitted)

    submitted.refresh_from_db()
    assert isinstance(found, ImageRecord)
    assert found.aws_id == submitted.image_id
    assert submitted.step == RegistrationStep.VERIFIED
    assert submitted.verdict == "ok"
    assert (submitted.usage_operation, submitted.platform_details) == (
        RHEL,
        "Red Hat Enterprise Linux",
    )
    assert (submitted.missing, submitted.unexpected) == ([], [])
    assert submitted.mismatch_seen_at is None


def test_the_timeline_says_what_was_read(ec2, submitted):
    read(ec2, submitted)

    assert texts(submitted) == [
        f"{submitted.image_id} is available.",
        "Read: RunInstances:0010, Red Hat Enterprise Linux.",
    ]


@pytest.mark.parametrize("code", ["RunInstances", ""], ids=["plain", "empty"])
def test_a_code_that_differs_is_not_condemned_on_the_first_reading(aws, ec2, submitted, code):
    bill(aws, code)

    pause = read(ec2, submitted, at=NOON)

    submitted.refresh_from_db()
    assert isinstance(pause, Wait)
    assert pause.pause == AGAIN
    assert submitted.mismatch_seen_at == NOON
    assert submitted.step == RegistrationStep.AVAILABLE
    assert submitted.verdict == ""


def test_it_is_not_condemned_before_its_time_however_often_it_is_read(aws, ec2, submitted):
    bill(aws, "RunInstances")
    read(ec2, submitted, at=NOON)

    pause = read(ec2, submitted, at=NOON + AGAIN - timedelta(seconds=1))

    submitted.refresh_from_db()
    assert isinstance(pause, Wait)
    assert submitted.mismatch_seen_at == NOON


def test_a_code_that_comes_late_is_right(aws, ec2, submitted):
    bill(aws, "", "")
    read(ec2, submitted, at=NOON)
    bill(aws, RHEL, "Red Hat Enterprise Linux")

    found = read(ec2, submitted, at=LATER)

    assert isinstance(found, ImageRecord)
    assert submitted.verdict == "ok"
    assert texts(submitted) == [
        f"{submitted.image_id} is available.",
        "Read: empty, No platform details.",
        "Read: RunInstances:0010, Red Hat Enterprise Linux.",
    ]


def test_what_aws_said_is_kept_word_for_word(aws, ec2, submitted):
    change(aws, Description="As AWS has it")

    read(ec2, submitted)

    submitted.refresh_from_db()
    [reading] = submitted.readings
    assert reading["at"] == NOON.isoformat()
    assert uuid.UUID(reading["request_id"])
    assert reading["image"]["ImageId"] == submitted.image_id
    assert reading["image"]["UsageOperation"] == RHEL
    assert reading["image"]["Description"] == "As AWS has it"


def test_of_what_aws_said_the_last_two_are_kept(aws, ec2, submitted):
    moments = [NOON, NOON + AGAIN / 2, NOON + AGAIN]
    for number, moment in enumerate(moments):
        bill(aws, f"RunInstances:000{number + 2}")
        read(ec2, submitted, at=moment)

    submitted.refresh_from_db()
    codes = [reading["image"]["UsageOperation"] for reading in submitted.readings]
    assert codes == ["RunInstances:0003", "RunInstances:0004"]
    assert [reading["at"] for reading in submitted.readings] == [
        moment.isoformat() for moment in moments[1:]
    ]


@pytest.fixture
def coded_late(aws, ec2, registered_by):
    """An image of a snapshot that is available, and whose code AWS shows half a minute later."""
    registration = registered_by(Method.SNAPSHOT)
    aws.state.code_lag_seconds = 30
    register_once(ec2, registration, at=NOON)
    return registration


def test_a_code_that_aws_shows_late_is_read_once_more(aws, ec2, coded_late):
    early = read(ec2, coded_late)
    aws.state.advance(seconds=30)

    read(ec2, coded_late, at=NOON + AGAIN)

    assert isinstance(early, Wait)
    assert coded_late.verdict == "ok"
    assert [one["image"].get("UsageOperation", "") for one in coded_late.readings] == ["", RHEL]


def test_a_code_that_aws_still_does_not_show_is_condemned(ec2, coded_late):
    read(ec2, coded_late)

    read(ec2, coded_late, at=NOON + AGAIN)

    assert coded_late.verdict == "lost"


@pytest.mark.parametrize(
    ("expected", "billed", "said"),
    [
        pytest.param(RHEL, "RunInstances", ("lost", ["RHEL"], []), id="lost"),
        pytest.param(RHEL, "", ("lost", ["RHEL"], []), id="lost, left empty"),
        pytest.param(
            "RunInstances:0014", RHEL, ("partial", ["SQL Server Standard"], []), id="partial"
        ),
        pytest.param(RHEL, "RunInstances:1010", ("unexpected", [], ["RHEL HA"]), id="unexpected"),
        pytest.param(RHEL, "RunInstances:0002", ("wrong", ["RHEL"], ["Windows"]), id="wrong"),
        pytest.param("RunInstances", "", ("unknown", [], []), id="unknown, left empty"),
    ],
)
def test_a_second_reading_decides(aws, ec2, submitted, expected, billed, said):
    submitted.expected_usage_operation = expected
    bill(aws, billed)
    read(ec2, submitted, at=NOON)

    found = read(ec2, submitted, at=NOON + AGAIN)

    submitted.refresh_from_db()
    assert isinstance(found, ImageRecord)
    assert submitted.step == RegistrationStep.VERIFIED
    assert submitted.usage_operation == billed
    assert (submitted.verdict, submitted.missing, submitted.unexpected) == said


def test_a_plain_image_whose_code_is_not_there_yet_is_read_again(aws, ec2, submitted):
    submitted.expected_usage_operation = "RunInstances"
    bill(aws, "", "")

    pause = read(ec2, submitted)

    assert isinstance(pause, Wait)


def test_a_plain_code_that_a_marketplace_code_explains_is_excused(aws, ec2, submitted):
    bill(aws, "RunInstances", "Linux/UNIX")
    change(aws, ProductCodes=[{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}])

    found = read(ec2, submitted)

    assert isinstance(found, ImageRecord)
    assert submitted.verdict == "excused"
