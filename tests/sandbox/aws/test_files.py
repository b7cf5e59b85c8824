import http.client
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.files import Bucket, File
from tests.sandbox.aws.things import ACCOUNT, OTHER_ACCOUNT, client

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def bucket(aws):
    aws.state.buckets["bills"] = Bucket(ACCOUNT)
    return aws.state.buckets["bills"]


def put(bucket, **contents):
    for key, content in contents.items():
        bucket.files[key] = File(content, AT)


def s3(aws, **options):
    return client(aws, "s3", **options)


def code_of(call, **params):
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]["Code"]


def test_a_file_is_listed_and_comes_as_it_is(aws, bucket):
    put(bucket, a=b"\x00\xff content")

    (listed,) = s3(aws).list_objects_v2(Bucket="bills")["Contents"]
    answer = s3(aws).get_object(Bucket="bills", Key="a", IfMatch=listed["ETag"])

    assert (listed["Key"], listed["Size"], listed["LastModified"]) == ("a", 10, AT)
    with answer["Body"] as body:
        assert body.read() == b"\x00\xff content"
    assert (answer["ETag"], answer["LastModified"]) == (listed["ETag"], AT)


def test_only_what_begins_with_the_prefix_is_listed(aws, bucket):
    put(bucket, **{"cur/a": b"", "cur/b": b"", "curious": b""})

    found = s3(aws).list_objects_v2(Bucket="bills", Prefix="cur/")

    assert [item["Key"] for item in found["Contents"]] == ["cur/a", "cur/b"]


def test_pages_go_on_until_the_end(aws, bucket):
    put(bucket, **{f"{number:04d}": b"" for number in range(1001)})

    pages = list(s3(aws).get_paginator("list_objects_v2").paginate(Bucket="bills"))

    assert [page["KeyCount"] for page in pages] == [1000, 1]
    assert pages[1]["Contents"][0]["Key"] == "1000"


@pytest.mark.parametrize("key", ["a b/c+d=e&f", "x<y>&\"'", "ü/漢字", "%20", "a//b"])
def test_hostile_keys_come_back_as_they_are(aws, bucket, key):
    put(bucket, **{key: b"x"})

    (listed,) = s3(aws).list_objects_v2(Bucket="bills")["Contents"]

    assert listed["Key"] == key
    with s3(aws).get_object(Bucket="bills", Key=key)["Body"] as body:
        assert body.read() == b"x"


def test_what_is_not_there_is_refused_by_its_code(aws, bucket):
    put(bucket, a=b"")

    assert code_of(s3(aws).list_objects_v2, Bucket="none") == "NoSuchBucket"
    assert code_of(s3(aws).get_object, Bucket="bills", Key="b") == "NoSuchKey"
    assert code_of(s3(aws).get_object, Bucket="bills", Key="a", IfMatch='"x"') == (
        "PreconditionFailed"
    )


def test_only_the_owner_may_read(aws, bucket):
    other = s3(aws, account=OTHER_ACCOUNT)

    assert code_of(other.list_objects_v2, Bucket="bills") == "AccessDenied"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("throttle", "SlowDown"),
        ("server-error", "InternalError"),
        ("access-denied", "AccessDenied"),
    ],
)
def test_faults_have_the_words_of_s3(aws, bucket, fault, code):
    aws.fail("ListObjectsV2", fault)

    assert code_of(s3(aws).list_objects_v2, Bucket="bills") == code


def test_a_bucket_is_filled_when_somebody_asks(aws):
    made = []

    def fill():
        made.append(1)
        return {"a": File(b"x", AT)}

    aws.state.buckets["bills"] = Bucket(ACCOUNT, fill=fill)
    assert made == []

    for _ in range(2):
        assert s3(aws).list_objects_v2(Bucket="bills")["KeyCount"] == 1
    assert made == [1]


def test_reads_are_logged(aws, bucket):
    s3(aws).list_objects_v2(Bucket="bills", Prefix="x")

    (call,) = aws.calls
    assert (call.service, call.operation, call.account) == ("s3", "ListObjectsV2", ACCOUNT)
    assert call.params["Prefix"] == "x"


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/bills", 501), ("/bills/a", 401)])
def test_what_is_not_simulated_is_refused(aws, bucket, path, status):
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    connection.request("GET", path)

    assert connection.getresponse().status == status
    connection.close()
