"""Set a budget-split experiment up: a list and a campaign per half, as drafts first; start it, end it.

The halves are drawn by ``experiment.plan``; what each half may spend comes from
there. Every step looks first whether it is done, so it can be run again. Nothing
spends money before ``go``, and the two halves never spend more than the campaign did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from audiences.model import AudienceSpec, AudienceStatus
from flows.activate import audit, ensure_list, follow, list_spec, patiently, prepare, send
from flows.activate_lists import our_targets
from flows.activate_width import reach
from flows.assess import assess_as_stored
from flows.bands import BandCampaigns, band_campaigns, remember, turns
from flows.experiment import Plan, plan
from flows.experiment_record import Experiment, experiment_of, keep, running
from flows.exposure import qualified_accounts
from flows.wiring import App, WorkspaceError

CENT = Decimal("0.01")
SERVING = (AudienceStatus.READY, AudienceStatus.UPDATING)
HALVES = ("balanced", "left alone")
IN, OUT = 0, 1  # "bands" of a half's list: only those in it


@dataclass(frozen=True, slots=True)
class Half:
    """One half as it is, or would be: ``campaign`` "" and ``status`` "to be made" in a dry run."""

    name: str
    accounts: int
    budget: Decimal
    list_id: str
    campaign: str = ""
    status: str = "to be made"


@dataclass(frozen=True, slots=True)
class SetUp:
    """Both halves; ``live`` once they deliver; ``notes`` say what is waited for."""

    segment: str
    salt: str
    halves: tuple[Half, Half]
    live: bool = False
    notes: tuple[str, ...] = ()


def start(app: App, segment: str, *, salt: str, dry_run: bool = False, go: bool = False) -> SetUp:
    """Make both halves' lists and draft campaigns; with ``go`` start them once both lists serve.

    Raises DesignRefused, WorkspaceError, Braked or a platform's error; run it again to go on.
    """
    if (known := running(app, segment)) is not None:
        refresh(app, segment)
        return _shown(app, segment, known)
    design = plan(app, segment, salt=salt)
    _untouched(app, segment, salt)
    campaigns = band_campaigns(app, segment)
    budgets = _split_money(app, campaigns, design)
    if dry_run:
        return SetUp(segment, salt, _planned(campaigns, design, budgets))
    for name in HALVES:
        _fill(app, campaigns, design, name)
    copies = [
        _draft(app, campaigns, design, name, budget) for name, budget in zip(HALVES, budgets, strict=True)
    ]
    made = Experiment(salt, campaigns.template, copies[0], copies[1], str(budgets[0]), str(budgets[1]))
    if experiment_of(app, segment) != made:
        keep(app, segment, made)
        audit(app, "experiment set up", segment, {"salt": salt, "campaigns": copies})
    notes = _waiting(app, campaigns, made)
    if go and not notes:
        made = _go(app, segment, campaigns, made)
    return replace(_shown(app, segment, made), notes=notes)


def refresh(app: App, segment: str) -> None:
    """Bring the halves' lists in line with a segment that changed since; nothing without an experiment.

    The lists of bands are the plans' business, so only the half without bands is looked after.
    """
    experiment = running(app, segment)
    if experiment is None:
        return
    campaigns = band_campaigns(app, segment)
    design = plan(app, segment, salt=experiment.salt)
    for name in HALVES if campaigns.live_since is None else HALVES[1:]:
        _fill(app, campaigns, design, name)


def stop(app: App, segment: str) -> Experiment:
    """End it: the halves and their bands pause, the segment's own campaign goes on for everybody."""
    found = running(app, segment)
    if found is None:
        raise WorkspaceError(f"no experiment runs on {segment}")
    campaigns = band_campaigns(app, segment)
    platform = app.platform(campaigns.platform)
    patiently(app, lambda: platform.set_status(found.template, "active"))
    for campaign in (*campaigns.active, found.balanced, found.left_alone):
        if platform.campaign(campaign).status == "active":
            patiently(app, lambda c=campaign: platform.set_status(c, "paused"))  # type: ignore[misc]
    remember(app, replace(campaigns, live_since=None, active=(), campaigns=()))
    app.store.put(f"baseline/{segment}", found.baseline, at=app.now())
    ended = replace(found, ended=app.today)
    keep(app, segment, ended)
    audit(app, "experiment ended", segment, {"salt": found.salt})
    return ended


def half_spec(app: App, segment: str, platform: str, name: str) -> AudienceSpec:
    """The list of one half."""
    whole = list_spec(app, segment, platform, "companies")
    return replace(
        whole,
        audience_id=f"{whole.audience_id}/half-{name.replace(' ', '-')}",
        name=f"{whole.name} - {name} half",
        description=f"The half of the companies that is {name} in an experiment.",
        band=IN,
    )


