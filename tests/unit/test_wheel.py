"""The wheel stands alone: all it needs inside, nothing beside the package, used from anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by this environment's own Hatchling."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", out, ROOT], check=True, capture_output=True)
    (built,) = out.glob("fashify-*.whl")
    return built


def test_wheel_holds_notebooks_sample_and_weights(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"fashify"}
    for name in ("py.typed", "data/sample.zip", "data/fashify-lite.safetensors"):
        assert f"fashify/{name}" in names
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {Path(name).name for name in names if name.startswith("fashify/notebooks/")}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_wheel_builds_a_store_and_reports_from_another_folder(wheel, tmp_path):
    """In an environment of its own, which borrows this one's other packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # A plain path: the editable install there is not followed.
    (Path(packages) / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
    subprocess.run([*install, "--no-deps", "--no-index", wheel], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # nbconvert's templates are borrowed too, and with them a kernel of the other Python.
    environment["JUPYTER_PATH"] = f"{sysconfig.get_path('data')}/share/jupyter"

    def fashify(*arguments: str) -> str:
        return subprocess.run(
            [tmp_path / "venv/bin/fashify", *arguments],
            cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    fashify("build", "--catalogue", "sample", "--limit", "24", "--out", "store")
    answer = json.loads(fashify("info", "--store", "store", "--json"))
    assert answer["store"]["n_items"] == 24
    where = subprocess.run(
        [python, "-c", "import fashify; print(fashify.__file__)"], cwd=tmp_path, env=environment,
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert where.startswith(str(tmp_path))
    # Copies are opened with JupyterLab; what is reported of one is what its cells show there.
    fashify("notebooks", "mine")
    options = ["--store", "store", "-p", "split=all", "--out", "reports", "--json"]
    (run,) = json.loads(fashify("report", "mine/00_tour.ipynb", *options))
    assert (run["status"], run["metrics"]["gallery"]) == ("done", 24)
    names = {path.name for path in ROOT.glob("notebooks/*.ipynb")}
    assert {path.name for path in (tmp_path / "mine").iterdir()} == names
