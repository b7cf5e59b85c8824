import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import OTHER_ACCOUNT, client, code_of, image_of, put_image


def protect(aws, image_id, **asked):
    return client(aws).enable_image_deregistration_protection(ImageId=image_id, **asked)["Return"]


def unprotect(aws, image_id):
    return client(aws).disable_image_deregistration_protection(ImageId=image_id)["Return"]


def deregister(aws, image_id, **asked):
    client(aws).deregister_image(ImageId=image_id, **asked)


def refusal(act, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        act(*args, **kwargs)
    return code_of(error.value)


@pytest.mark.parametrize(
    ("asked", "protection"),
    [
        pytest.param({}, "enabled-without-cooldown", id="by default"),
        pytest.param({"WithCooldown": False}, "enabled-without-cooldown", id="without"),
        pytest.param({"WithCooldown": True}, "enabled-with-cooldown", id="with"),
    ],
)
def test_a_protected_image_says_so(aws, asked, protection):
    image_id = put_image(aws)

    answer = protect(aws, image_id, **asked)

    assert answer == protection
    assert image_of(aws, image_id)["DeregistrationProtection"] == protection


@pytest.mark.parametrize("asked", [{}, {"DryRun": True}], ids=["really", "dry"])
@pytest.mark.parametrize("with_cooldown", [True, False])
def test_a_protected_image_cannot_be_deregistered(aws, with_cooldown, asked):
    image_id = put_image(aws)
    protect(aws, image_id, WithCooldown=with_cooldown)

    assert refusal(deregister, aws, image_id, **asked) == "OperationNotPermitted"
    assert image_of(aws, image_id)["State"] == "available"


def test_without_a_cooldown_it_can_be_deregistered_as_soon_as_it_is_not_protected(aws):
    image_id = put_image(aws)
    protect(aws, image_id)

    answer = unprotect(aws, image_id)

    assert answer == "disabled"
    assert image_of(aws, image_id)["DeregistrationProtection"] == "disabled"
    deregister(aws, image_id)
    assert image_id not in aws.state.things["images"]


def test_with_a_cooldown_it_can_be_deregistered_a_day_later(aws):
    image_id = put_image(aws)
    protect(aws, image_id, WithCooldown=True)
    unprotect(aws, image_id)

    aws.state.advance(hours=23, minutes=59)
    before = refusal(deregister, aws, image_id)
    aws.state.advance(minutes=2)
    deregister(aws, image_id)

    assert before == "OperationNotPermitted"
    assert image_id not in aws.state.things["images"]


def test_a_cooldown_is_not_ended_by_another_protection_without(aws):
    image_id = put_image(aws)
    protect(aws, image_id, WithCooldown=True)
    unprotect(aws, image_id)
    protect(aws, image_id)
    unprotect(aws, image_id)

    assert refusal(deregister, aws, image_id) == "OperationNotPermitted"


@pytest.mark.parametrize("act", [protect, unprotect])
def test_only_the_owner_protects(aws, act):
    public = put_image(aws, place={"account": OTHER_ACCOUNT}, Public=True)

    assert refusal(act, aws, public) == "AuthFailure"
