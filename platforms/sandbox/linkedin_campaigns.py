"""Campaigns, campaign groups and ad accounts on the wire. Delivery is none of its business.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-campaigns (2026-02 text).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox import campaign_rules as rules
from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import segments as life
from platforms.sandbox.audience import ad_segments_in, serving_holds
from platforms.sandbox.linkedin_bodies import json_body, patch_of
from platforms.sandbox.linkedin_gate import listed, query_of, readable_account, writable_account
from platforms.sandbox.linkedin_targeting import check, check_size
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Bad, Call, json_answer, load_json
from platforms.sandbox.world import Campaign, World


def search(world: World, call: Call) -> Answer:
    """``q=search`` with cursor paging."""
    account = readable_account(world, call, call.args["account"], "adCampaigns.FINDER-search")
    query = query_of(world, call)
    if query.get("q") != "search":
        raise err.plain(404, "No virtual resource found")
    wanted = query.get("search") or {}
    if not wanted and world.knobs.search_needs_criteria:
        raise err.bad_param("search", "PARAM_INVALID")
    found = [
        campaign_json(world, c)
        for c in world.campaigns.values()
        if c.account == account.account_id and _fits(c, wanted)
    ]
    return json_answer(200, cursor_page(found, query))


def _fits(campaign: Campaign, wanted: dict[str, Any]) -> bool:
    values = {k: set(listed(v.get("values") if isinstance(v, dict) else v)) for k, v in wanted.items()}
    own = {
        "status": campaign.status,
        "campaignGroup": campaign.fields.get("campaignGroup"),
        "id": f"urn:li:sponsoredCampaign:{campaign.campaign_id}",
        "name": campaign.fields["name"],
        "type": campaign.fields["type"],
    }
    return all(own.get(name) in allowed for name, allowed in values.items() if name in own)


def cursor_page(elements: list[Any], query: dict[str, Any], *, most: int = 1000) -> dict[str, Any]:
    """``pageSize`` (at most ``most``) and ``pageToken``; ``nextPageToken`` is absent on the last page."""
    try:
        size = int(query.get("pageSize", most + 1))
        start = int(str(query.get("pageToken", "0")).removeprefix("p"))
    except ValueError:
        raise err.bad_param("pageToken", "PARAM_INVALID") from None
    if "pageSize" in query and not 1 <= size <= most:
        raise err.bad_param("pageSize", "PARAM_INVALID")
    if "pageSize" not in query and len(elements) > most:
        raise err.plain(400, "Request would return too many entities")
    end = start + size
    metadata = {"nextPageToken": f"p{end}"} if end < len(elements) else {}
    return {
        "elements": elements[start:end],
        "metadata": metadata,
        "paging": {"start": 0, "count": 10, "links": []},
    }


def get(world: World, call: Call) -> Answer:
    readable_account(world, call, call.args["account"], "adCampaigns.GET")
    return json_answer(200, campaign_json(world, campaign_of(world, call)))


def create(world: World, call: Call) -> Answer:
    account = writable_account(world, call, call.args["account"], "adCampaigns.CREATE")
    body = json_body(call)
    rules.check_names(body)
    if last_part(body["account"]) != account.account_id:
        raise err.detailed(400, "FIELD_INVALID", "account does not fit the path", field="account")
    if body["status"] not in {"ACTIVE", "DRAFT", "PAUSED"}:
        raise err.schema("status", err.not_an_enum(body["status"]))
    rules.check_room(world, account.account_id, body)
    rules.check_money(body)
    rules.check_frequency(body)
    rules.check_group(world, body["campaignGroup"])
    used = []
    if "targetingCriteria" in body:
        used = check(world, body["targetingCriteria"], updating=False, status=body["status"])
        check_size(world, body["targetingCriteria"], used)
    campaign = add_campaign(world, account.account_id, body)
    return err.created(campaign.campaign_id)


def add_campaign(world: World, account_id: str, fields: dict[str, Any]) -> Campaign:
    campaign = Campaign(
        campaign_id=world.next_id("campaign", 600_000_001),
        account=account_id,
        fields=dict(fields),
        created=world.now,
        modified=world.now,
    )
    world.campaigns[campaign.campaign_id] = campaign
    follow_use(world, campaign)
    return campaign


def update(world: World, call: Call) -> Answer:
    """PARTIAL_UPDATE; ``targetingCriteria`` is replaced whole."""
    writable_account(world, call, call.args["account"], "adCampaigns.PARTIAL_UPDATE")
    if "ids" in query_of(world, call):
        return _update_many(world, call)
    campaign = campaign_of(world, call)
    apply_patch(world, campaign, patch_of(call))
    return err.no_content()


def _update_many(world: World, call: Call) -> Answer:
    """BATCH_PARTIAL_UPDATE: one outcome per id."""
    if call.header("x-restli-method").upper() != "BATCH_PARTIAL_UPDATE":
        raise err.plain(400, "X-RestLi-Method BATCH_PARTIAL_UPDATE is required for this request")
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for text, entity in (json_body(call).get("entities") or {}).items():
        campaign = world.campaigns.get(int(text)) if text.isdigit() else None
        if campaign is None or campaign.account != call.args["account"]:
            errors[text] = {"status": 404, "message": f"Could not find entity {text}"}
            continue
        try:
            apply_patch(world, campaign, entity.get("patch") or {})
        except Bad as bad:
            errors[text] = load_json(bad.answer.body)
        else:
            results[text] = {"status": 204}
    return json_answer(200, {"results": results, "errors": errors})


def apply_patch(world: World, campaign: Campaign, patch: dict[str, Any]) -> None:
    """Raises 409 where the patch names a version that is no longer the current one."""
    changes, gone = dict(patch.get("$set") or {}), list(patch.get("$delete") or [])
    seen = changes.pop("versionTag", None) or (changes.pop("version", None) or {}).get("versionTag")
    if seen is not None and str(seen) != str(campaign.version):
        raise err.conflict()
    for name in [*changes, *gone]:
        if name in rules.READ_ONLY or name in rules.IMMUTABLE:
            raise err.detailed(400, "FIELD_CANNOT_BE_CHANGED", f"{name} is immutable", field=name)
        rules.check_deprecated(name)
        if name not in rules.WRITABLE:
            raise err.schema(f"patch/$set/{name}", err.UNRECOGNIZED)
    status = changes.get("status", campaign.status)
    if status not in rules.STATUSES:
        raise err.schema("patch/$set/status", err.not_an_enum(status))
    if campaign.status in {"REMOVED", "PENDING_DELETION"}:
        raise err.detailed(400, "STATUS_CHANGE_NOT_ALLOWED", "The campaign was deleted", field="status")
    if status == "ACTIVE" != campaign.status:
        rules.check_active(world, campaign.account)
    rules.check_money(changes)
    rules.check_frequency(changes)
    if "targetingCriteria" in changes:
        used = check(
            world,
            changes["targetingCriteria"],
            updating=True,
            status=status,
            campaign=str(campaign.campaign_id),
        )
        if status == "ACTIVE":
            check_size(world, changes["targetingCriteria"], used)
    campaign.fields = {k: v for k, v in {**campaign.fields, **changes}.items() if k not in gone}
    campaign.version += 1
    campaign.modified = world.now
    follow_use(world, campaign)


def follow_use(world: World, campaign: Campaign) -> None:
    """Lists of ACTIVE and DRAFT campaigns are used; the idle timers of others run on from now."""
    named = ad_segments_in(campaign.fields.get("targetingCriteria") or {})
    if campaign.status in {"ACTIVE", "DRAFT"}:
        for number in named:
            if number in world.ad_segments and number not in world.in_use:
                life.use(world, world.ad_segments[number])
    active = [c for c in world.campaigns.values() if c.status == "ACTIVE"]
    now_used = {n for c in active for n in ad_segments_in(c.fields.get("targetingCriteria") or {})}
    for number in world.in_use - now_used:
        if number in world.ad_segments:
            world.ad_segments[number].idle_since = world.now
    world.in_use = now_used & world.ad_segments.keys()


def delete(world: World, call: Call) -> Answer:
    """DRAFT campaigns only; others go through PENDING_DELETION."""
    writable_account(world, call, call.args["account"], "adCampaigns.DELETE")
    campaign = campaign_of(world, call)
    if campaign.status != "DRAFT":
        raise err.detailed(400, "STATUS_CHANGE_NOT_ALLOWED", "Only a draft can be deleted", field="status")
    del world.campaigns[campaign.campaign_id]
    return err.no_content()


def campaign_of(world: World, call: Call) -> Campaign:
    text = last_part(call.args["campaign"])
    campaign = world.campaigns.get(int(text)) if text.isdigit() else None
    if campaign is None or campaign.account != last_part(call.args["account"]):
        raise err.refuse(404, {"code": "NOT_FOUND", "message": f"Could not find entity {text}"})
    return campaign


def campaign_json(world: World, campaign: Campaign) -> dict[str, Any]:
    actor = "urn:li:unknown:0"
    return {
        **campaign.fields,
        "id": campaign.campaign_id,
        "test": False,
        "servingStatuses": serving_holds(world, campaign) or ["RUNNABLE"],
        "version": {"versionTag": str(campaign.version)},
        "changeAuditStamps": {
            "created": {"actor": actor, "time": campaign.created},
            "lastModified": {"actor": actor, "time": campaign.modified},
        },
    }
