"""What each stable code means, in a marketer's words. No code is decided here."""

from __future__ import annotations

from collections.abc import Mapping

# Move.reason -> the clause after "because"
MOVES: dict[str, str] = {
    "first_split": "the segment is being split into bands for the first time",
    "newcomer": "it is new in the segment",
    "too_much": "it draws more impressions than its band is meant for",
    "too_little": "it draws fewer impressions than its band is meant for",
    "shock": "its impressions jumped for two days in a row",
    "small_audience": "its band would be too small for the platform to serve",
    "over_threshold": "it reached the limit for this interval",
    "released": "the interval it was paused for is over",
    "held": "you excluded it",
    "waiting_turn": "others are owed more impressions first",
    "turn_came": "it is owed impressions again",
    "pinned": "you pinned it",
}

# why an account gets too little
STARVED: dict[str, str] = {
    "held": "You excluded it.",
    "excluded": "You excluded it.",
    "pinned": "You fixed it at this number.",
    "over_threshold": "It is paused because it reached its limit.",
    "paused": "It is paused after a busy spell.",
    "waiting_turn": "It waits for its turn.",
    "not_landed": "The platform has not put it on a list yet.",
    "pending": "It was added recently; the platform has not started serving it.",
    "unreachable": "Four weeks within reach brought no impression.",
    "cap": "Your own limit holds it there.",
    "inventory": "It already takes all the impressions that were ever on offer there.",
    "delivery_floor": "Giving it more would cost too many impressions elsewhere.",
    "ramp": "Its share is still being opened, step by step.",
    "thin": "Its people are online so rarely that even full budget hardly reaches them.",
    "not_matched": "The platform matched no member of this company. Check its domain or page address.",
    "outbid": "Busier accounts use up the budget first.",
    "below_report": "It never made the platform's list, so its count is only an estimate.",
}

# account states
STATES: dict[str, str] = {
    "active": "Active",
    "paused": "Paused",
    "held": "Excluded",
    "excluded": "Excluded",
    "pending": "Pending",
    "pinned": "Pinned",
    "holdout": "Holdout",
}

# Status.code of a plan; {n} count, {x} two decimals, {p} per cent
STATUSES: dict[str, str] = {
    "ok": "The target can be met.",
    "inventory_short": "There are not enough impressions to buy: {n} fewer than the budget would pay for.",
    # Even wide caps give way while accounts below them are raised step by step: nobody else can take the rest.
    "cap_relaxed": (
        "Within the caps part of the budget would not be spent, because they are tight or because accounts below "
        "them are raised only step by step; until then they are widened by a factor of {x}."
    ),
    "cap_short": "Within the caps, {n} impressions that the budget would pay for will not be bought.",
    "floor_short": "The budget cannot give every account its minimum.",
    "frozen": "Nothing is changed today: the reports cannot be relied on.",
    "stale": "Nothing is changed today: the newest report is {n} days old.",
    "cap_ignored": "One limit you set cannot be used with these reports.",
    "member_cap_ignored": (
        "The limit of {n} impressions per member is not used: nobody has said how many members each company has."
    ),
    "minimum_members": "A band would fall below the platform's minimum and was joined with its neighbour.",
    "operations_limited": "Only the most important changes go out today; the rest follow tomorrow.",
    "floor_binding": "Evening out stops here: going further would cost more impressions than you allow.",
}

# ShareTable.notes and the like; "code:number" fills {n}; "" = said elsewhere on the page
NOTES: dict[str, str] = {
    "no_impressions": "",
    "missing_rows_are_unknown_not_zero": "",
    "some_impressions_fell_outside_the_segment": "",
    "hidden_impressions_may_be_outside_the_segment": (
        "Impressions without a name may have gone outside the segment; the ranges allow for that."
    ),
    "rows_exceed_total_within_noise": (
        "The platform's rows add up to slightly more than its own total; it adds noise to every row."
    ),
    "top_share_fell_but_coverage_did_not_rise": (
        "The top share fell, but coverage did not grow as far as the reports show: impressions may only have "
        "moved among accounts that were already well served."
    ),
    "guesses_share_what_is_unseen_evenly": (
        "Where the reports leave a figure open, its range or its sure end is shown. Estimates of single accounts "
        "share evenly what nobody is named for, so they look more even than the truth may be."
    ),
    "change_is_certain": "The share changed for certain: the ranges before and after do not overlap.",
    "change_is_within_the_bounds": "",
    "creative_count_changed": "The number of creatives changed, which changes what the report can see.",
    "account_count_changed": "The segment's number of accounts changed between the windows.",
    "total_changed": "Total impressions changed by more than 5 %, so part of the change has other reasons.",
    "misfit": "The usual shape does not fit this list; only the safe range is shown, no estimate.",
    "audience_expansion": "Audience Expansion is on: impressions go to companies outside the list.",
    "offsite_delivery": "Audience Network is on: impressions off the platform may carry no company.",
    "unreachable": "{n} accounts could not be reached at all and are left out of coverage.",
    "provisional": "The newest days may still be corrected by the platform.",
}

# Status.detail codes
DETAILS: dict[str, str] = {
    "stale_report": "The newest one is {n} days old.",
    "impressions": "",
    "rows_exceed_total": "Their rows add up to {n} impressions more than the platform's own totals.",
    "click_cap": "The limit on clicks is not used here.",
    "spend_cap": "The limit on spend is not used here.",
}

# why somebody is on no list of a platform; after a number
LEFT_OUT: dict[str, str] = {
    "not_first_party": "not marked as first-party contacts",
    "consent_unknown": "who have not said that ads may use their data",
    "consent_denied": "who refused",
    "suppressed": "on the suppression list",
    "no_identifier": "with nothing this platform can match by",
    "holdout": "held out, for comparison",
    "held_by_balancer": "held back by balancing",
    "other_function": "in another job function",
    "other_seniority": "of another seniority",
}

SOURCES: dict[str, str] = {"reported": "reported", "imputed": "estimated"}

PLATFORMS: dict[str, str] = {"linkedin": "LinkedIn", "google": "Google", "sandbox": "Sandbox"}

LIST_STATES: dict[str, str] = {
    "building": "Being built",
    "ready": "Ready",
    "updating": "Ready, updating",
    "archived": "Archived by the platform",
    "expired": "Expired",
    "failed": "Failed",
    "gone": "No longer there",
}

# (key in the data, heading, class) in table order
ACCOUNT_COLUMNS = (
    ("rank", "Rank", "n rank"),
    ("name", "Account", "name"),
    ("tier", "Tier", ""),
    ("members", "Members", "n"),
    ("impressions", "Impressions", "n"),
    ("share", "Share", "n share"),
    ("times_even", "× even share", "n"),
    ("per_member", "Per member", "n"),
    ("cap_use", "Cap use", "n"),
    ("band", "Band", ""),
    ("rank_before", "Rank before", "n"),
    ("share_change", "Share change", "n"),
    ("state", "State", ""),
    ("source", "Source", ""),
)


def left_out(counts: Mapping[str, int]) -> str:
    """``38 who refused; 2 on the suppression list``."""
    return "; ".join(f"{n:,} {LEFT_OUT.get(code, code.replace('_', ' '))}" for code, n in counts.items())
