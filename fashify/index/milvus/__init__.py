"""Search in a Milvus server or in Milvus Lite."""

from fashify.index.milvus.milvus import MilvusIndex

__all__ = ["MilvusIndex"]
