"""The least XLSX there is, for tests: a zip with one part per sheet; numbers as spreadsheets keep them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

NAMESPACE = "http://schemas.openxmlformats.org"
RELATION = f"{NAMESPACE}/officeDocument/2006/relationships"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
Cell = str | float | None


def workbook(path: Path, **sheets: Sequence[Sequence[Cell]]) -> Path:
    """Write the rows of each sheet, by its title."""
    with zipfile.ZipFile(path, "w") as file:
        for name, text in _frame(list(sheets)):
            file.writestr(name, text)
        for i, rows in enumerate(sheets.values()):
            body = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
            file.writestr(
                f"xl/worksheets/{i}.xml",
                f'<worksheet xmlns="{NAMESPACE}/spreadsheetml/2006/main"><sheetData>{body}</sheetData></worksheet>',
            )
    return path


def _cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _frame(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The parts that say which sheets there are."""
    places = range(len(names))
    types = "".join(
        f'<Override PartName="/xl/worksheets/{i}.xml" ContentType="{CONTENT}.worksheet+xml"/>' for i in places
    )
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{NAMESPACE}/package/2006/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{CONTENT}.sheet.main+xml"/>{types}</Types>',
    )
    whole = f'<Relationship Id="r" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", _relations(whole)
    listed = "".join(f'<sheet name="{n}" sheetId="{i + 1}" r:id="r{i}"/>' for i, n in enumerate(names))
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{NAMESPACE}/spreadsheetml/2006/main" xmlns:r="{RELATION}">'
        f"<sheets>{listed}</sheets></workbook>",
    )
    parts = (
        f'<Relationship Id="r{i}" Type="{RELATION}/worksheet" Target="worksheets/{i}.xml"/>' for i in places
    )
    yield "xl/_rels/workbook.xml.rels", _relations("".join(parts))


def _relations(inner: str) -> str:
    return f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships">{inner}</Relationships>'
