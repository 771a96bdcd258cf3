"""``python -m fashify``: the same as the ``fashify`` command."""

from fashify.cli import main

if __name__ == "__main__":
    main()
