"""One Milvus server for all contract tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from milvus_server import MilvusServer


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory) -> Iterator[str]:
    """http://127.0.0.1:port, shared by all tests."""
    pytest.importorskip("milvus_lite")
    pytest.importorskip("pymilvus")
    server = MilvusServer(tmp_path_factory.mktemp("milvus"))
    yield server.uri
    server.stop()
