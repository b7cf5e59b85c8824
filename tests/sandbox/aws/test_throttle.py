import pytest
from botocore.exceptions import ClientError

from sandbox.aws.throttle import Buckets, size
from tests.sandbox.aws.things import OTHER_ACCOUNT, client, code_of

# The bounded and the unbounded form of a call: capacity, and tokens a second.
DOCUMENTED = {
    "DescribeImages": ((100, 20), (100, 20)),
    "DescribeReservedInstances": ((100, 20), (100, 20)),
    "GetImageAncestry": ((100, 20), (100, 20)),
    "ListImagesInRecycleBin": ((100, 20), (100, 20)),
    "DescribeInstances": ((100, 20), (50, 10)),
    "DescribeSnapshots": ((100, 20), (50, 10)),
    "DescribeVolumes": ((100, 20), (50, 10)),
    "RegisterImage": ((50, 5), (50, 5)),
    "CreateImage": ((50, 5), (50, 5)),
    "DisableImage": ((50, 5), (50, 5)),
    "CopyImage": ((100, 1), (100, 1)),
    "DeregisterImage": ((100, 5), (100, 5)),
    "ModifyImageAttribute": ((100, 5), (100, 5)),
    "CreateTags": ((100, 10), (100, 10)),
}


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.mark.parametrize("operation", DOCUMENTED)
def test_buckets_have_the_documented_sizes(operation):
    bounded = size(operation, is_bounded=True)
    unbounded = size(operation, is_bounded=False)

    assert (bounded, unbounded) == DOCUMENTED[operation]


def taken(buckets, number, key="a"):
    return sum(buckets.take(key, 10, 2) for _ in range(number))


def test_a_bucket_begins_full():
    assert taken(Buckets(Clock()), 15) == 10


def test_tokens_come_back_with_time():
    clock = Clock()
    buckets = Buckets(clock)
    taken(buckets, 15)

    clock.seconds += 1.5

    assert taken(buckets, 15) == 3


def test_a_bucket_holds_no_more_than_its_size():
    clock = Clock()
    buckets = Buckets(clock)
    taken(buckets, 1)

    clock.seconds += 3600

    assert taken(buckets, 15) == 10


def test_each_has_a_bucket_of_its_own():
    buckets = Buckets(Clock())
    taken(buckets, 15, "a")

    assert taken(buckets, 15, "b") == 10


def test_who_asks_too_often_is_throttled_and_others_are_not(aws):
    aws.throttles = True
    ec2 = client(aws)

    refused = refusals(ec2, 60)

    assert set(refused) == {"RequestLimitExceeded"}
    assert client(aws).describe_instances()["Reservations"] == []
    assert client(aws).describe_volumes(MaxResults=5)["Volumes"] == []
    assert client(aws, region="us-east-1").describe_volumes()["Volumes"] == []
    assert client(aws, account=OTHER_ACCOUNT).describe_volumes()["Volumes"] == []


def test_nobody_is_throttled_unless_it_is_switched_on(aws):
    assert refusals(client(aws), 60) == []


def test_after_a_reset_the_buckets_are_full(aws):
    aws.throttles = True
    refusals(client(aws), 60)

    aws.reset()
    aws.throttles = True

    assert refusals(client(aws), 40) == []


def refusals(ec2, number):
    found = []
    for _ in range(number):
        try:
            ec2.describe_volumes()
        except ClientError as error:
            found.append(code_of(error))
    return found
