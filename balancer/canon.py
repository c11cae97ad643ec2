"""One byte string per input, plan and memory, the same on every machine.

Makes "any stored plan rebuilds byte for byte" checkable. It never decides
anything, and never writes a file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balancer.blocks import blocks
from balancer.errors import BadNumbers
from balancer.types import BalancePlan, DayReport, Policy, State

_MAGIC = b"EVMEM1\n"
Pieces = list[bytes | memoryview]  # of one byte string; arrays are looked at in place, not copied


def plan_bytes(plan: BalancePlan) -> bytes:
    """Canonical bytes of a plan: fields in declared order, mappings sorted, arrays little-endian."""
    return b"".join(_value(plan))


def inputs_hash(state: State, policy: Policy) -> str:
    """sha256 (hex) over the canonical bytes of all a controller may look at."""
    digest = hashlib.sha256()
    for piece in (*_value(policy), *_value(state)):
        digest.update(piece)
    return digest.hexdigest()


def encode_memory(memory: Mapping[str, NDArray[np.generic]]) -> bytes:
    """A plan's ``memory`` as bytes to store: a JSON header, then the raw arrays. No timestamps."""
    header, body = [], b""
    for name in sorted(memory):
        array = np.ascontiguousarray(memory[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        header.append([name, little.dtype.str, list(little.shape)])
        body += little.tobytes()
    head = json.dumps(header, separators=(",", ":")).encode()
    return _MAGIC + struct.pack("<I", len(head)) + head + body


def decode_memory(data: bytes) -> dict[str, NDArray[np.generic]]:
    """The inverse of ``encode_memory``. Raises BadNumbers on bytes that are not one."""
    if not data.startswith(_MAGIC):
        raise BadNumbers("These bytes are not a balancer's memory.")
    at = len(_MAGIC)
    (size,) = struct.unpack_from("<I", data, at)
    at += 4
    memory: dict[str, NDArray[np.generic]] = {}
    header = json.loads(data[at : at + size])
    at += size
    for name, kind, shape in header:
        dtype = np.dtype(kind)
        count = int(np.prod(shape, dtype=np.int64))
        if at + count * dtype.itemsize > len(data):
            raise BadNumbers("A stored balancer memory is cut short.")
        memory[name] = np.frombuffer(data, dtype, count, at).reshape(shape).copy()
        at += count * dtype.itemsize
    return memory


def _value(value: Any) -> Pieces:
    """Tag, length, content: no two different values share their bytes."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, DayReport):
        return _tagged(b"r", _fields(_sorted_rows(value)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _tagged(b"t", _items(value))
    if dataclasses.is_dataclass(value):
        return _tagged(b"o", [type(value).__name__.encode(), *_fields(value)])
    if isinstance(value, Mapping):
        return _tagged(b"m", _joined(part for key in sorted(value) for part in (key, value[key])))
    if isinstance(value, frozenset):
        return _tagged(b"f", _joined(sorted(value)))
    return _scalar(value)


def _array(value: NDArray[np.generic]) -> Pieces:
    array = np.ascontiguousarray(value)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    content = little.reshape(-1).view(np.uint8).data
    return _tagged(b"a", [f"{little.dtype.str}{little.shape}".encode(), content])


def _items(values: Sequence[Any]) -> Pieces:
    if type(values) is tuple and set(map(type, values)) == {str}:
        names = ["\x00".join(values[at]) for at in blocks(len(values))]
        return [f"\x00{part}".encode() if i else part.encode() for i, part in enumerate(names)]
    return _joined(values)


def _fields(value: Any) -> Pieces:
    given = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return _joined(v for field, v in given if v is not None or "added" not in field.metadata)


def _joined(values: Iterable[Any]) -> Pieces:
    return [piece for value in values for piece in _value(value)]


def _sorted_rows(report: DayReport) -> DayReport:
    if (np.diff(report.account) > 0).all():  # as most reports are; sorting ten million rows takes seconds
        return report
    order = np.lexsort((report.impressions, report.account))
    hidden = None if report.hidden is None else report.hidden[order]
    return dataclasses.replace(
        report, account=report.account[order], impressions=report.impressions[order], hidden=hidden
    )


def _scalar(value: Any) -> Pieces:
    if value is None:
        return _tagged(b"n", [b""])
    if isinstance(value, str):
        return _tagged(b"s", [value.encode()])
    if isinstance(value, bool | np.bool_):
        return _tagged(b"b", [b"1" if value else b"0"])
    if isinstance(value, int | np.integer):
        return _tagged(b"i", [str(int(value)).encode()])
    if isinstance(value, float | np.floating):
        return _tagged(b"d", [struct.pack("<d", float(value))])
    raise TypeError(f"no canonical bytes for {type(value).__name__}")


def _tagged(tag: bytes, content: Pieces) -> Pieces:
    return [tag + struct.pack("<Q", sum(len(piece) for piece in content)), *content]
