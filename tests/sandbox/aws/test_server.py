import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.server import SimulatedAws
from sandbox.aws.state import State
from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    becomes,
    client,
    code_of,
    image_of,
    put_image,
    put_snapshot,
    query,
    registration,
)

# The log of calls


def test_every_call_is_logged_with_what_was_asked_and_by_whom(aws):
    client(aws, account=OTHER_ACCOUNT, region="us-east-1").describe_images(Owners=["self"])

    (call,) = aws.calls

    assert (call.service, call.operation) == ("ec2", "DescribeImages")
    assert (call.account, call.region) == (OTHER_ACCOUNT, "us-east-1")
    assert call.params == {"Owners": ["self"]}


def test_a_refused_call_is_logged_and_nonsense_is_not(aws):
    with pytest.raises(ClientError):
        client(aws).describe_images(ImageIds=["ami-0123"])
    query(aws, "DescribeImages", Colour="blue")

    assert aws.operations_called() == ["DescribeImages"]


def test_each_page_is_a_call(aws):
    for _ in range(3):
        put_image(aws)
    pages = client(aws).get_paginator("describe_images")

    list(pages.paginate(Owners=["self"], PaginationConfig={"PageSize": 2}))

    assert aws.operations_called() == ["DescribeImages", "DescribeImages"]


def test_a_reset_begins_again(aws):
    put_image(aws)
    aws.fail("*", "throttle", times=None)
    aws.throttles = True
    with pytest.raises(ClientError):
        client(aws).describe_images()

    aws.reset()

    assert client(aws).describe_images()["Images"] == []
    assert len(aws.calls) == 1
    assert aws.throttles is False


# Connections


def test_one_connection_serves_many_calls(aws):
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=10)
    connection.connect()
    port = connection.sock.getsockname()[1]

    answers = [ask_health(connection) for _ in range(5)]

    assert answers == [200] * 5
    assert connection.sock.getsockname()[1] == port
    connection.close()


def ask_health(connection):
    connection.request("GET", "/_sandbox/health")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_many_register_at_once_and_each_name_goes_to_one(aws):
    snapshot_id = put_snapshot(aws)
    ec2 = client(aws)
    names = [f"golden-{number % 10}" for number in range(40)]

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda name: outcome(ec2, snapshot_id, name), names))

    images = aws.state.things["images"].values()
    assert sorted(image["Name"] for image in images) == sorted(set(names))
    assert results.count("made") == 10
    assert results.count("InvalidAMIName.Duplicate") == 30


def outcome(ec2, snapshot_id, name):
    try:
        ec2.register_image(**registration(snapshot_id, Name=name))
    except ClientError as error:
        return code_of(error)
    return "made"


def test_a_call_is_carried_out_alone(aws):
    with ThreadPoolExecutor(1) as pool:
        with aws.state.lock:
            call = pool.submit(client(aws).describe_regions)
            done, _ = wait([call], timeout=0.3)
            was_asked = becomes(lambda: aws.operations_called() == ["DescribeRegions"])

        assert (len(done), was_asked) == (0, True)
        assert call.result()["Regions"]


def test_a_slow_call_does_not_hold_up_the_others(aws):
    aws.fail("DescribeImages", "slow", seconds=60)
    ec2 = client(aws)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client(aws, read_timeout=1).describe_images)
        becomes(lambda: aws.calls != [])
        regions = ec2.describe_regions()["Regions"]
        was_done = slow.done()

    assert regions
    assert not was_done


def raw(aws, head, body=b""):
    """Send bytes, hang up, and return what comes back."""
    host, port = aws.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_half_a_request_is_not_carried_out(aws):
    body = json.dumps({"operation": "*", "fault": "throttle"}).encode()
    head = f"POST /_sandbox/faults HTTP/1.1\r\nContent-Length: {len(body) + 1}\r\n\r\n".encode()

    answer = raw(aws, head, body)

    assert answer == b""
    assert client(aws).describe_regions()["Regions"]