def _untouched(app: App, segment: str, salt: str) -> None:
    """Raises WorkspaceError where there is no untouched half any more."""
    other = experiment_of(app, segment)
    if other is not None and other.ended is None and other.salt != salt:
        raise WorkspaceError(f'{segment} is set up for the experiment "{other.salt}" already')
    campaigns = band_campaigns(app, segment)
    held = turns(app, segment, qualified_accounts(app, segment))
    if campaigns.live_since is not None or (held and bool((held[-1][1] < 0).any())):
        raise WorkspaceError(
            f"{segment} is balanced already, so no half of it is untouched; take the balancing back with "
            "evenreach undo, wait four weeks, and start the experiment then"
        )


def _split_money(app: App, campaigns: BandCampaigns, design: Plan) -> tuple[Decimal, Decimal]:
    """The campaign's own budget, by the number of accounts; to the cent, and never more than it."""
    now: Decimal | None = app.platform(campaigns.platform).campaign(campaigns.template).daily_budget
    whole = now if now is not None else Decimal(str(design.treated_budget + design.control_budget))
    fraction = Decimal(sum(design.treated)) / Decimal(len(design.treated))
    mine = (whole * fraction).quantize(CENT, rounding=ROUND_DOWN)
    return mine, whole - mine


def _planned(campaigns: BandCampaigns, design: Plan, budgets: Sequence[Decimal]) -> tuple[Half, Half]:
    treated = sum(design.treated)
    start_of = f"{campaigns.platform}/{campaigns.segment}/companies/half-"
    return (
        Half(HALVES[0], treated, budgets[0], f"{start_of}balanced"),
        Half(HALVES[1], len(design.treated) - treated, budgets[1], f"{start_of}left-alone"),
    )


def _fill(app: App, campaigns: BandCampaigns, design: Plan, name: str) -> None:
    """Bring one half's list to its accounts."""
    wanted = name == HALVES[0]
    places = {a: IN if t is wanted else OUT for a, t in zip(design.accounts, design.treated, strict=True)}
    spec = half_spec(app, campaigns.segment, campaigns.platform, name)
    assessment = assess_as_stored(app, campaigns.segment)
    patiently(app, lambda: prepare(app, assessment, spec, bands=places))
    patiently(app, lambda: send(app, spec.audience_id))


def _draft(app: App, campaigns: BandCampaigns, design: Plan, name: str, budget: Decimal) -> str:
    """A draft copy of the campaign with this half's list and money. Returns its id."""
    platform, template = app.platform(campaigns.platform), campaigns.template
    title = platform.campaign(template).name
    mark = hashlib.sha256(design.salt.encode()).hexdigest()[:8]
    reference = f"{campaigns.segment}-{mark}-{name.replace(' ', '-')}"
    copy = patiently(app, lambda: platform.clone(template, f"{title} - {name} half", reference=reference))
    identifier: str = copy.campaign_id
    target = ensure_list(app, half_spec(app, campaigns.segment, campaigns.platform, name)).target_id
    ours = our_targets(app, campaigns.platform)
    patiently(app, lambda: platform.set_targets(identifier, include=[target], ours=ours))
    patiently(app, lambda: platform.set_daily_budget(identifier, max(budget, CENT)))
    return identifier


def _waiting(app: App, campaigns: BandCampaigns, made: Experiment) -> tuple[str, ...]:
    """Why the halves cannot serve yet; () when they can."""
    notes = []
    for name, campaign in zip(HALVES, (made.balanced, made.left_alone), strict=True):
        state = follow(app, half_spec(app, campaigns.segment, campaigns.platform, name).audience_id)
        if state is None or state.target_id is None or state.status not in SERVING:
            notes.append(f"the list of the half that is {name} is still building")
        elif patiently(app, lambda c=campaign: reach(app, campaigns.platform, c)).too_few:  # type: ignore[misc]
            notes.append(f"the half that is {name} reaches fewer members than the platform serves")
    return tuple(notes)


def _go(app: App, segment: str, campaigns: BandCampaigns, made: Experiment) -> Experiment:
    """Start both halves on the same day, then pause the campaign that served everybody."""
    platform = app.platform(campaigns.platform)
    for campaign in (made.balanced, made.left_alone):
        patiently(app, lambda c=campaign: platform.set_status(c, "active"))  # type: ignore[misc]
    patiently(app, lambda: platform.set_status(made.template, "paused"))
    live = replace(made, live_since=app.today, baseline=app.store.get(f"baseline/{segment}"))
    app.store.put(f"baseline/{segment}", None, at=app.now())
    app.store.put(f"template_budget/{segment}", float(made.balanced_budget), at=app.now())
    remember(app, replace(campaigns, campaigns=(), active=()))
    keep(app, segment, live)
    audit(app, "experiment started", segment, {"salt": made.salt})
    return live


def _shown(app: App, segment: str, made: Experiment) -> SetUp:
    campaigns = band_campaigns(app, segment)
    design = plan(app, segment, salt=made.salt)
    budgets = (Decimal(made.balanced_budget), Decimal(made.left_alone_budget))
    platform = app.platform(campaigns.platform)
    halves = [
        replace(half, campaign=campaign, status=platform.campaign(campaign).status)
        for half, campaign in zip(
            _planned(campaigns, design, budgets), (made.balanced, made.left_alone), strict=True
        )
    ]
    return SetUp(segment, made.salt, (halves[0], halves[1]), live=made.live_since is not None)
