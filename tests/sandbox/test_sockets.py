import socket
import tempfile

import pytest

from sandbox.sockets import forget_socket, new_socket, noted_socket


@pytest.fixture
def note(tmp_path):
    return tmp_path / "note"


@pytest.fixture(autouse=True)
def _temporary(tmp_path, monkeypatch):
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))


def listen(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


def test_only_we_can_enter_the_folder_of_a_socket(note):
    path = new_socket(note, "v.sock")

    assert path.name == "v.sock"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert noted_socket(note) == path


def test_a_forgotten_socket_leaves_nothing(note):
    path = new_socket(note, "v.sock")
    listen(path).close()
    (path.parent / "v.sock.lock").touch()

    forget_socket(note)

    assert not path.parent.exists()
    assert not note.exists()


def test_what_was_left_over_goes_when_there_is_a_new_one(note):
    old = new_socket(note, "v.sock")
    listen(old).close()

    new = new_socket(note, "v.sock")

    assert not old.parent.exists()
    assert new.parent.exists()


def test_a_folder_that_holds_anything_else_stays(note, tmp_path):
    folder = tmp_path / "amiportal-checkout"
    folder.mkdir()
    (folder / "precious.py").touch()
    note.write_text(str(folder / "v.sock"))

    forget_socket(note)

    assert (folder / "precious.py").exists()


@pytest.mark.parametrize("name", ["elsewhere", "amiportal-link"])
def test_a_folder_that_is_not_ours_stays(note, tmp_path, name):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "amiportal-link").symlink_to(folder)
    note.write_text(str(tmp_path / name / "v.sock"))

    forget_socket(note)

    assert folder.exists()


@pytest.mark.parametrize("text", ["", "relative/v.sock", "/nowhere/amiportal-x/v.sock"])
def test_a_note_that_leads_nowhere_is_forgotten(note, text):
    note.write_text(text)

    forget_socket(note)

    assert not note.exists()


def test_without_a_note_there_is_no_socket(note):
    forget_socket(note)

    assert noted_socket(note) is None


def test_a_socket_is_reached_by_a_short_path_however_long_the_system_makes_it(
    note, tmp_path, monkeypatch
):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))

    path = new_socket(note, ".s.PGSQL.5432")

    listen(path).close()
    assert not path.is_relative_to(tmp_path)
    forget_socket(note)
    assert not path.parent.exists()
