"""Every sentence a marketer reads stands in one file, is used, gets its fields, and speaks no jargon."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

from flows.report import html
from flows.report.catalogue import say, say_in_page, sentences

FLOWS = Path(html.__file__).parents[1]
TEMPLATES = sorted(FLOWS.glob("*/templates/*.html"))
SCRIPTS = sorted(FLOWS.glob("*/*/*.js"))
MODULES = sorted(path for glob in ("report/*.py", "web/*.py", "page*.py") for path in FLOWS.glob(glob))
MODULES.remove(FLOWS / "page_users.py")  # it answers on the command line
MODULES += [
    FLOWS / name for name in ("reporting.py", "interventions.py", "price_response.py", "comparison.py")
]
TABLES = ("coded", "table", "said")  # called with the name of a table of sentences
JARGON = """
ledger delta batch payload idempotent water-filling kkt duty tranche upsert membership imputed censored restatement
flow deployment worker lease backoff dataclass null nan sha-256 argon2 asgi sqlite migration holdback
unattributed lognormal hyperparameter posterior prior estimator optimality
""".split()

Call = tuple[
    str, str, frozenset[str] | None
]  # function, first argument, names of the fields (None: not told)


def python_calls(path: Path) -> Iterator[Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first, fields = node.args[0], {word.arg for word in node.keywords}
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                told = None if None in fields else frozenset(str(name) for name in fields)
                yield node.func.id, first.value, told


def template_calls(path: Path) -> Iterator[Call]:
    for call in Environment().parse(path.read_text()).find_all(nodes.Call):
        first = call.args[0] if call.args else None
        if isinstance(first, nodes.Const) and isinstance(first.value, str):
            name = call.node.name if isinstance(call.node, nodes.Name) else getattr(call.node, "attr", "")
            yield name, first.value, frozenset(word.key for word in call.kwargs)


def script_calls(path: Path) -> Iterator[Call]:
    for name, key, fields in re.findall(r'\b(say|said)\("([\w.]+)"(?:, \{([^}]*)\})?', path.read_text()):
        yield name, key, frozenset(re.findall(r"(\w+):", fields))


@cache
def calls() -> tuple[Call, ...]:
    """Whatever asks for a sentence."""
    python = (call for path in MODULES for call in python_calls(path))
    pages = (call for path in TEMPLATES for call in template_calls(path))
    scripts = (call for path in SCRIPTS for call in script_calls(path))
    found = (("say" if name == "Said" else name, *rest) for name, *rest in (*python, *pages, *scripts))
    return tuple(call for call in found if call[0] in ("say", *TABLES))


def fields_of(key: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(sentences()[key]) if name)


def forms(key: str) -> list[str]:
    """The key itself, or those of its two forms."""
    return [full for full in (key, f"{key}.one", f"{key}.other") if full in sentences()]


def test_whatever_is_said_is_in_the_file_and_whatever_is_in_the_file_is_said() -> None:
    said = {full for name, key, _ in calls() if name == "say" for full in forms(key)}
    missing = {key for name, key, _ in calls() if name == "say" and not forms(key)}
    named = {key for name, key, _ in calls() if name in TABLES}
    missing |= {name for name in named if not any(key.startswith(f"{name}.") for key in sentences())}
    assert missing == set()
    in_tables = {key for key in sentences() if re.sub(r"\.(one|other)$", "", key).rpartition(".")[0] in named}
    assert set(sentences()) - said - in_tables == set()


def test_a_sentence_gets_the_fields_it_has_and_no_others() -> None:
    wrong = []
    for name, key, given in calls():
        if name == "say" and given is not None:
            wanted = {"n"} if len(forms(key)) == 2 else set()
            wanted = wanted.union(*(fields_of(full) for full in forms(key)))
            wrong += [(key, sorted(given ^ wanted))] if given ^ wanted else []
    assert wrong == []


def test_both_forms_of_a_sentence_have_the_same_fields() -> None:
    for key in sentences():
        if key.endswith(".one"):
            assert fields_of(key) | {"n"} == fields_of(key.removesuffix("one") + "other") | {"n"}, key


def test_no_sentence_speaks_jargon_or_holds_markup() -> None:
    for key, text in sentences().items():
        words = set(re.findall(r"[\w-]+", re.sub(r"\{\w+\}", "", text.lower())))
        assert not words & set(JARGON), key
        assert not re.search(r"[<>&]", text), key


def test_the_number_chooses_the_form_and_is_written_with_its_thousands() -> None:
    assert say("count.account", n=1) == "1\u00a0account"
    assert say("count.account", n=2431.4) == "2,431\u00a0accounts"


def test_in_a_page_a_field_cannot_bring_markup_along() -> None:
    assert say_in_page("report.title", segment="<b>") == "&lt;b&gt;: who saw the ads"
    assert say_in_page("report.title", segment=say_in_page("report.tiers.name")) == "Tiers: who saw the ads"


READ = r'(?:aria-label|placeholder|title|alt|data-label|data-busy|data-confirm)="([^"]*)"'  # attributes


def texts_of(template: str) -> Iterator[str]:
    """Text nodes and attributes people read, with a bar where something is filled in."""
    parts = {"variable_begin": "|"}
    shown = "".join(
        token if kind == "data" else parts.get(kind, "") for _, kind, token in Environment().lex(template)
    )
    shown = re.sub(r"<code.*?</code>", "", shown, flags=re.S)  # a file or a command
    yield from (re.sub(r'[\w-]+="[^"]*"', "", text) for text in re.split(r"<[^>]*>", shown))
    yield from re.findall(READ, shown)


def sentences_in(path: Path) -> Iterator[str]:
    """Texts of three words or more in a module; docstrings, log lines and errors for programmers apart."""
    tree = ast.parse(path.read_text())
    aside = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "ValueError")):
            aside |= set(node.args)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in aside:
            text = re.sub(r"<.*>", "", node.value)
            yield from [text] if re.search(r"[a-z]+,? [a-z]+,? [a-z]+", text, re.I) else []


NOT_SHOWN = (
    "Not signed in",  # the schema of the JSON routes
    "No such segment, or nothing reported yet",
    "taken back on the page",  # kept in the record
)


@pytest.mark.parametrize("path", MODULES, ids=[f"{path.parent.name}/{path.name}" for path in MODULES])
def test_a_module_has_no_sentence_of_its_own(path: Path) -> None:
    assert [text for text in sentences_in(path) if text not in NOT_SHOWN] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.name for path in SCRIPTS])
def test_a_script_has_no_sentence_of_its_own(path: Path) -> None:
    texts = re.findall(r'"([\w ,.;:…-]*)"', re.sub(r"//.*|/\*.*?\*/", "", path.read_text()))
    assert "use strict" in texts
    assert [text for text in texts if re.search(r"[a-z]+,? [a-z]+,? [a-z]+", text, re.I)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.name for path in TEMPLATES])
def test_a_template_has_no_words_of_its_own(path: Path) -> None:
    own = [re.sub(r"\b(CSV|JSON|Evenreach)\b", "", text) for text in texts_of(path.read_text())]
    assert [text for text in own if re.search(r"[A-Za-z]{2}", text)] == []
    told = [const.value for const in Environment().parse(path.read_text()).find_all(nodes.Const)]
    assert [text for text in told if isinstance(text, str) and re.search(r"[a-z] [a-z]", text)] == []
