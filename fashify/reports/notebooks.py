"""The project's notebooks as data: where they are, what parameters they take, what is allowed."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashify.errors import ReportError, join_names
from fashify.io.artefact import write_bytes

if TYPE_CHECKING:
    import nbformat

_PACKAGE = Path(__file__).resolve().parents[1]

#: Where notebooks are looked for: beside the package in a checkout, in it as a wheel brings
#: them, or where the user stands.
_FOLDERS = (_PACKAGE.parent / "notebooks", _PACKAGE / "notebooks", Path("notebooks"))

#: Files of theirs in such a folder.
_NUMBERED = "[0-9]*.ipynb"

_TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: ``name: type = default  # meaning, unit``."""

    name: str
    type: str
    default: Any
    meaning: str


def list_notebooks() -> list[str]:
    """Names of the project's notebooks, in the order of their numbers."""
    return _list_in(_FOLDERS)


def _list_in(folders: Sequence[Path]) -> list[str]:
    return sorted({path.stem for folder in folders for path in folder.glob(_NUMBERED)})


def find_notebook(name: str | Path) -> Path:
    """Path of a notebook given by path, by name, or by its number ("03", "3").

    Raises:
        ReportError: there is none, or the name fits several.
    """
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    wanted = path.stem
    number = wanted.zfill(2) if wanted.isdigit() else wanted
    found = [stem for stem in list_notebooks() if stem == wanted or stem.startswith(f"{number}_")]
    if len(found) != 1:
        raise ReportError(
            "a notebook of this project",
            repr(str(name)),
            f"choose from: {join_names(list_notebooks())}",
        )
    return next(
        folder / f"{found[0]}.ipynb" for folder in _FOLDERS if _has_notebook(folder, found[0])
    )


def copy_notebooks(folder: str | Path, *, replace: bool = False) -> list[Path]:
    """Copy the project's notebooks into a folder, to be opened and changed there.

    Args:
        folder: made when needed.
        replace: write over notebooks there that differ from the project's.

    Returns:
        the paths of all of them, in order; those that are there already are left as they are.

    Raises:
        ReportError: a notebook there was edited, and nothing is written then; or the folder
            cannot be written.

    >>> from fashify.reports import copy_notebooks
    >>> copy_notebooks("data/notebooks")[-1].name
    '09_words.ipynb'
    """
    folder = Path(folder).expanduser()
    own = next(place for place in _FOLDERS if _list_in([place]))
    copies = {folder / path.name: path.read_bytes() for path in sorted(own.glob(_NUMBERED))}
    changed = [path for path in copies if path.is_file() and path.read_bytes() != copies[path]]
    if changed and not replace:
        raise ReportError(
            f"a folder without edited notebooks, for those in {folder} would be lost",
            ", ".join(path.name for path in changed),
            "name another folder, or let them be written over with --replace",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in copies.items():
            if path in changed or not path.is_file():
                write_bytes(path, data)
    except OSError as error:
        reason = getattr(error, "received", error.strerror)
        raise ReportError(
            "a folder that notebooks can be written to", f"{folder}: {reason}", "name another one"
        ) from error
    return list(copies)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook as data; ReportError when the file is none."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds, all with the same cure
        raise ReportError(
            "a Jupyter notebook", f"{path}: {error}", "open and save it with JupyterLab"
        ) from error


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name, from its cell tagged ``parameters``."""
    cells = read_notebook(path).cells
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    source = tagged[0].source if tagged else ""
    lines = source.splitlines()
    found = {}
    for node in _parse_parameters(path, source):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            kind, default = ast.unparse(node.annotation), _read_default(path, node)
            comment = (
                lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset :]
                .partition("#")[2]
                .strip()
            )
            found[node.target.id] = Parameter(node.target.id, kind, default, comment)
    return found


def _parse_parameters(path: Path, source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        raise ReportError(
            "Python in the cell tagged parameters",
            f"{path.name}, line {error.lineno} of it: {error.msg}",
            "write one name: type = default  # meaning, a line",
        ) from error


def _read_default(path: Path, node: ast.AnnAssign) -> Any:
    try:
        return ast.literal_eval(node.value or node)
    except ValueError as error:
        raise ReportError(
            "a plain value as the default of a parameter",
            f"{ast.unparse(node)} in {path.name}",
            "write a number, a text, True, False or a list; compute it in a later cell",
        ) from error


def check_parameters(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` as values of the types the notebook states; texts are read as such values.

    Raises:
        ReportError: a name the notebook does not have, or a value of another type.
    """
    allowed = read_parameters(path)
    for name in given:
        if name not in allowed:
            raise ReportError(
                f"a parameter of {path.stem}",
                repr(name),
                f"choose from: {join_names(allowed)}" if allowed else "this notebook takes none",
            )
    return {name: _as_type(allowed[name], value) for name, value in given.items()}


def _as_type(parameter: Parameter, value: Any) -> Any:
    wanted = _TYPES.get(parameter.type, type(parameter.default))
    # A text may come from the command line; only there is "5" a number.
    if isinstance(value, Path):
        value = str(value)
    read = _parse_value(value, wanted) if isinstance(value, str) and wanted is not str else value
    if wanted is float and type(read) is int:
        read = float(read)
    if type(read) is not wanted:
        raise ReportError(
            f"{parameter.name} as {parameter.type} ({parameter.meaning})",
            repr(value),
            f"give a value like the default, {parameter.default!r}",
        )
    return read


def _parse_value(text: str, wanted: type) -> Any:
    if wanted is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _has_notebook(folder: Path, stem: str) -> bool:
    return (folder / f"{stem}.ipynb").is_file()
