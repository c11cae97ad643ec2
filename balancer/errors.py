"""What can be wrong with a question put to the balancer, sorted by what to do next.

Must not hold a name or an identifier of a person; counts, positions and
numbers only. Every class survives pickling.
"""

from __future__ import annotations


class BalancerError(ValueError):
    """A question the balancer cannot answer. Asking again will not help."""

    retryable = False
    remedy = "Correct the input; asking again with the same numbers gives the same answer."

    def __str__(self) -> str:
        return f"{self.args[0] if self.args else 'refused'} {self.remedy}"


class BadNumbers(BalancerError):
    """Numbers that cannot be what they claim: NaN, negative counts, lengths that differ."""

    remedy = "Check where these numbers come from: shapes, units, missing values."


class ImpossibleCap(BalancerError):
    """A cap that no allocation can meet, whatever the budget."""

    remedy = "Raise the cap to at least 1.5 / number of accounts, or use the relax policy."


class Incomparable(BalancerError):
    """Two windows whose figures must not be put side by side."""

    remedy = "Measure both windows with the same length and the same rules, each with its own ranking."


class DesignRefused(BalancerError):
    """An experiment whose answer would be wrong, not just noisy."""

    remedy = (
        "Split the budget: two random halves of the accounts, each in its own campaign with half the budget."
    )


class InconsistentReport(BalancerError):
    """Report rows that contradict the platform's own totals beyond its noise."""

    remedy = "Fetch the report again for one aligned window; do not balance on it meanwhile."
