"""A catalogue in a bucket, over real HTTP against an S3 server on this machine."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from fakes import GridBackbone, GridEngine
from onnx_bytes import WORDS as TOKENS
from onnx_bytes import write_tower
from served import Served, open_toy
from toy import draw
from typer.testing import CliRunner

from fashify.catalogue import load_catalogue
from fashify.cli import app
from fashify.demo.service import DemoService, ensure_default_store
from fashify.errors import CatalogueError, StorageAwayError, StorageError, StoreError
from fashify.features import extract_features
from fashify.io.artefact import WORDS
from fashify.io.storage import open_storage, remote
from fashify.learning import learn_head
from fashify.learning.tower import name_tower
from fashify.retrieval.retriever import Retriever
from fashify.server import Access, make_app
from fashify.store import FeatureStore, verify_store
from fashify.store.bucket import local_path, push_store

pytest.importorskip("s3fs")
server_module = pytest.importorskip("moto.server")
boto3 = pytest.importorskip("boto3")
flask = pytest.importorskip("flask")

DEPLOY = Path(__file__).resolve().parents[2] / "docs" / "deploy.md"


@pytest.fixture(scope="module")
def endpoint():
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(endpoint, monkeypatch, tmp_path):
    """An environment as a user sets it, pointing at the local server."""
    values = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return endpoint


@pytest.fixture
def bucket(aws, toy):
    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(
        Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    for file in toy.rglob("*.*"):
        client.put_object(
            Bucket="shop", Key=f"fashion/{file.relative_to(toy).as_posix()}", Body=file.read_bytes()
        )
    yield client
    for item in client.list_objects_v2(Bucket="shop")["Contents"]:
        client.delete_object(Bucket="shop", Key=item["Key"])
    client.delete_bucket(Bucket="shop")


def test_bucket_equals_folder(bucket, toy, tmp_path):
    """A bucket is the same catalogue as the folder."""
    local, cloud = load_catalogue(toy), load_catalogue("s3://shop/fashion/")
    assert cloud.table.equals(local.table)
    assert cloud.source == "s3://shop/fashion"
    assert cloud.image_bytes("4") == local.image_bytes("4")
    store = extract_features(cloud, GridBackbone(), tmp_path / "s", engine=GridEngine())
    assert store.item_ids.tolist() == [str(n) for n in range(1, 9)]
    assert Retriever.open(store.path).picture("4").shape == (80, 60, 3)


def test_only_changed_objects_are_embedded_again(bucket, toy, tmp_path):
    engine = GridEngine()
    extract_features(
        load_catalogue("s3://shop/fashion"), GridBackbone(), tmp_path / "s", engine=engine,
        batch_size=1,
    )  # fmt: skip
    assert engine.images == 7
    body = (toy / "images" / "4.jpg").read_bytes()
    bucket.put_object(Bucket="shop", Key="fashion/images/2.jpg", Body=body)
    bucket.delete_object(Bucket="shop", Key="fashion/images/8.jpg")
    engine = GridEngine()
    store = extract_features(
        load_catalogue("s3://shop/fashion", allow_unmatched=True), GridBackbone(),
        tmp_path / "s", engine=engine, batch_size=1,
    )  # fmt: skip
    assert engine.images == 0, "the new bytes are those of item 4"
    assert "8" not in store.item_ids


def test_a_missing_object_goes_to_quarantine(bucket, tmp_path):
    catalogue = load_catalogue("s3://shop/fashion")
    bucket.delete_object(Bucket="shop", Key="fashion/images/3.jpg")
    store = extract_features(catalogue, GridBackbone(), tmp_path / "s", engine=GridEngine())
    assert store.quarantine["item_id"].tolist() == ["9", "3"]
    assert "s3://shop/fashion/images/3.jpg" in store.quarantine["reason"].iloc[1]


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("s3://no-such-bucket/x", "no-such-bucket"),
        ("s3://shop/no/such/prefix", "under s3://shop/no/such/prefix"),
        ("s3://", "s3://bucket/prefix"),
        ("ftp://host/x", "s3://bucket/prefix"),
    ],
)
def test_wrong_urls_get_one_clear_line(bucket, url, match):
    with pytest.raises(CatalogueError, match=match) as caught:
        load_catalogue(url)
    assert "\n" not in str(caught.value)


def test_no_credentials(aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(StorageError, match="AWS_PROFILE"):
        open_storage("s3://shop/fashion")


def test_stalled_server_gives_up(aws, monkeypatch):
    """A server that refuses or stalls gives up in time."""
    monkeypatch.setattr(remote, "READ_SECONDS", 1)
    monkeypatch.setattr(remote, "ATTEMPTS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        with pytest.raises(StorageError, match="AWS_ENDPOINT_URL"):
            open_storage("s3://shop/fashion")
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL"):
        open_storage("s3://shop/fashion")


class Flaky(ThreadingHTTPServer):
    """Stands before the S3 server: counts, and fails the first request for each picture.

    Attributes:
        fault: ``busy`` answers 503, ``stall`` takes the request and says nothing; ``""`` none.
        most: requests for pictures under way at once, at most.
    """

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), FlakyHandler)
        self.behind = endpoint.removeprefix("http://")
        self.fault, self.seen, self.under_way, self.most = "", [], 0, 0
        self.lock, self.closing = threading.Lock(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class FlakyHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        picture = self.path.split("?")[0].endswith(".jpg")
        with server.lock:
            first = picture and self.path not in server.seen
            server.seen.append(self.path)
            server.under_way += picture
            server.most = max(server.most, server.under_way)
        try:
            if first and server.fault == "stall":
                server.closing.wait(30)
            elif first and server.fault == "busy":
                self.send_error(503)
            else:
                self.forward()
        finally:
            with server.lock:
                server.under_way -= picture

    do_HEAD = do_GET

    def forward(self) -> None:
        behind = http.client.HTTPConnection(self.server.behind)
        behind.request(self.command, self.path, headers=dict(self.headers))
        answer = behind.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def flaky(bucket, aws, monkeypatch):
    server = Flaky(aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    server.close()


@pytest.mark.parametrize("fault", ["busy", "stall"])
def test_failed_read_retried(flaky, tmp_path, fault, monkeypatch):
    """A picture that fails once is asked for again."""
    monkeypatch.setattr(remote, "READ_SECONDS", 1)
    catalogue = load_catalogue("s3://shop/fashion")
    flaky.fault = fault
    store = extract_features(catalogue, GridBackbone(), tmp_path / "s", engine=GridEngine())
    assert store.quarantine["item_id"].tolist() == ["9"]
    assert flaky.seen.count("/shop/fashion/images/3.jpg") >= 2
    assert 2 <= flaky.most <= remote.READERS


@pytest.mark.parametrize("how", ["server", "bucket"])
def test_vanished_bucket_stops_run(flaky, bucket, toy, tmp_path, monkeypatch, how):
    """A place that goes away stops the run and harms nothing."""
    monkeypatch.setattr(remote, "ATTEMPTS", 1)
    out = tmp_path / "s"
    extract_features(load_catalogue("s3://shop/fashion"), GridBackbone(), out, engine=GridEngine())
    before = (out / "manifest.json").read_bytes()
    bucket.put_object(Bucket="shop", Key="fashion/images/9.jpg", Body=b"something new")
    catalogue = load_catalogue("s3://shop/fashion")
    if how == "server":
        flaky.close()
    else:
        for item in bucket.list_objects_v2(Bucket="shop")["Contents"]:
            bucket.delete_object(Bucket="shop", Key=item["Key"])
        bucket.delete_bucket(Bucket="shop")
    with pytest.raises(StorageAwayError, match="s3://shop/fashion"):
        extract_features(catalogue, GridBackbone(), out, engine=GridEngine())
    if how == "bucket":
        bucket.create_bucket(
            Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        bucket.put_object(Bucket="shop", Key="fashion/styles.csv", Body=b"")
    assert (out / "manifest.json").read_bytes() == before
    assert verify_store(out) == []


def test_a_store_can_live_in_a_bucket(bucket, toy, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "one"))
    url = "s3://shop/stores/toy"
    with pytest.raises(StoreError, match="fashify build"):
        FeatureStore.load(url)
    engine = GridEngine()
    built = extract_features(
        load_catalogue(toy), GridBackbone(), url, engine=engine, index="exact", batch_size=1
    )
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "another-machine"))
    fetched = FeatureStore.load(url)
    assert fetched.path != built.path
    assert np.array_equal(fetched.features, built.features)
    assert verify_store(url) == []
    assert [m.item_id for m in Retriever.open(url).by_item("1", 1)] == ["6"]
    # Another machine adds one product: one image is embedded, the first machine sees it.
    draw(toy / "images" / "9.jpg", "white", "ring")
    engine = GridEngine()
    extract_features(
        load_catalogue(toy), GridBackbone(), url, engine=engine, index="exact", batch_size=1
    )
    assert engine.images == 1
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "one"))
    assert len(FeatureStore.load(url)) == 9
    keys = [item["Key"] for item in bucket.list_objects_v2(Bucket="shop")["Contents"]]
    files = FeatureStore.load(url).files.files
    index = json.loads((local_path(url) / "index" / "manifest.json").read_text())["files"]
    keys = [key for key in keys if key.startswith("stores/toy/")]
    assert len(keys) == len(files) + len(index) + 2, "nothing of the store before is left"


def test_a_store_in_a_bucket_can_have_a_head(bucket, toy, tmp_path, monkeypatch):
    url, products = "s3://shop/stores/taught", load_catalogue(toy)
    options = {"engine": GridEngine(), "index": "exact"}
    extract_features(products, GridBackbone(), tmp_path / "local", **options)
    learn_head(tmp_path / "local", method="pca")
    expected = Retriever.open(tmp_path / "local").by_item("2", 3)
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "one"))
    extract_features(products, GridBackbone(), url, **options)
    told = ["learn", "--store", url, "--head", "pca"]
    done = CliRunner().invoke(app, told)
    assert done.exit_code == 0, done.output
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "another-machine"))
    opened = Retriever.open(url)
    assert opened.parts == ("shape", "colour")
    assert opened.by_item("2", 3) == expected
    assert opened.by_item("2", 3, weights={"colour": 1})[0].parts
    assert verify_store(url) == []
    # Another machine takes the head away again, and the first one sees it go.
    learn_head(url, method="none")
    keys = [item["Key"] for item in bucket.list_objects_v2(Bucket="shop")["Contents"]]
    assert not [key for key in keys if key.startswith("stores/taught/head.")]
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "one"))
    assert Retriever.open(url).parts == ()


def test_words_travel(bucket, tmp_path, monkeypatch):
    """The word index and the tower of a store in a bucket are there for the next machine."""
    pytest.importorskip("tokenizers")
    url, catalogue = "s3://shop/worded", load_catalogue("s3://shop/fashion")
    built = extract_features(catalogue, GridBackbone(), url, engine=GridEngine())
    assert Retriever.open(url).by_text("red heels", 1)[0].item_id == "4"
    table = np.random.default_rng(0).normal(size=(len(TOKENS), built.features.shape[1]))
    name_tower(url, write_tower(tmp_path, table.astype(np.float32)))
    keys = [o["Key"] for o in bucket.list_objects_v2(Bucket="shop")["Contents"]]
    assert sum(key.startswith("worded/words/") for key in keys) == 2
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "elsewhere"))
    fetched = FeatureStore.load(url)
    assert fetched.path != built.path
    assert sorted(p.name for p in (fetched.path / WORDS).iterdir()) == [
        "tower.json",
        "words.sqlite",
    ]
    assert Retriever.open(url).wording.tower is not None


def test_a_server_takes_up_what_is_put_into_the_bucket(bucket, toy, tmp_path, monkeypatch, caplog):
    """Another machine's build answers soon; a bucket that cannot be read any more harms nothing."""
    url, built = "s3://shop/followed", tmp_path / "another-machine"

    def build() -> None:
        catalogue, engine = load_catalogue(toy), GridEngine()
        extract_features(catalogue, GridBackbone(), built, engine=engine, index="exact")
        push_store(built, url)

    def wait_until(is_so) -> None:
        end = time.monotonic() + 20
        while not is_so() and time.monotonic() < end:
            time.sleep(0.05)
        assert is_so()

    def count_products() -> int:
        return served.client.get("readyz").json()["n_products"]

    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "server"))
    monkeypatch.setattr("fashify.server.holding.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("fashify.store.bucket.FOLLOW_SECONDS", 0.2)
    monkeypatch.setattr(DemoService, "open", lambda place, **_: open_toy(place))
    build()
    search = make_app(url, page=False, access=Access())
    served = Served(search)
    try:
        assert count_products() == 8
        draw(toy / "images" / "9.jpg", "white", "ring")
        build()
        wait_until(lambda: count_products() == 9)
        bucket.delete_object(Bucket="shop", Key="followed/manifest.json")
        wait_until(lambda: "goes on" in caplog.text)
        time.sleep(0.5)
        assert caplog.text.count("goes on") == 1
        assert served.client.get("v1/products/9/similar").status_code == 200
    finally:
        search.state.fashify_store.close()
        served.close()


def test_the_store_of_the_environment_may_be_in_a_bucket(monkeypatch):
    """The sample is not served in its place."""
    monkeypatch.setenv("FASHIFY_STORE", "s3://shop/store")
    assert ensure_default_store() == "s3://shop/store"


def test_the_policy_of_the_docs_is_enough(bucket, aws, toy, tmp_path, monkeypatch):
    """Whoever has it can serve the store, and can write nothing."""
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "builder"))
    url, options = "s3://shop/store", {"engine": GridEngine(), "index": "exact"}
    products = load_catalogue("s3://shop/fashion")
    extract_features(products, GridBackbone(), url, **options)
    (written,) = re.findall(r"```json\n(.*?)```", DEPLOY.read_text("utf-8"), re.DOTALL)[:1]
    policy = written.replace("BUCKET", "shop").replace("catalogue/", "fashion/")
    iam = boto3.client("iam", endpoint_url=aws)
    iam.create_user(UserName="task")
    iam.put_user_policy(UserName="task", PolicyName="serve", PolicyDocument=policy)
    key = iam.create_access_key(UserName="task")["AccessKey"]

    def is_listed_below(statement, _) -> bool:
        """What the condition on the prefix of a listing says: moto evaluates none."""
        condition = statement._statement.get("Condition", {}).get("StringLike", {})
        asked = flask.request.args.get("prefix", "")
        return any(fnmatchcase(asked, one) for one in condition.get("s3:prefix", ["*"]))

    with monkeypatch.context() as enforced:
        enforced.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)
        enforced.setattr(
            "moto.iam.access_control.IAMPolicyStatement._check_conditions", is_listed_below
        )
        enforced.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        enforced.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        enforced.setenv("FASHIFY_CACHE", str(tmp_path / "task"))
        retriever = Retriever.open(url)
        assert [match.item_id for match in retriever.by_item("1", 1)] == ["6"]
        assert retriever.picture("4").shape == (80, 60, 3)
        with pytest.raises((StoreError, StorageError), match=r"(?i)denied|forbidden|permi"):
            extract_features(load_catalogue(toy), GridBackbone(), url, **options)
        with pytest.raises(CatalogueError):
            load_catalogue("s3://shop/elsewhere")
