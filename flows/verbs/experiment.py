"""``evenreach experiment``: plan a budget-split, or evaluate one. Prints; the campaigns are yours to set up."""

from __future__ import annotations

import argparse
from typing import Any

from flows.verbs.outcome import DONE, show, table
from flows.verbs.workspace import opened


def run(arguments: argparse.Namespace) -> int:
    from flows.balance import balanced_segments

    with opened(arguments) as app:
        (segment, *more) = balanced_segments(app, arguments.segment)
        if more:
            from flows.wiring import WorkspaceError

            raise WorkspaceError("name the segment to experiment on; several are balanced")
        return (
            _plan(arguments, app, segment)
            if arguments.action == "plan"
            else _evaluate(arguments, app, segment)
        )


def _plan(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from flows import experiment

    found = experiment.plan(
        app,
        segment,
        salt=arguments.salt,
        design=arguments.design,
        base=arguments.base,
        lift=arguments.lift,
        rho=arguments.rho,
    )
    if arguments.out:
        experiment.write_halves(found, arguments.out)
    balanced = sum(found.treated)
    data = {
        "segment": segment,
        "salt": found.salt,
        "design": "budget_split",
        "balanced": {"accounts": balanced, "budget": round(found.treated_budget, 2)},
        "left_alone": {"accounts": len(found.accounts) - balanced, "budget": round(found.control_budget, 2)},
        "base": found.base,
        "rho": found.rho,
        "needed_per_half": {f"{lift:g}": n for lift, n in found.table.items()},
        "smallest_lift": found.verdict.smallest_lift,
        "verdict": found.verdict.code,
        "words": _verdict_words(found.verdict, found.lift),
    }
    show(arguments, data, lambda: _plan_words(data, found, arguments.out))
    return DONE


def _verdict_words(verdict: Any, lift: float) -> str:
    if verdict.code == "list_can_confirm":
        return f"This list can confirm a lift of {lift:.0%}: it needs {verdict.needed_per_arm:,} accounts per half."
    return (
        f"This list cannot confirm that lift ({lift:.0%}): it has {verdict.per_arm:,} accounts per half and would need "
        f"{verdict.needed_per_arm:,}; the smallest it can confirm is {verdict.smallest_lift:.0%}."
    )


def _plan_words(data: dict[str, Any], found: Any, out: Any) -> str:
    half = [
        [name.replace("_", " "), data[name]["accounts"], f"{data[name]['budget']:,.2f}"]
        for name in ("balanced", "left_alone")
    ]
    sizes = [
        [f"{lift:.0%}", n, "yes" if found.verdict.per_arm >= n else "no"] for lift, n in found.table.items()
    ]
    return "\n".join(
        [
            f'Budget-split of {data["segment"]}, drawn by the name "{data["salt"]}": everybody stays in their half.',
            table(["half", "accounts", "budget a day"], half),
            "Set up: one list and one set of campaigns per half, each with its own part of the budget. Balance the",
            "first half only, leave the other as it is, and compare after at least four weeks under control.",
            "",
            f"With {data['base']:.1%} of accounts showing the outcome by itself (80 % power, 5 % two-sided):",
            table(["lift", "accounts per half", "this list"], sizes),
            data["words"],
            *([f"Halves: {out}"] if out else []),
        ]
    )


def _evaluate(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from flows import experiment
    from flows.wiring import WorkspaceError

    if arguments.outcomes is None:
        raise WorkspaceError(
            "name the file with --outcomes: a CSV with account, outcome and, if known, before"
        )
    found = experiment.evaluate(app, segment, arguments.outcomes, salt=arguments.salt, lift=arguments.lift)
    effect, verdict = found.effect, found.verdict
    data = {
        "segment": segment,
        "salt": arguments.salt,
        "accounts": {"balanced": found.treated, "left_alone": found.control},
        "outside_the_segment": found.outside,
        "without_a_row": found.missing,
        "rate_left_alone": found.rate,
        "estimate": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "p_value": effect.p_value,
        "works": effect.works,
        "variance_left_by_cuped": effect.variance_ratio,
        "verdict": verdict.code if verdict else None,
    }
    data["words"] = _effect_words(found, arguments.lift)
    show(arguments, data, lambda: str(data["words"]))
    return DONE


def _effect_words(found: Any, lift: float) -> str:
    effect = found.effect
    sharper = (
        f" What happened before explains {1.0 - effect.variance_ratio:.0%} of the differences and is taken out."
        if found.without_past is not None
        else ""
    )
    said = (
        "The difference is larger than chance."
        if effect.works
        else "Chance alone could have made this difference."
    )
    change = f"{effect.estimate:+.4f} of the outcome each (95 %: {effect.low:+.4f} to {effect.high:+.4f}"
    lines = [
        f"{found.treated} accounts were balanced and {found.control} left alone. Balanced accounts had {change}, "
        f"p = {effect.p_value:.3f}), where {found.rate:.4f} is usual.{sharper}",
        said,
    ]
    if found.verdict is not None and not effect.works and found.verdict.code == "list_cannot_confirm":
        lines.append(_verdict_words(found.verdict, lift))
    if found.missing or found.outside:
        lines.append(
            f"{found.missing} accounts of the segment have no row and are left out; "
            f"{found.outside} rows are of nobody in it."
        )
    return "\n".join(lines)
