"""Rules in plain English: one sentence fragment per condition.

Only words; it evaluates nothing and knows no account.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from audiences.config_rules import (
    AbsentTechnologyTest,
    AllOf,
    AnyOf,
    Condition,
    FieldTest,
    FitTest,
    HeatTest,
    IntentHeatTest,
    IntentTest,
    MatrixTest,
    MetricTest,
    ModeTest,
    NoneOf,
    Range,
    SegmentTest,
    SignalTest,
    TechnologyTest,
    TierTest,
    joiner,
)
from audiences.config_segments import Segment

_FIELDS = {
    "revenue_usd": "annual revenue in USD",
    "founded_year": "founding year",
    "linkedin_url": "LinkedIn page",
    "organization_urn": "LinkedIn organization",
}


def field_in_words(name: str) -> str:
    """A field as people call it: ``market cap band`` for ``attributes.market_cap_band``."""
    plain = name.removeprefix("attributes.")
    return _FIELDS.get(plain, plain.replace("_", " "))


def platform_in_words(name: str) -> str:
    """A platform's own spelling of its name."""
    return {"linkedin": "LinkedIn", "google": "Google"}.get(name, name)


def many(number: int, one: str, several: str = "") -> str:
    """``1 day``, ``1,204 days``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def in_words(condition: Condition) -> str:
    """The condition as a fragment: "employees between 100 and 500"."""
    if isinstance(condition, AllOf):
        return "all of: " + "; ".join(in_words(child) for child in condition.all_)
    if isinstance(condition, AnyOf):
        return "any of: " + "; ".join(in_words(child) for child in condition.any_)
    if isinstance(condition, NoneOf):
        return "none of: " + "; ".join(in_words(child) for child in condition.none_)
    return _leaf(condition) + _unknown(getattr(condition, "if_unknown", None))


def heading(condition: Condition) -> str:
    """A leaf in words; a group by its joining word alone, for lists that indent its rules below it."""
    word = joiner(condition)
    return f"{word} of these" if word else in_words(condition)


def segment_in_words(name: str, segment: Segment) -> str:
    """The whole segment as one sentence."""
    text = f"{segment.title or name}: companies" + (f" of {segment.within}" if segment.within else "")
    if segment.where:
        text += f" where {in_words(segment.where)}"
    if segment.without:
        text += f", but not in {listed(segment.without, 'or')}"
    if segment.holdout:
        text += f"; {percent(segment.holdout.share)} of them are held out"
    return text + "."


def _leaf(condition: Condition) -> str:
    if isinstance(condition, FieldTest):
        return " and ".join(_field(condition))
    if isinstance(condition, SignalTest):
        return _signal(condition)
    if isinstance(condition, MetricTest):
        return _metric(condition)
    if isinstance(condition, TechnologyTest):
        return f"uses {listed(condition.technology, 'or')}"
    if isinstance(condition, AbsentTechnologyTest):
        return f"is known not to use {listed(condition.absent_technology, 'or')}"
    if isinstance(condition, SegmentTest):
        return f"in segment {listed(condition.segment, 'or')}"
    if isinstance(condition, MatrixTest):
        return f"in {condition.matrix}: " + listed(
            (f"{row} x {column}" for row, column in condition.cells), "or"
        )
    return _score(condition)


def _score(condition: Condition) -> str:
    if isinstance(condition, TierTest):
        return f"tier {listed(condition.tier, 'or')}"
    if isinstance(condition, HeatTest):
        return f"intent is {listed(condition.heat, 'or')}"
    if isinstance(condition, IntentHeatTest):
        return f"intent is {listed(condition.intent, 'or')}"
    if isinstance(condition, ModeTest):
        return f"{listed((m.replace('_', ' ') for m in condition.mode), 'or')} in the fit x intent grid"
    if isinstance(condition, FitTest):
        return " and ".join(f"fit {words}" for words in _amount(condition.fit))
    if isinstance(condition, IntentTest):
        return " and ".join(f"intent score {words}" for words in _amount(condition.intent))
    raise TypeError(f"no words for {type(condition).__name__}")


def _field(test: FieldTest) -> list[str]:
    name = field_in_words(test.field)
    words = [f"{name} {amount}" for amount in _amount(test)]
    pairs = (
        (test.is_not, "is not"),
        (test.in_, "is one of"),
        (test.not_in, "is none of"),
        (test.contains, "contains"),
        (test.contains_all, "contains all of"),
        (test.lacks, "is known and lacks"),
        (test.at_least_field, "is at least"),
        (test.more_than_field, "is more than"),
    )
    words += [f"{name} {verb} {_value(value)}" for value, verb in pairs if value is not None]
    if test.exists is not None:
        words.append(f"{name} is {'known' if test.exists else 'unknown'}")
    if test.missing is not None:
        words.append(f"{name} is {'unknown' if test.missing else 'known'}")
    days = (
        (test.within_last_days, "in the last {} days"),
        (test.within_next_days, "in the next {} days"),
        (test.more_than_days_ago, "more than {} days ago"),
    )
    return words + [f"{name} {phrase.format(value)}" for value, phrase in days if value is not None]


def _amount(test: Range | FieldTest) -> list[str]:
    pairs = (
        (test.is_, "is"),
        (test.at_least, "at least"),
        (test.at_most, "at most"),
        (test.more_than, "more than"),
        (test.less_than, "less than"),
    )
    words = [f"{verb} {_value(value)}" for value, verb in pairs if value is not None]
    if test.between is not None:
        words.append(f"between {_value(test.between[0])} and {_value(test.between[1])}")
    words += [] if test.top is None else [f"in the top {percent(test.top)}"]
    return words + ([] if test.bottom is None else [f"in the bottom {percent(test.bottom)}"])


def _signal(test: SignalTest) -> str:
    text = listed((kind.replace("_", " ") for kind in test.signal), "or")
    if test.topics:
        text += f" on {listed(test.topics, 'or')}"
    if test.minimum_strength is not None:
        text += f" of strength {test.minimum_strength:g} or more"
    text += " " + _times(test)
    if test.people is not None:
        text += f" by at least {test.people} people"
    if test.within_days is not None:
        text += f" in the last {test.within_days} days"
    if test.between_days_ago is not None:
        text += f" between {test.between_days_ago[0]} and {test.between_days_ago[1]} days ago"
    if test.after_silence_days is not None:
        text += f", after {test.after_silence_days} days of silence"
    return text


def _times(test: SignalTest) -> str:
    words = []
    if test.more_than is not None:
        words.append(f"more than {_often(test.more_than)}")
    if test.at_least is not None or (test.more_than is None and test.at_most is None):
        words.append(f"at least {_often(test.at_least or 1)}")
    if test.at_most is not None:
        words.append("not once" if test.at_most == 0 else f"at most {_often(test.at_most)}")
    return " and ".join(words)


def _often(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _metric(test: MetricTest) -> str:
    direction, share = (
        ("up", test.up_at_least) if test.up_at_least is not None else ("down", test.down_at_least)
    )
    name = test.metric.replace("_", " ")
    days = test.within_days
    return f"{name} {direction} {percent(share or 0.0)} or more in {days} days against the {days} before"


def _unknown(if_unknown: str | None) -> str:
    return {"match": " (or unknown)", "no_match": " (unknown counts as no)"}.get(if_unknown or "", "")


def percent(share: float) -> str:
    """``0.25`` as "25 %"."""
    return f"{100.0 * share:.4g} %"


def listed(items: Iterable[Any], word: str) -> str:
    """``a, b or c``."""
    texts = [_value(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {word} {texts[-1]}"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return listed(value, "or")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) >= 10_000 else f"{value:g}"
    return value.isoformat() if isinstance(value, date) else str(value)
