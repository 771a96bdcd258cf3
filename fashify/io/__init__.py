"""Bytes in, artefacts out: images, storage, and files written whole or not at all."""
