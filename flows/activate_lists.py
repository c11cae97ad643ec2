"""Which lists the settings ask for, and the list on the platform. Knows no member."""

from __future__ import annotations

from audiences.membership_contacts import ListRules
from audiences.model import AudienceSpec, AudienceState, MemberKind
from flows.record_mark import mark_lists
from flows.runs import audit_line
from flows.wiring import App, WorkspaceError

KINDS = {"companies": MemberKind.COMPANY, "contacts": MemberKind.CONTACT}


def audience_id(platform: str, segment: str, kind: str, band: int | None = None) -> str:
    """Ours and stable: ``linkedin/tier-1/companies`` or ``.../companies/band-2``."""
    tail = "" if band is None else f"/band-{band + 1}"
    return f"{platform}/{segment}/{kind}{tail}"


def list_spec(app: App, segment: str, platform: str, kind: str, band: int | None = None) -> AudienceSpec:
    """The list a segment wants on a platform."""
    wanted = app.config.segments[segment]
    title = wanted.title or segment
    tail = "" if band is None else f" - band {band + 1}"
    return AudienceSpec(
        audience_id=audience_id(platform, segment, kind, band),
        platform=platform,
        name=f"{title} ({kind}){tail}",
        kind=KINDS[kind],
        description=" - ".join(text for text in (wanted.bid_note, wanted.purpose) if text)[:200],
        segment=segment,
        band=band,
    )


def wanted_lists(app: App, segment: str | None = None, platform: str | None = None) -> list[AudienceSpec]:
    """Every list the settings ask for. Raises WorkspaceError for a segment or platform that is not there."""
    if segment is not None and segment not in app.config.segments:
        known = ", ".join(app.config.segments)
        raise WorkspaceError(f'there is no segment "{segment}"; there are {known}')
    specs = [
        list_spec(app, name, where, kind)
        for name, wanted in app.config.segments.items()
        if segment in (None, name)
        for where, kinds in wanted.sync.items()
        if platform in (None, where)
        for kind in kinds
    ]
    if not specs:
        where = "" if platform is None else f" on {platform}"
        raise WorkspaceError(f"no list is asked for{where}; add a sync: entry to a segment in evenreach.yaml")
    return specs


def minimum(app: App, platform: str) -> int:
    """Members below which the platform serves nothing."""
    return int(app.platform(platform).capabilities.minimum_audience)


def list_rules(app: App, platform: str) -> ListRules:
    """What a platform asks of members."""
    able = app.platform(platform).capabilities
    return ListRules(
        identifiers=tuple(able.identifiers),
        needs_consent=able.needs_consent,
        needs_first_party=able.needs_first_party,
    )


def ensure_list(app: App, spec: AudienceSpec) -> AudienceState:
    """The list on the platform, created once and remembered."""
    record = app.store.save_audience(spec, at=app.now())
    if record.state is not None:
        return record.state
    mark_lists(app.workspace)
    state: AudienceState = app.platform(spec.platform).find_or_create(spec)
    line = audit_line(app, "list created", spec.audience_id, {"external_id": state.external_id})
    app.store.save_state(state, at=app.now(), line=line)
    return state


def our_targets(app: App, platform: str) -> list[str]:
    """Target ids of every list Evenreach made on a platform."""
    lists = app.store.audiences(platform=platform)
    return [record.state.target_id for record in lists if record.state and record.state.target_id]
