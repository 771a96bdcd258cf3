"""What stands behind the demo page: opening a store, answering actions, drawing HTML.

``gradio_app.py`` holds layout and wiring; everything it shows or decides is here, and
only :mod:`fashify.demo.theme` imports Gradio.
"""

from fashify.demo.actions import Actions
from fashify.demo.service import DemoService
from fashify.demo.state import Answer, Query, View

__all__ = ["Actions", "Answer", "DemoService", "Query", "View"]
