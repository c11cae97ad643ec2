"""What each stable code means, in a marketer's words. Tables only: no code is decided here."""

from __future__ import annotations

# Move.reason -> the clause after "because"
MOVES: dict[str, str] = {
    "over_served": "it takes more than its fair part",
    "under_served": "it gets less than its fair part",
    "rate_up": "it now draws more impressions than its band is meant for",
    "rate_down": "it now draws fewer impressions than its band is meant for",
    "reband": "another band now fits its pace better",
    "first_split": "the segment is being split into bands for the first time",
    "initial": "the segment is being split into bands for the first time",
    "new_account": "it is new in the segment",
    "burst": "its impressions jumped two days in a row",
    "change_detected": "its impressions jumped two days in a row",
    "cap_reached": "it reached its cap",
    "over_cap": "it reached its cap",
    "threshold_reached": "it reached the limit for this interval",
    "interval_over": "the interval it was paused for is over",
    "released": "its pause is over",
    "duty_on": "its turn to be served has come",
    "duty_off": "it had its turn and others follow",
    "merge": "its band was too small to be served and was merged",
    "band_merged": "its band was too small to be served and was merged",
    "pinned": "you pinned it",
    "held": "you excluded it",
    "excluded": "you excluded it",
    "unheld": "you no longer exclude it",
}

# why an account gets too little
STARVED: dict[str, str] = {
    "not_matched": "The platform matched no member of this company. Check its domain or page address.",
    "few_members": "So few people are reachable there that impressions stay rare.",
    "outbid": "Busier accounts use up the budget first.",
    "below_report": "It never made the platform's list, so its count is only an estimate.",
    "paused": "It is paused after a busy spell.",
    "held": "You excluded it.",
    "excluded": "You excluded it.",
    "pending": "It was added recently; the platform has not started serving it.",
    "list_not_ready": "The list it is on is not ready yet.",
    "unreachable": "Four weeks in the most generous band brought no impression.",
    "no_budget": "Its band has no budget.",
    "new": "It joined the segment recently.",
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
    "cap_relaxed": "The caps are too tight for the budget and were widened by a factor of {x}.",
    "cap_short": "The caps are too tight for the budget: {n} impressions will not be bought.",
    "floor_short": "The budget cannot give every account its minimum.",
    "frozen": "Nothing is changed today: the reports cannot be relied on.",
    "stale": "Nothing is changed today: the newest report is {n} days old.",
    "cap_ignored": "One limit you set cannot be used with these reports.",
    "minimum_members": "A band would fall below the platform's minimum and was joined with its neighbour.",
    "operations_limited": "Only the most important changes go out today; the rest follow tomorrow.",
    "delivery_floor": "Evening out is paused: delivery came close to the minimum you set.",
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
    "top_share_fell_but_coverage_did_not_rise": "",
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
    "stale_report": "",
    "rows_exceed_total": "The rows contradict the platform's own totals.",
    "click_cap": "The limit on clicks is not used here.",
    "spend_cap": "The limit on spend is not used here.",
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
