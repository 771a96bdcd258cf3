"""Starts the Fashify demo, as ``fashify demo`` does: ``python gradio_app.py --port 7861``.

The page itself is :mod:`fashify.demo.page`.
"""

import sys

from fashify.cli import app

if __name__ == "__main__":
    app(["demo", *sys.argv[1:]])
