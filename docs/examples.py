"""Examples of docstrings as code: Markdown would make quotations of their ``>>>``."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

#: An example: from its first prompt to the next empty line.
_EXAMPLE = re.compile(r"^>>> .*?(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


class FenceExamples(Extension):
    """Puts every example of every docstring between fences."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each module, class, function and attribute."""
        if obj.docstring and ">>> " in obj.docstring.value:
            fenced = _EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", obj.docstring.value)
            obj.docstring.value = fenced
