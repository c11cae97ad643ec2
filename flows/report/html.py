"""One self-contained HTML file from a page: all inside, nothing fetched. It writes no file."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from flows.report import charts, code_words, formats, tables, words
from flows.report.catalogue import say_in_page, table
from flows.report.model import ReportPage

ROWS_SHOWN = 100  # in the page as it opens; the script shows the rest on demand


def asset(name: str) -> str:
    """Text of a bundled template, style sheet or script."""
    return files("flows.report").joinpath("templates", name).read_text(encoding="utf-8")


def _source(name: str) -> str | None:
    try:
        return asset(name)
    except FileNotFoundError:
        return None


# what a template may call
SPOKEN: dict[str, Any] = {
    "say": say_in_page,
    "table": table,
    "words": words,
    "formats": formats,
    "code_words": code_words,
    "charts": charts,
}


@cache
def environment() -> Environment:
    """Templates of the report: autoescape on, an undefined name is an error."""
    env = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(SPOKEN)
    return env


def render(page: ReportPage) -> str:
    """The whole report as one HTML document that opens offline, mails and prints.

    A content security policy allows its own style and script by hash and nothing else, so the file
    cannot send a request even if a company were named like a script.
    """
    style, script = asset("report.css"), asset("report.js")
    return (
        environment()
        .get_template("report.html")
        .render(
            page=page,
            style=Markup(style),  # noqa: S704 - our own bundled text
            script=Markup(script),  # noqa: S704 - our own bundled text
            data=Markup(tables.columns_json(page)),  # noqa: S704 - "</" is escaped by columns_json
            policy=policy(style, script),
            rows_shown=ROWS_SHOWN,
        )
    )


def policy(style: str, script: str) -> str:
    """A content security policy that knows exactly one style and one script."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
