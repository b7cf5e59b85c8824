import os
from pathlib import Path

from django.utils import timezone

from registry.sync.bills import clear_left_behind
from registry.sync.bills.workshop import workshop


def test_what_a_dead_worker_left_is_cleared_after_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old = [tmp_path / name for name in ("amiportal-bill-x", "other", "elsewhere")]
    for folder in old:
        folder.mkdir()
        (folder / "lines.csv").write_text("a")
        os.utime(folder, (0, 0))
    (tmp_path / "amiportal-bill-link").symlink_to(tmp_path / "elsewhere")
    with workshop() as used:
        clear_left_behind(at=timezone.now())

        assert {path.name for path in tmp_path.iterdir()} == {
            *("other", "elsewhere", "amiportal-bill-link", Path(used).name)
        }
    assert (tmp_path / "elsewhere" / "lines.csv").exists()
