"""Every kind of bucket keeps the same promises, over HTTP against a server on this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashify.errors import MissingExtraError, StorageError
from fashify.io.storage import open_storage
from fashify.io.storage.remote import PROVIDERS, ObjectWatch, open_filesystem

#: The account and key that Azurite documents for its one built-in account.
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLl"
    "mEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint="
)

FILES = {"fashion/styles.csv": b"id\n1\n", "fashion/images/1.jpg": b"one", "other/2.jpg": b"two"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")


@pytest.fixture(scope="module")
def s3(tmp_path_factory) -> Iterator[dict[str, str]]:
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    yield {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1", **keys}
    server.stop()


@pytest.fixture(scope="module")
def gs() -> Iterator[dict[str, str]]:
    pytest.importorskip("gcsfs")
    emulator = pytest.importorskip("gcp_storage_emulator.server")
    port = free_port()
    server = emulator.create_server("127.0.0.1", port, in_memory=True)
    server.start()
    yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "FASHIFY_GS_ANONYMOUS": "1"}
    server.stop()


@pytest.fixture(scope="module")
def az(tmp_path_factory) -> Iterator[dict[str, str]]:
    pytest.importorskip("adlfs")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("Azurite is not installed: npm install -g azurite")
    port, place = free_port(), tmp_path_factory.mktemp("azurite")
    options = ["--blobPort", str(port), "--silent", "--skipApiVersionCheck", "-l", str(place)]
    server = subprocess.Popen([program, *options, "--disableTelemetry"])
    wait_for(port)
    yield {
        "AZURE_STORAGE_CONNECTION_STRING": f"{_AZURITE}http://127.0.0.1:{port}/devstoreaccount1;"
    }
    server.terminate()
    server.wait(10)


@pytest.fixture(params=sorted(PROVIDERS))
def bucket(request, monkeypatch) -> Iterator[str]:
    """The url of a bucket that holds ``FILES``."""
    for name, value in {**request.getfixturevalue(request.param), "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    url = f"{request.param}://shop"
    filesystem, root = open_filesystem(url)
    filesystem.mkdir(root)
    for name, data in FILES.items():
        filesystem.pipe_file(f"{root}/{name}", data)
    yield url
    filesystem.rm(root, recursive=True)


def test_names_are_relative_and_bytes_come_back(bucket: str) -> None:
    storage = open_storage(f"{bucket}/fashion/")
    assert storage.names() == ["images/1.jpg", "styles.csv"]
    assert storage.read("images/1.jpg") == b"one"
    assert storage.head("styles.csv", 2) == b"id"


def test_a_version_changes_with_the_bytes(bucket: str) -> None:
    filesystem, root = open_filesystem(bucket)
    before = open_storage(bucket).stats(FILES)
    assert set(before) == set(FILES)
    filesystem.pipe_file(f"{root}/other/2.jpg", b"owt")
    filesystem.pipe_file(f"{root}/fashion/copy.jpg", b"one")
    after = open_storage(bucket).stats([*FILES, "fashion/copy.jpg"])
    assert after["other/2.jpg"].version != before["other/2.jpg"].version
    assert after["fashion/styles.csv"] == before["fashion/styles.csv"]
    assert after["fashion/copy.jpg"].twin == after["fashion/images/1.jpg"].twin


def test_a_watched_object_changes_with_its_bytes(bucket: str) -> None:
    filesystem, root = open_filesystem(bucket)
    watch = ObjectWatch(f"{bucket}/other/2.jpg")
    before = watch.version()
    assert watch.version() == before
    filesystem.pipe_file(f"{root}/other/2.jpg", b"owt")
    assert watch.version() != before
    filesystem.rm_file(f"{root}/other/2.jpg")
    with pytest.raises(StorageError, match="check bucket"):
        watch.version()


def test_a_missing_object_is_not_a_missing_bucket(bucket: str) -> None:
    storage = open_storage(f"{bucket}/fashion")
    with pytest.raises(StorageError, match=r"an object at .*none\.jpg") as caught:
        storage.read("images/none.jpg")
    assert type(caught.value) is StorageError


@pytest.mark.parametrize("place", ["no/such/prefix", "../no-such-bucket/x"])
def test_what_is_not_there_is_one_line(bucket: str, place: str) -> None:
    url = f"{bucket}-none/x" if place.startswith("..") else f"{bucket}/{place}"
    with pytest.raises(StorageError, match="Fix: check bucket") as caught:
        open_storage(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("scheme", "provider"), PROVIDERS.items())
def test_without_its_package_the_extra_is_named(scheme, provider, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, provider.package, None)
    monkeypatch.setitem(__import__("sys").modules, f"{provider.package}.core", None)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "shop")
    with pytest.raises(MissingExtraError, match=rf"fashify\[{scheme}\]"):
        open_storage(f"{scheme}://shop/x")


def test_azure_without_an_account_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adlfs")
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StorageError, match="AZURE_STORAGE_CONNECTION_STRING"):
        open_storage("az://shop/x")


def test_every_provider_is_an_extra() -> None:
    import tomllib

    root = Path(__file__).resolve().parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(PROVIDERS) <= set(extras)
