"""What happens after a request whose answer was lost."""

from datetime import timedelta

import pytest

from registry.models import Method, RegistrationStep
from registry.registration import Declined, NotOurs, Wait, operation, register_once
from registry.registration.register import LOOKING, PATIENCE, UNSEEN
from tests.factories import NOON
from tests.registration.calls import sent, texts
from tests.registration.simulated import images_named, put_image


def lose(aws, ec2, registration):
    """Let AWS carry a request out without an answer, and not show the image."""
    aws.state.invisible_seconds = 3600
    aws.fail(operation(registration), "applied-then-dropped")
    register_once(ec2, registration, at=NOON)
    aws.state.invisible_seconds = 0
    return registration


@pytest.fixture
def in_doubt(aws, ec2, checked):
    """A registration by each method, that AWS carried out and of which it shows nothing."""
    return lose(aws, ec2, checked)


@pytest.fixture
def copy_in_doubt(aws, ec2, registered_by):
    return lose(aws, ec2, registered_by(Method.COPY, step=RegistrationStep.CHECKED))


@pytest.fixture(params=[method for method in Method if method != Method.COPY])
def in_doubt_without_token(request, aws, ec2, registered_by):
    """One by each method in which AWS takes no client token."""
    return lose(aws, ec2, registered_by(request.param, step=RegistrationStep.CHECKED))


def show(aws):
    """Let AWS show what it has made."""
    aws.state.advance(seconds=3600)


def forget(aws):
    """Let the image not have been made."""
    for image in images_named(aws, "golden"):
        del aws.state.things["images"][image["ImageId"]]
    aws.state.tokens.clear()


@pytest.mark.parametrize("fault", ["applied-then-dropped", "half-a-page"])
def test_a_lost_answer_is_resolved_by_looking(aws, ec2, checked, fault):
    aws.fail(operation(checked), fault)

    pause = register_once(ec2, checked, at=NOON)

    [image] = images_named(aws, "golden")
    assert pause is None
    assert checked.image_id == image["ImageId"]
    assert len(sent(aws)) == 1
    assert texts(checked)[0].startswith(f"No answer of AWS. {operation(checked)}: ")


def test_a_trouble_of_aws_is_a_doubt(aws, ec2, checked):
    aws.fail(operation(checked), "server-error")

    pause = register_once(ec2, checked, at=NOON)

    checked.refresh_from_db()
    assert pause == Wait(PATIENCE, LOOKING)
    assert checked.submitted_at == NOON


def test_a_doubt_that_can_not_be_looked_into_is_waited_out(aws, ec2, checked):
    aws.fail(operation(checked), "applied-then-dropped")
    aws.fail("DescribeImages", "slow", seconds=0)  # the look before
    aws.fail("DescribeImages", "access-denied")

    pause = register_once(ec2, checked, at=NOON)

    assert pause == Wait(PATIENCE, LOOKING)


def test_a_doubt_is_written_down_before_it_can_arise(in_doubt):
    in_doubt.refresh_from_db()

    assert in_doubt.submitted_at == NOON
    assert in_doubt.image_id == ""


def test_nothing_is_sent_while_an_image_may_be_out_of_sight(aws, ec2, in_doubt):
    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE - timedelta(seconds=1))

    assert pause is not None
    assert pause.note == LOOKING
    assert len(sent(aws)) == 1


def test_a_foreign_image_that_shows_in_the_doubt_is_not_believed_at_once(aws, ec2, in_doubt):
    forget(aws)
    put_image(aws)

    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE - timedelta(seconds=1))

    assert pause is not None


def test_a_foreign_image_that_still_shows_after_the_doubt_is_reported(aws, ec2, in_doubt):
    forget(aws)
    image_id = put_image(aws)

    with pytest.raises(NotOurs, match=image_id):
        register_once(ec2, in_doubt, at=NOON + PATIENCE)


