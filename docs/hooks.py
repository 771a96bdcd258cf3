"""Pages of the site that are made, not written: notebooks, reference, changelog."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the numbered notebooks in the navigation, by their titles."""
    pages = [{read_title(path): f"notebooks/{path.name}"} for path in find_notebooks()]
    for entry in config.nav or []:
        if "Notebooks" in entry:
            entry["Notebooks"] = pages
    return config


@event_priority(100)  # before mkdocs-jupyter, which makes pages of the notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what lies elsewhere in the checkout or is written by the code itself."""
    for path in find_notebooks():
        name, urls = f"notebooks/{path.name}", config.use_directory_urls
        files.append(File(name, str(ROOT), config.site_dir, urls))
    pages = {
        "reference/python.md": write_python_reference(),
        "reference/command-line.md": write_command_reference(),
        "changelog.md": write_changelog(),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links from notebook to notebook lead to their pages; options are not broken at a hyphen."""
    html = re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="../\1/"', html)
    return re.sub(r"<pre.*?</pre>|<code>.*?</code>", keep_words_whole, html, flags=re.DOTALL)


def keep_words_whole(code: re.Match) -> str:
    """A line of code in a text, its short words with a hyphen as one piece each; blocks as is."""
    if code[0].startswith("<pre"):
        return code[0]
    return re.sub(
        r"(?<![^\s>])[^\s<>-]{0,20}-[^\s<>]{0,20}(?![^\s<])", r"<span>\g<0></span>", code[0]
    )


def write_changelog() -> str:
    """The changelog, with the news that no version holds yet above it."""
    text = (ROOT / "CHANGELOG.md").read_text()
    news = sorted((ROOT / "changelog.d").glob("*.*.md"), key=lambda path: path.name.split(".")[-2])
    entries = "\n".join(f"- {path.read_text().strip()}" for path in news)
    return text.replace("<!-- news -->", f"## Next\n\n{entries}" if entries else "")


def find_notebooks() -> list[Path]:
    """The notebooks in the order of their numbers."""
    return sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def read_title(path: Path) -> str:
    """The first heading of a notebook."""
    cells = json.loads(path.read_text())["cells"]
    return "".join(cells[0]["source"]).splitlines()[0].lstrip("# ")


def write_python_reference() -> str:
    """One entry for each public name of the package, in the order of the modules."""
    import fashify

    names = sorted(fashify._WHERE.items(), key=lambda item: (item[1], item[0]))
    entries = (f"::: fashify.{module}.{name}\n" for name, module in names)
    return "# Python\n\n" + "\n".join(entries)


def write_command_reference() -> str:
    """What ``--help`` says of every command."""
    import click
    import typer

    from fashify.cli import app

    command = typer.main.get_command(app)
    return "# Command line\n\n" + "\n".join(describe_command(command, "fashify", click.Context))


def describe_command(command: Any, path: str, context: Any) -> list[str]:
    """A section for a command, then one for each of its own commands."""
    ctx = context(command, info_name=path)
    if hasattr(command, "list_commands"):
        subcommands = [command.get_command(ctx, name) for name in command.list_commands(ctx)]
        return [
            line
            for sub in subcommands
            for line in describe_command(sub, f"{path} {sub.name}", context)
        ]
    rows = [param.get_help_record(ctx) for param in command.params]
    options = "\n".join(
        f"| `{row[0].replace('|', ' or ')}` | {row[1].replace('|', ', ')} |" for row in rows if row
    )
    lines = [f"## {path}\n", (command.help or "").strip() + "\n"]
    if options:
        lines.append(f"| option | meaning |\n|---|---|\n{options}\n")
    return lines
