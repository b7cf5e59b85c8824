import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sandbox.aws.state import KINDS, State, text

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def put(state, aws_id, **place):
    where = {"account": "1", "region": "r", **place}
    return state.put("images", aws_id, {"ImageId": aws_id}, where["account"], where["region"])


def saved(state, tmp_path):
    file = tmp_path / "aws-state.json"
    state.save(file)
    return file


def test_what_was_saved_is_loaded(tmp_path):
    state = State()
    put(state, "ami-1", account="1")
    state.accounts["1"] = {"Name": 'hostile "<\u202e\x00'}
    state.tokens["t"] = {"image_id": "ami-1"}
    state.held["1 r golden"] = {"until": text(NOON), "image_id": "ami-2"}
    again = State()

    again.load(saved(state, tmp_path))

    assert again.things == state.things
    assert again.accounts == state.accounts
    assert again.tokens == state.tokens
    assert again.held == state.held


def test_an_id_is_never_given_again_also_after_a_restart(tmp_path):
    state = State()
    before = {state.new_id("ami") for _ in range(20)}
    again = State()
    again.load(saved(state, tmp_path))

    after = {again.new_id("ami") for _ in range(20)}

    assert len(before | after) == 40


def test_an_id_that_exists_is_not_given():
    state, twin = State(), State()
    taken = twin.new_id("ami")
    put(state, taken)

    assert state.new_id("ami") != taken


def test_ids_look_like_those_of_aws():
    assert State().new_id("snap") == "snap-09e3779b100000001"


def test_what_an_older_sandbox_saved_is_loaded(tmp_path):
    file = tmp_path / "aws-state.json"
    things = {"images": {"ami-1": {"ImageId": "ami-1", "_account": "1", "_region": "r"}}}
    file.write_text(json.dumps({"things": things, "accounts": {}, "tokens": {"a": "ami-1"}}))
    state = State()

    state.load(file)

    assert [*state.things] == [*KINDS]
    assert [thing["ImageId"] for thing in state.of("images", "1", "r")] == ["ami-1"]
    assert (state.tokens, state.held) == ({}, {})


def test_a_crash_while_saving_leaves_the_old_file(tmp_path):
    state = State()
    put(state, "ami-1")
    file = saved(state, tmp_path)
    before = file.read_text()
    put(state, "ami-2")["Name"] = object()

    with pytest.raises(TypeError):
        state.save(file)

    assert file.read_text() == before


def test_things_are_in_one_account_and_region():
    state = State()
    for place in ({"account": "1"}, {"account": "2"}, {"region": "s"}):
        put(state, f"ami-{place}", **place)

    assert [thing["ImageId"] for thing in state.of("images", "2", "r")] == ["ami-{'account': '2'}"]


def test_time_passes_when_it_is_told_to():
    state = State(clock=lambda: NOON)

    state.advance(minutes=5)
    state.advance(seconds=1)

    assert state.now == NOON + timedelta(minutes=5, seconds=1)


def test_times_are_written_in_utc():
    at = datetime(2026, 11, 24, 13, tzinfo=timezone(timedelta(hours=1)))

    assert text(at) == "2026-11-24T12:00:00.000Z"


def test_a_cleared_state_is_a_new_one():
    state = State(clock=lambda: NOON)
    put(state, "ami-1")
    state.accounts["1"] = {}
    state.held["1 r golden"] = {}
    state.pending_seconds = state.invisible_seconds = 5.0
    state.name_held_seconds = state.code_lag_seconds = 5.0
    state.advance(days=1)
    state.new_id("ami")

    state.clear()

    assert state.now == NOON
    assert not any(state.things.values())
    assert (state.accounts, state.held) == ({}, {})
    assert (state.pending_seconds, state.invisible_seconds) == (0.0, 0.0)
    assert (state.name_held_seconds, state.code_lag_seconds) == (0.0, 0.0)
    assert state.new_id("ami") == State().new_id("ami")