@pytest.mark.parametrize("length", [b"", b"Content-Length: x\r\n", b"Content-Length: -5\r\n"])
def test_a_request_without_a_length_is_refused(aws, length):
    answer = raw(aws, b"POST / HTTP/1.1\r\n" + length + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 411 ")


def test_an_answer_says_how_long_it_is(aws):
    put_image(aws, Description="é" * 1000)

    length = client(aws).describe_images()["ResponseMetadata"]["HTTPHeaders"]["content-length"]

    assert int(length) > 2000


# What outlives the server


@pytest.fixture
def state_file(tmp_path):
    return tmp_path / "aws-state.json"


def test_what_was_answered_is_written_down(state_file):
    with SimulatedAws(State(), state_file=state_file) as aws:
        snapshot_id = put_snapshot(aws)
        image_id = client(aws).register_image(**registration(snapshot_id))["ImageId"]

        assert image_id in json.loads(state_file.read_text())["things"]["images"]


def test_what_was_applied_and_dropped_is_written_down(state_file):
    with SimulatedAws(State(), state_file=state_file) as aws:
        image_id = put_image(aws)
        aws.fail("DisableImage", "applied-then-dropped")

        with pytest.raises(Exception, match="Connection was closed"):
            client(aws).disable_image(ImageId=image_id)

        saved = json.loads(state_file.read_text())["things"]["images"]
        assert saved[image_id]["State"] == "disabled"


def test_a_read_writes_nothing(state_file):
    with SimulatedAws(State(), state_file=state_file) as aws:
        client(aws).describe_images()
        state_file.unlink()

        client(aws).describe_images()

        assert not state_file.exists()


def test_a_world_goes_on_where_it_was(state_file):
    with SimulatedAws(State(), state_file=state_file) as aws:
        source = put_image(aws, Name="golden", Description="<&\u202e")
        asked = {"SourceImageId": source, "SourceRegion": "eu-west-1", "Name": "copy"}
        copy = client(aws).copy_image(ClientToken="one", **asked)["ImageId"]
    state = State()
    state.load(state_file)

    with SimulatedAws(state, state_file=state_file) as aws:
        again = client(aws).copy_image(ClientToken="one", **asked)["ImageId"]
        images = client(aws).describe_images(Owners=["self"])["Images"]

    assert again == copy
    assert {image["ImageId"] for image in images} == {source, copy}
    assert images[0]["Description"] == "<&\u202e"


# What another process may ask


def control(aws, path, body=None):
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=10)
    method = "GET" if body is None else "POST"
    connection.request(method, f"/_sandbox/{path}", body=body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def test_it_says_that_it_is_there(aws):
    assert control(aws, "health") == (200, {})


def test_a_fault_can_be_switched_on_and_off_from_outside(aws):
    fault = json.dumps({"operation": "DescribeRegions", "fault": "throttle", "times": None})

    on = control(aws, "faults", fault)
    with pytest.raises(ClientError) as refused:
        client(aws).describe_regions()
    off = control(aws, "faults", "{}")

    assert (on, off) == ((200, {}), (200, {}))
    assert code_of(refused.value) == "RequestLimitExceeded"
    assert client(aws).describe_regions()["Regions"]


def test_the_calls_can_be_read_from_outside(aws):
    client(aws).describe_images(Owners=["self"])

    assert control(aws, "calls") == (
        200,
        [
            {
                "service": "ec2",
                "operation": "DescribeImages",
                "account": ACCOUNT,
                "region": "eu-west-1",
                "params": {"Owners": ["self"]},
            }
        ],
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"operation": "*", "fault": "explode"}', id="no such fault"),
        pytest.param('{"operation": "*"}', id="no fault"),
        pytest.param('{"operation": "*", "fault": "slow", "colour": 1}', id="unknown option"),
        pytest.param("{", id="no JSON"),
        pytest.param("[1]", id="no object"),
    ],
)
def test_nonsense_from_outside_is_refused_and_changes_nothing(aws, body):
    status, answer = control(aws, "faults", body)

    assert (status, list(answer)) == (400, ["problem"])
    assert client(aws).describe_regions()["Regions"]


def test_how_long_things_take_can_be_set_and_read_from_outside(aws):
    wanted = {"pending_seconds": 60, "name_held_seconds": 0.5}

    answer = control(aws, "pace", json.dumps(wanted))
    image_id = client(aws).register_image(**registration(put_snapshot(aws)))["ImageId"]

    everything = {"invisible_seconds": 0.0, "code_lag_seconds": 0.0, **wanted}
    assert answer == (200, everything)
    assert control(aws, "pace") == (200, everything)
    assert image_of(aws, image_id)["State"] == "pending"


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param('{"pending_seconds": -1}', id="less than nothing"),
        pytest.param('{"pending_seconds": "5"}', id="a word"),
        pytest.param('{"pending_seconds": true}', id="no number"),
        pytest.param('{"pending_seconds": NaN}', id="nothing that is a number"),
        pytest.param('{"pending_seconds": 1e300}', id="for ever"),
        pytest.param('{"invisible_seconds": 1, "lock": 1}', id="something else"),
        pytest.param("[1]", id="no object"),
        pytest.param("{", id="no JSON"),
    ],
)
def test_a_pace_that_cannot_be_is_refused_and_changes_nothing(aws, wanted):
    status, answer = control(aws, "pace", wanted)

    assert (status, list(answer)) == (400, ["problem"])
    assert set(control(aws, "pace")[1].values()) == {0.0}


def test_all_images_are_told_to_another_process(aws):
    aws.state.invisible_seconds = 60
    hidden = client(aws).register_image(**registration(put_snapshot(aws)))["ImageId"]
    theirs = put_image(aws, place={"account": OTHER_ACCOUNT, "region": "us-east-1"})

    status, images = control(aws, "images")

    assert status == 200
    assert [(image["ImageId"], image["_account"], image["_region"]) for image in images] == [
        (hidden, ACCOUNT, "eu-west-1"),
        (theirs, OTHER_ACCOUNT, "us-east-1"),
    ]
    assert {name for image in images for name in image if name.startswith("_")} == {
        "_account",
        "_region",
    }


def test_an_image_is_told_as_it_stands_though_nobody_asked_aws(aws):
    aws.state.pending_seconds = 60
    client(aws).register_image(**registration(put_snapshot(aws)))

    aws.state.advance(seconds=61)

    (image,) = control(aws, "images")[1]
    assert image["State"] == "available"


@pytest.mark.parametrize("path", ["", "nonsense", "faults/x"])
def test_other_paths_lead_nowhere(aws, path):
    assert control(aws, path)[0] == 404


def test_a_browser_finds_nothing(aws):
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/")

    assert connection.getresponse().status == 404
    connection.close()
