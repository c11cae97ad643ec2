"""Plans and their inputs to bytes and back, so that any stored plan can be rebuilt and compared.

A JSON header, then the arrays in the balancer's canonical layout, deflated. The
same value always gives the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from balancer.canon import decode_memory, encode_memory
from balancer.types import BalancePlan, DayReport, Move, Policy, State, Status
from flows.controller_version import controller_version

Arrays = dict[str, NDArray[np.generic]]
GIVEN = ("prior_rate", "click_rate", "cost")  # of a State, where they are known


def encode_inputs(state: State, policy: Policy) -> bytes:
    """Everything a controller was given, and which controller it was (``controller_version``)."""
    arrays: Arrays = {
        "members": state.members,
        "tier": state.tier,
        "band": state.band,
        "landed": state.landed,
    }
    arrays |= {name: getattr(state, name) for name in GIVEN if getattr(state, name) is not None}
    arrays |= {f"memory/{name}": array for name, array in state.memory.items()}
    days = []
    for i, report in enumerate(state.reports):
        given = {f.name: getattr(report, f.name) for f in fields(report) if f.name != "day"}
        arrays |= {f"report/{i}/{name}": value for name, value in given.items() if value is not None}
        days.append(report.day)
    head = {
        "day": state.day,
        "accounts": list(state.accounts),
        "budget": state.budget,
        "baseline": state.baseline,
        "reports": days,
        "policy": _policy_header(policy),
        "made_by": controller_version(),
    }
    return _pack(head, arrays)


def made_by(data: bytes) -> str:
    """The controller that was given these inputs; "" where that was not recorded yet."""
    return str(_unpack(data)[0].get("made_by", ""))


def decode_inputs(data: bytes) -> tuple[State, Policy]:
    """The inverse of ``encode_inputs``."""
    head, arrays = _unpack(data)
    reports = tuple(_report(day, i, arrays) for i, day in enumerate(head["reports"]))
    memory = {
        name.removeprefix("memory/"): array for name, array in arrays.items() if name.startswith("memory/")
    }
    state: Any = State(
        day=head["day"],
        accounts=tuple(head["accounts"]),
        members=arrays["members"],  # type: ignore[arg-type]
        tier=arrays["tier"],  # type: ignore[arg-type]
        budget=head["budget"],
        baseline=head["baseline"],
        band=arrays["band"],  # type: ignore[arg-type]
        landed=arrays["landed"],  # type: ignore[arg-type]
        reports=reports,
        memory=memory,
        **{name: arrays.get(name) for name in GIVEN},  # type: ignore[arg-type]
    )
    return state, policy_from(head["policy"])


def _report(day: int, i: int, arrays: Arrays) -> DayReport:
    prefix = f"report/{i}/"
    given: dict[str, Any] = {
        name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
    }
    if "mass" in given:
        given["mass"] = tuple(given["mass"].tolist())
    return DayReport(day=day, **given)


def encode_plan(plan: BalancePlan) -> bytes:
    """A plan without its memory, which is stored beside it."""
    head = {
        "day": plan.day,
        "mode": plan.mode,
        "accounts": list(plan.accounts),
        "moves": [asdict(move) for move in plan.moves],
        "statuses": [asdict(status) for status in plan.statuses],
        "forecast": dict(plan.forecast),
        "inputs_hash": plan.inputs_hash,
    }
    return _pack(head, {"target": plan.target, "band": plan.band, "budgets": plan.budgets})


def decode_plan(body: bytes, memory: bytes | None = None) -> BalancePlan:
    """The inverse of ``encode_plan``."""
    head, arrays = _unpack(body)
    return BalancePlan(
        day=head["day"],
        mode=head["mode"],
        accounts=tuple(head["accounts"]),
        target=arrays["target"],  # type: ignore[arg-type]
        band=arrays["band"],  # type: ignore[arg-type]
        budgets=arrays["budgets"],  # type: ignore[arg-type]
        moves=tuple(Move(**move) for move in head["moves"]),
        statuses=tuple(Status(**status) for status in head["statuses"]),
        forecast=head["forecast"],
        memory=decode_memory(memory) if memory else {},
        inputs_hash=head["inputs_hash"],
    )


def policy_from(given: Mapping[str, Any]) -> Policy:
    """A Policy from plain settings: lists and mappings as YAML or JSON give them."""
    values = dict(given)
    for name in ("tier_weights", "tier_caps"):
        if name in values:
            values[name] = {int(tier): float(number) for tier, number in values[name].items()}
    for name in ("pins", "raised"):
        if name in values:
            values[name] = {str(account): float(number) for account, number in values[name].items()}
    if "held" in values:
        values["held"] = frozenset(values["held"])
    return Policy(**values)


def _policy_header(policy: Policy) -> dict[str, Any]:
    head = asdict(policy)
    head["held"] = sorted(policy.held)
    for name in ("tier_weights", "tier_caps"):
        head[name] = {str(tier): number for tier, number in head[name].items()}
    head["pins"] = {k: "inf" if v == float("inf") else v for k, v in head["pins"].items()}
    return head


def _pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    text = orjson.dumps(head, option=orjson.OPT_SORT_KEYS)
    return zlib.compress(struct.pack("<I", len(text)) + text + encode_memory(arrays), level=1)


def _unpack(data: bytes) -> tuple[dict[str, Any], Arrays]:
    raw = zlib.decompress(data)
    (size,) = struct.unpack_from("<I", raw)
    return orjson.loads(raw[4 : 4 + size]), decode_memory(raw[4 + size :])
