"""Where uploads lie: each process of the demo has a folder of its own, also when it was killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fashify.demo import uploads
from fashify.demo.uploads import make_own_folder, upload_folder

HOLD = """
from fashify.demo.uploads import make_own_folder
with make_own_folder() as folder:
    (folder / "photo.jpg").write_bytes(b"of a visitor")
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the operator set."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "up"))
    return tmp_path / "up"


def holding() -> tuple[subprocess.Popen, Path]:
    """Another process with an upload in a folder of its own."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", HOLD], **pipes)
    return process, Path(process.stdout.readline().strip())


def test_private_folder_lifetime(parent: Path) -> None:
    """A private folder for as long as it is needed."""
    with make_own_folder() as folder:
        assert folder.parent == parent
        assert upload_folder() == folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "photo.jpg").touch()
    assert list(parent.iterdir()) == []
    assert os.environ["GRADIO_TEMP_DIR"] == str(parent)


def test_tools_for_assistants_use_it_too(parent: Path) -> None:
    from gradio import mcp

    before = mcp.DEFAULT_TEMP_DIR
    with make_own_folder() as folder:
        assert str(folder) == mcp.DEFAULT_TEMP_DIR
    assert before == mcp.DEFAULT_TEMP_DIR


def test_leftovers_cleared(parent: Path) -> None:
    """What a killed process left is cleared but nothing of a living one."""
    pytest.importorskip("fcntl")
    (parent / "not-ours").mkdir(parents=True)
    (dead, left), (living, kept) = holding(), holding()
    dead.kill()
    dead.wait()
    with make_own_folder() as folder:
        assert not left.exists()
        assert (kept / "photo.jpg").exists()
        assert folder not in (left, kept)
    living.communicate("\n")
    assert [path.name for path in parent.iterdir()] == ["not-ours"]


def test_unlocked_folder_given_up(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder taken for a leftover before it was locked is given up."""
    lock, asked = uploads._lock, []

    def late(folder: Path) -> int | None:
        asked.append(folder)
        if len(asked) == 1:
            folder.rmdir()
        return lock(folder)

    monkeypatch.setattr(uploads, "_lock", late)
    with make_own_folder() as folder:
        assert folder.is_dir()
        assert folder == asked[1]


def test_without_locks_leftovers_stay(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = parent / f"{uploads.PREFIX}other"
    other.mkdir(parents=True)
    monkeypatch.setattr(uploads, "fcntl", None)
    with make_own_folder() as folder:
        assert folder.is_dir()
    assert list(parent.iterdir()) == [other]
