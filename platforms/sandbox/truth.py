"""What really happened, which no platform ever shows. Read only."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

import orjson

from platforms.sandbox import segments as life
from platforms.sandbox.restli import last_part
from platforms.sandbox.world import Key, Segment, World


def impressions(
    world: World, *, start: date | None, end: date | None, campaign: str | None, grain: str = "all"
) -> dict[str, Any]:
    """Impressions per organisation id in the window (both ends inclusive), exact.

    ``rows``: id, domain, impressions, clicks; with grain "daily" also day and campaign.
    """
    first = start.toordinal() if start else 0
    last = end.toordinal() if end else 10**9
    only = int(last_part(campaign)) if campaign else None
    found: dict[tuple[Any, ...], list[int]] = {}
    total, spend = 0, 0.0
    for creative in world.creatives.values():
        if only is not None and creative.campaign_id != only:
            continue
        for day in world.market.delivered.get(creative.creative_id, ()):
            if not first <= day.day <= last:
                continue
            spend += day.spend
            total += int(day.impressions.sum())
            head = (day.day, creative.campaign_id) if grain == "daily" else ()
            for org, count, click in zip(
                day.org.tolist(), day.impressions.tolist(), day.clicks.tolist(), strict=True
            ):
                book = found.setdefault((*head, org), [0, 0])
                book[0] += count
                book[1] += click
    rows = [_row(world, key, book) for key, book in sorted(found.items())]
    return {"total": total, "spend": round(spend, 4), "rows": rows}


def _row(world: World, key: tuple[Any, ...], book: list[int]) -> dict[str, Any]:
    org = world.directory.known().get(key[-1])
    row: dict[str, Any] = {
        "organization": key[-1],
        "domain": org.domain if org else None,
        "impressions": book[0],
        "clicks": book[1],
    }
    if len(key) == 3:
        row.update(day=date.fromordinal(key[0]).isoformat(), campaign=key[1])
    return row


def members(world: World, segment: str) -> dict[str, Any]:
    """Acknowledged and effective membership of a LinkedIn segment (any of its ids) or a Google list."""
    tail = last_part(segment)
    if ":adSegment:" in segment:
        found = world.ad_segments.get(int(tail))
    else:
        found = world.segments.get(int(tail)) if tail.isdigit() else None
    if found is not None:
        return _segment_members(world, found)
    shown: dict[str, Any] | None = world.google.members(segment)
    if shown is None:
        raise KeyError(f"no list {segment}")
    return shown


def _segment_members(world: World, segment: Segment) -> dict[str, Any]:
    """Companies with every identifier they were pushed with; people as hex digests.

    ``companies`` are the matched ones among the acknowledged, by organisation id.
    """
    rows = []
    acked = {k for k, n in segment.latest.items() if n > 0}
    for key in sorted(acked | segment.effective, key=_text):
        rows.append(
            {
                "key": _text(key),
                "acknowledged": key in acked,
                "effective": key in segment.effective,
                "matched": life.reach(world, segment, key) > 0,
                **_company(world, segment, key),
            }
        )
    shown = {"segment": segment.segment_id, "status": life.status(world, segment), "members": rows}
    if segment.companies:
        shown["companies"] = [
            {"organization": row["organization"], "domain": row["domain"]}
            for row in rows
            if row["matched"] and row["acknowledged"]
        ]
    return shown


def _company(world: World, segment: Segment, key: Key) -> dict[str, Any]:
    if not segment.companies:
        return {}
    org = world.directory.known().get(key) if isinstance(key, int) else None
    shown: dict[str, Any] = {"organization": key if isinstance(key, int) else None}
    shown["domain"] = org.domain if org else segment.sent.get(key, {}).get("companyWebsiteDomain")
    shown["sent"] = segment.sent.get(key, {})
    return shown


def _text(key: Key) -> str:
    if isinstance(key, bytes):
        return key.hex()
    return f"urn:li:organization:{key}" if isinstance(key, int) else key


def state(world: World) -> dict[str, Any]:
    """Counts, and a fingerprint over everything a list or a report depends on."""
    market = world.market
    delivered = sum(int(d.impressions.sum()) for days in market.delivered.values() for d in days)
    return {
        "segments": len(world.segments),
        "campaigns": len(world.campaigns),
        "creatives": len(world.creatives),
        "companies_in_market": len(market.row),
        "days": 0 if market.first_day is None else (market.last_day or 0) - market.first_day + 1,
        "impressions": delivered,
        "google_lists": world.google.count(),
        "by_segment": {
            str(s.segment_id): {
                "name": s.name,
                "source_id": s.source_id,
                "status": life.status(world, s),
                "acknowledged": sum(n > 0 for n in s.latest.values()),
                "effective": len(s.effective),
                "members": s.size,
            }
            for s in world.segments.values()
        },
        "fingerprint": fingerprint(world),
    }


def fingerprint(world: World) -> str:
    """Equal for equal worlds: memberships as acknowledged and in force, campaigns, every delivered count."""
    digest = sha256()
    for segment in world.segments.values():
        shown = _segment_members(world, segment)
        digest.update(orjson.dumps([segment.name, segment.size, shown], option=orjson.OPT_SORT_KEYS))
    for campaign in world.campaigns.values():
        digest.update(orjson.dumps([campaign.campaign_id, campaign.version, campaign.fields]))
    for number, days in sorted(world.market.delivered.items()):
        for day in days:
            digest.update(orjson.dumps([number, day.day, round(day.spend, 6)]))
            digest.update(day.org.tobytes() + day.impressions.tobytes() + day.clicks.tobytes())
    digest.update(world.google.fingerprint())
    return digest.hexdigest()