def test_an_image_that_shows_late_is_found(aws, ec2, in_doubt):
    show(aws)

    pause = register_once(ec2, in_doubt, at=NOON + timedelta(minutes=3))

    [image] = images_named(aws, "golden")
    assert pause is None
    assert in_doubt.image_id == image["ImageId"]
    assert len(sent(aws)) == 1


def test_a_request_that_was_lost_is_sent_again(aws, ec2, in_doubt):
    forget(aws)

    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE)

    [image] = images_named(aws, "golden")
    assert pause is None
    assert in_doubt.image_id == image["ImageId"]
    assert len(sent(aws)) == 2


def test_a_copy_that_is_sent_again_is_made_once(aws, ec2, copy_in_doubt):
    pause = register_once(ec2, copy_in_doubt, at=NOON + PATIENCE)

    [image] = images_named(aws, "golden")
    first, second = sent(aws)
    assert pause is None
    assert copy_in_doubt.image_id == image["ImageId"]
    assert first["ClientToken"] == second["ClientToken"] == str(copy_in_doubt.key)


@pytest.mark.parametrize("fault", [None, "access-denied"], ids=["name taken", "denied"])
def test_a_no_after_a_doubt_may_come_from_our_own_image(aws, ec2, in_doubt_without_token, fault):
    if fault:
        aws.fail(operation(in_doubt_without_token), fault)

    pause = register_once(ec2, in_doubt_without_token, at=NOON + PATIENCE)

    in_doubt_without_token.refresh_from_db()
    assert pause == Wait(PATIENCE, LOOKING)
    assert in_doubt_without_token.submitted_at == NOON
    assert texts(in_doubt_without_token)[-1].startswith("AWS refuses now. ")


def test_a_slowed_repetition_is_no_new_doubt(aws, ec2, in_doubt):
    aws.fail(operation(in_doubt), "throttle")

    pause = register_once(ec2, in_doubt, at=NOON + PATIENCE)

    in_doubt.refresh_from_db()
    assert pause is not None
    assert pause.note == "AWS is slowing requests"
    assert in_doubt.submitted_at == NOON


def test_an_image_out_of_sight_longer_than_our_patience_is_found(aws, ec2, in_doubt):
    register_once(ec2, in_doubt, at=NOON + PATIENCE)
    show(aws)

    register_once(ec2, in_doubt, at=NOON + 2 * PATIENCE)

    [image] = images_named(aws, "golden")
    assert in_doubt.image_id == image["ImageId"]


def test_an_image_that_never_shows_is_left_to_a_person(ec2, in_doubt_without_token):
    with pytest.raises(NotOurs, match="Look for golden in EC2 before you repeat the request"):
        register_once(ec2, in_doubt_without_token, at=NOON + UNSEEN)


def test_a_denial_long_after_a_doubt_is_final(aws, ec2, in_doubt):
    forget(aws)
    aws.fail(operation(in_doubt), "access-denied")

    with pytest.raises(Declined, match="UnauthorizedOperation"):
        register_once(ec2, in_doubt, at=NOON + UNSEEN)


def test_who_may_no_longer_send_still_finds_what_was_sent(aws, ec2, in_doubt):
    show(aws)

    register_once(ec2, in_doubt, at=NOON + PATIENCE, may_send=False)

    assert in_doubt.image_id != ""


def test_who_may_no_longer_send_waits_as_long_as_an_image_may_be_unseen(aws, ec2, in_doubt):
    pause = register_once(ec2, in_doubt, at=NOON + UNSEEN - timedelta(seconds=1), may_send=False)

    assert pause == Wait(PATIENCE, LOOKING)
    assert len(sent(aws)) == 1


def test_who_may_no_longer_send_does_not_send_again(aws, ec2, in_doubt):
    forget(aws)

    with pytest.raises(Declined, match="may not make images here any more"):
        register_once(ec2, in_doubt, at=NOON + UNSEEN, may_send=False)

    assert images_named(aws, "golden") == []
