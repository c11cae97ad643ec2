"""Wire examples (contracts/*.json): request and answer as published, with source and date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

FOLDER = Path(__file__).parent / "contracts"


@dataclass(frozen=True)
class Example:
    name: str
    data: dict[str, Any]

    @property
    def method(self) -> str:
        return str(self.data["request"]["method"])

    @property
    def path(self) -> str:
        return str(self.data["request"]["path"])

    @property
    def sent(self) -> Any:
        return self.data["request"].get("json")

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.data["request"].get("headers", {}))

    @property
    def answer(self) -> Any:
        return self.data["response"]["json"]

    def response(self) -> httpx.Response:
        told = self.data["response"]
        content = b"" if told["json"] is None else json.dumps(told["json"]).encode()
        return httpx.Response(told["status"], headers=told.get("headers", {}), content=content)


def example(name: str) -> Example:
    return Example(name, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def every_example() -> list[Example]:
    return [example(path.stem) for path in sorted(FOLDER.glob("*.json"))]
