"""The search for programs: a REST API beside the page, and both inside another application."""

from fashify.server.access import Access
from fashify.server.application import make_app, mount
from fashify.server.running import serve

__all__ = ["Access", "make_app", "mount", "serve"]
