from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config

from registry.aws import (
    Access,
    AccessDenied,
    AwsError,
    Bucket,
    Malformed,
    NotFound,
    ObjectRecord,
    Throttled,
    Unreachable,
    connect_bucket,
)
from sandbox.aws import files
from tests.conftest import BASE_ACCOUNT

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def stored(aws):
    """Put files into a bucket."""
    bucket = aws.state.buckets["bills"] = files.Bucket(BASE_ACCOUNT)

    def put(key, content=b"content"):
        bucket.files[key] = files.File(content, AT)

    return put


@pytest.fixture
def bucket(aws):
    return connect_bucket(Access(), "eu-west-1", "bills")


def test_every_page_is_listed(stored, bucket):
    for number in range(1001):
        stored(f"cur/{number:04d}")
    stored("other")

    found = bucket.list_files("cur/")

    assert len(found) == 1001
    assert (found[0].key, found[0].size, found[0].changed_at) == ("cur/0000", 7, AT)


def test_no_file_is_an_answer_too(stored, bucket):
    stored("other")

    assert bucket.list_files("cur/") == []


def test_a_file_is_written_down_as_it_is(stored, bucket, tmp_path):
    content = bytes(range(256)) * 10_000
    stored("a", content)

    bucket.download(bucket.list_files("")[0], tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == content


def test_a_file_that_changed_since_it_was_listed_is_not_taken(stored, bucket, tmp_path):
    stored("a")
    (listed,) = bucket.list_files("")
    stored("a", b"another")

    with pytest.raises(AwsError, match="PreconditionFailed"):
        bucket.download(listed, tmp_path / "a")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("ListObjectsV2 access-denied", AccessDenied),
        ("ListObjectsV2 throttle", Throttled),
        ("ListObjectsV2 half-a-page", AwsError),
        ("GetObject access-denied", AccessDenied),
        ("GetObject half-a-page", Unreachable),
        ("GetObject applied-then-dropped", Unreachable),
    ],
)
def test_trouble_has_our_names(aws, stored, tmp_path, fault, error):
    stored("a", b"x" * 100_000)
    aws.fail(*fault.split(), times=None)
    client = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
    once = Bucket(client, "bills")

    with pytest.raises(error):
        once.download(once.list_files("")[0], tmp_path / "a")


def test_a_bucket_that_is_not_there_is_not_found(aws, bucket):
    with pytest.raises(NotFound, match="ListObjectsV2: NoSuchBucket"):
        bucket.list_files("")


class Lying:
    """Something that answers in the place of S3."""

    def __init__(self, page):
        self._page = page

    def get_paginator(self, name):
        return self

    def paginate(self, **asked):
        return [self._page]


@pytest.mark.parametrize(
    "page", [{}, {"KeyCount": 2, "Contents": [{"Key": "a"}]}, {"KeyCount": 1}], ids=repr
)
def test_half_an_answer_is_none(page):
    with pytest.raises(Unreachable, match="not hold as many files"):
        Bucket(Lying(page), "bills").list_files("")


@pytest.mark.parametrize("item", [{}, {"Key": "a"}, {"Size": 1, "LastModified": AT}], ids=repr)
def test_a_file_without_its_members_is_malformed(item):
    with pytest.raises(Malformed):
        Bucket(Lying({"KeyCount": 1, "Contents": [item]}), "bills").list_files("")


def test_fewer_bytes_than_were_listed_are_no_file(stored, bucket, tmp_path):
    stored("a")
    (listed,) = bucket.list_files("")
    longer = ObjectRecord(listed.key, listed.size + 1, listed.changed_at, listed.tag)

    with pytest.raises(Unreachable, match="7 of 8 bytes came of a"):
        bucket.download(longer, tmp_path / "a")
