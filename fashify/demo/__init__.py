"""What stands behind the demo page: opening a store, answering actions, drawing HTML.

The page in Gradio is :mod:`fashify.demo.page`, its server :mod:`fashify.demo.page_server`.
"""

from fashify.demo.actions import Actions
from fashify.demo.service import DemoService
from fashify.demo.state import Answer, Query, View

__all__ = ["Actions", "Answer", "DemoService", "Query", "View"]
