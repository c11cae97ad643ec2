"""What stable codes are called: headings of the account table, and why somebody is left out. It decides no code."""

from __future__ import annotations

from collections.abc import Mapping

from flows.report.catalogue import coded

# (key in the data and in the sentences, class) in table order
ACCOUNT_COLUMNS = (
    ("rank", "n rank"),
    ("name", "name"),
    ("tier", ""),
    ("members", "n"),
    ("impressions", "n"),
    ("share", "n share"),
    ("times_even", "n"),
    ("per_member", "n"),
    ("cap_use", "n"),
    ("band", ""),
    ("rank_before", "n"),
    ("share_change", "n"),
    ("state", ""),
    ("source", ""),
)


def left_out(counts: Mapping[str, int]) -> str:
    """``38 who refused; 2 on the suppression list``."""
    return "; ".join(f"{n:,} {coded('left_out', code, code.replace('_', ' '))}" for code, n in counts.items())
