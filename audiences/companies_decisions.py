"""What a person decided about companies that the data leaves open: a YAML file, read and checked.

Must not apply anything; ``companies`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from audiences.errors import ConfigError, SourceUnavailable

_KEYS = ("same", "merge", "different", "split")


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decided by a person.

    same       account id -> the account id it is part of
    different  pairs of account ids that are not to be asked about again
    split      domains that do not identify a company; their rows go by name
    """

    same: Mapping[str, str] = field(default_factory=dict)
    different: frozenset[frozenset[str]] = frozenset()
    split: frozenset[str] = frozenset()


def read_decisions(path: str | Path) -> Decisions:
    """Read a decision file. Raises SourceUnavailable, or ConfigError with file, line and field.

    ::

        same:       # or "merge": one company, known by the first id
          - [afcgamma.com, "name:advanced flower capital|US"]
        different:  # not one company; do not ask again
          - [flex.com, "name:enerflex|SG"]
        split:      # this domain identifies nobody
          - rh.com
    """
    file = Path(path)
    try:
        document = YAML(typ="rt", pure=True).load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise SourceUnavailable(f"it cannot be opened ({error.strerror}).", file=file.name) from None
    except (MarkedYAMLError, UnicodeDecodeError, YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError("it is not YAML.", file=file.name, line=mark.line + 1 if mark else 0) from None
    return parse_decisions(document, file=file.name)


def parse_decisions(document: Any, *, file: str = "") -> Decisions:
    """Check a loaded document. Chains (a is b, b is c) are followed; a circle is an error."""
    if not isinstance(document, Mapping) or set(document) - set(_KEYS):
        raise ConfigError(f"only {', '.join(_KEYS)} may stand at the top.", file=file)
    same: dict[str, str] = {}
    for key in ("same", "merge"):
        for first, *rest in _groups(document, key, file):
            for other in rest:
                if same.get(other, first) != first:
                    raise ConfigError("one company is given to two others.", file=file, field=key)
                same[other] = first
    pairs = (
        frozenset((a, b))
        for group in _groups(document, "different", file)
        for a in group
        for b in group
        if a != b
    )
    return Decisions({one: _end(one, same, file) for one in same}, frozenset(pairs), _words(document, file))


def _groups(document: Mapping[str, Any], key: str, file: str) -> list[list[str]]:
    groups = document.get(key) or []
    for at, group in enumerate(groups):
        if not isinstance(group, list) or len(group) < 2 or not all(isinstance(part, str) for part in group):
            line = groups.lc.item(at)[0] + 1 if hasattr(groups, "lc") else 0
            raise ConfigError(
                "a list of two or more account ids belongs here.", file=file, line=line, field=key
            )
    return [list(map(str, group)) for group in groups]


def _words(document: Mapping[str, Any], file: str) -> frozenset[str]:
    words = document.get("split") or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ConfigError("a list of domains belongs here.", file=file, field="split")
    return frozenset(map(str, words))


def _end(one: str, same: Mapping[str, str], file: str) -> str:
    seen = {one}
    while (one := same[one]) in same:
        if one in seen:
            raise ConfigError("these companies are each part of the other.", file=file, field="same")
        seen.add(one)
    return one
