"""``evenreach experiment``: plan a budget-split, set it up as drafts, start, evaluate and end it."""

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
        if arguments.action == "evaluate" and arguments.outcomes is None:
            return _reports(arguments, app, segment)
        act = {"plan": _plan, "start": _start, "stop": _stop, "evaluate": _evaluate}[arguments.action]
        return act(arguments, app, segment)


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
            "evenreach experiment start makes a list and a draft campaign per half (--dry-run shows them, --go starts",
            "them). From then on only the first half is balanced; compare after at least four weeks under control.",
            "",
            f"With {data['base']:.1%} of accounts showing the outcome by itself (80 % power, 5 % two-sided):",
            table(["lift", "accounts per half", "this list"], sizes),
            data["words"],
            *([f"Halves: {out}"] if out else []),
        ]
    )


def _start(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from flows.activate_experiment import start

    found = start(app, segment, salt=arguments.salt, dry_run=arguments.dry_run, go=arguments.go)
    halves = [
        {
            "half": half.name,
            "accounts": half.accounts,
            "budget": str(half.budget),
            "list": half.list_id,
            "campaign": half.campaign,
            "status": half.status,
        }
        for half in found.halves
    ]
    data = {"segment": segment, "salt": found.salt, "dry_run": arguments.dry_run, "live": found.live}
    data |= {"halves": halves, "notes": list(found.notes)}
    show(arguments, data, lambda: _start_words(data))
    return DONE


def _start_words(data: dict[str, Any]) -> str:
    names = ["half", "accounts", "budget", "list", "campaign", "status"]
    end = (
        "Nothing was made or sent."
        if data["dry_run"]
        else "Both halves deliver; from now on only the first is balanced."
        if data["live"]
        else "They are drafts and spend nothing; start them with evenreach experiment start --go."
    )
    waits = [f"Waiting: {note}." for note in data["notes"]]
    return "\n".join([table(names, [[half[n] for n in names] for half in data["halves"]]), *waits, end])


def _stop(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from flows.activate_experiment import stop

    ended = stop(app, segment)
    data = {"segment": segment, "salt": ended.salt, "live_since": ended.live_since, "ended": ended.ended}
    words = f"The experiment has ended; campaign {ended.template} serves everybody again."
    show(arguments, data, lambda: words)
    return DONE


def _reports(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from dataclasses import asdict

    from flows.experiment_reports import evaluate_reports

    found = evaluate_reports(app, segment, days=arguments.days)
    data = {"segment": segment, **asdict(found)}
    show(arguments, data, lambda: _reports_words(found))
    return DONE


def _reports_words(found: Any) -> str:
    rows = [
        [
            one.name,
            *[f"{value:.1%}" for value in (one.before[0], one.after[0], one.before[1], one.after[1])],
            f"{one.effect.estimate:+.3f} ({one.effect.low:+.3f} to {one.effect.high:+.3f})",
            f"{one.effect.p_value:.3f}",
            "yes" if one.effect.works else "no",
        ]
        for one in found.figures
    ]
    header = ["", "balanced before", "after", "left alone before", "after", "effect", "p", "works"]
    (start, end), (first, last) = found.second, found.first
    quiet = (
        f"From week to week the top tenth's share moved by {found.band.low:+.3f} to {found.band.high:+.3f} by itself."
        if found.band is not None
        else "Too few quiet weeks were collected to say how much the share moves by itself."
    )
    return "\n".join(
        [
            f"{found.accounts[0]} accounts balanced, {found.accounts[1]} left alone; "
            f"{first} to {last} against {start} to {end}:",
            table(header, rows),
            quiet,
            "This says whether delivery became more even. Whether that sold anything takes --outcomes.",
        ]
    )


def _evaluate(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from flows import experiment

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
