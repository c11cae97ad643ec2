"""The page has words for whatever the rest of the program writes down."""

from __future__ import annotations

import re
from pathlib import Path

from flows.report.catalogue import table
from flows.web import page_words

FLOWS = Path(page_words.__file__).parents[1]
WRITTEN = re.compile(
    r'audit(?:_line)?\(\s*(?:self\.)?app,\s*"([^"]+)"|said="([^"]+)"|_note\(\s*app,\s*"([^"]+)" if'
)


def test_every_action_that_is_written_into_the_audit_log_has_words_on_the_page() -> None:
    texts = (path.read_text() for path in FLOWS.rglob("*.py"))
    found = {next(filter(None, match)) for text in texts for match in WRITTEN.findall(text)}
    assert {"plan undone", "bands live", "person erased"} <= found
    assert found <= set(table("audit.action"))
