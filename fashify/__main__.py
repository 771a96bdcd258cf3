"""``python -m fashify``: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    try:
        from fashify.cli import app

        app()
    except KeyboardInterrupt:
        # Before or after a command: within one the command group says the same.
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
