"""The ``fashify`` command line; each command is a thin call into the package."""

from fashify.cli.main import app, main

__all__ = ["app", "main"]
