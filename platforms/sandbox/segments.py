"""The life of a DMP segment: building, landing, counting, idling, dying. No wire in here.

Statuses and the 30 and 90 day timers: linkedin.com/help/lms/answer/a795242 (2026-08); counters:
learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segments (2026-08).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from platforms.sandbox.clock import DAY, HOUR
from platforms.sandbox.directory import digest_part, fraction

if TYPE_CHECKING:
    from platforms.sandbox.world import Key, Segment, World

TARGETABLE = frozenset({"BUILDING", "READY", "UPDATING", "ARCHIVED"})


def status(world: World, segment: Segment) -> str:
    """Status at the world's present moment; a pure function of what happened so far."""
    if segment.broken:
        return segment.broken
    idle = 0 if segment.ad_segment in world.in_use else world.now - segment.idle_since
    if segment.expired or idle >= world.knobs.expire_days * DAY:
        return "EXPIRED"
    if segment.dead or idle >= world.knobs.archive_days * DAY:
        return "ARCHIVED"
    if segment.build_end is None or world.now < segment.build_end:
        return "BUILDING"
    if segment.pending or world.now < segment.rebuild_until:
        return "UPDATING"
    return "READY"


def touch(world: World, segment: Segment) -> None:
    """An edit: the idle timers start again. An expired segment stays expired, its data are gone."""
    bury(world, segment)
    segment.modified = world.now
    segment.idle_since = world.now


def bury(world: World, segment: Segment) -> None:
    """Make EXPIRED final before anything could reset its timers."""
    if not segment.expired and status(world, segment) == "EXPIRED":
        segment.expired = True
        segment.effective.clear()
        segment.latest.clear()
        segment.size = 0
        segment.version += 1


def use(world: World, segment: Segment) -> None:
    """The segment was attached to an ACTIVE or DRAFT campaign; an archived one is processed again.

    One that is archived with nobody in it can never become READY again.
    """
    if status(world, segment) == "ARCHIVED":
        if segment.size == 0:
            segment.dead = True
        else:
            segment.rebuild_until = world.now + round(world.knobs.reactivate_hours * HOUR)
    segment.idle_since = world.now


def push(world: World, segment: Segment, *, adds: Sequence[Key], removes: Sequence[Key], pushed: int) -> None:
    """Take note of acknowledged changes; they land later, additions and removals each in their time.

    Args:
        pushed: entities in the request, for ``inputCount``.
    """
    touch(world, segment)
    if segment.expired:
        return
    matched = sum(reach(world, segment, key) > 0 for key in adds)
    segment.window.append((world.now, pushed, matched))
    if segment.build_end is None:
        segment.build_end = world.now + round(world.knobs.build_hours * HOUR)
    number = world.next_id("push", 1)
    fresh = [k for k in dict.fromkeys(adds) if segment.latest.get(k, 0) <= 0]
    gone = [k for k in dict.fromkeys(removes) if segment.latest.get(k, 0) > 0]
    segment.latest.update(dict.fromkeys(fresh, number))
    segment.latest.update(dict.fromkeys(gone, -number))
    _schedule(world, segment, number, fresh, world.knobs.add_hours)
    _schedule(world, segment, -number, gone, world.knobs.remove_hours)


def _schedule(world: World, segment: Segment, number: int, keys: list[Key], hours: float) -> None:
    if not keys:
        return
    due = max(world.now + round(hours * HOUR), segment.build_end or 0)
    segment.pending += 1
    world.agenda.put(due, "land", (segment.segment_id, number, keys))


def land(world: World, when: int, data: tuple[int, int, list[Key]]) -> None:
    """Changes become effective, unless a later request has already said otherwise."""
    segment_id, number, keys = data
    segment = world.segments.get(segment_id)
    if segment is None:
        return
    segment.pending -= 1
    if segment.expired:
        return
    current = [k for k in keys if segment.latest.get(k) == number]
    if number > 0:
        current = [k for k in current if k not in segment.effective]
        segment.effective.update(current)
        segment.size += sum(reach(world, segment, k) for k in current)
    else:
        for key in current:
            del segment.latest[key]
        current = [k for k in current if k in segment.effective]
        segment.effective.difference_update(current)
        segment.size -= sum(reach(world, segment, k) for k in current)
    segment.version += 1


def reach(world: World, segment: Segment, key: Key) -> int:
    """Members behind one entity who can be targeted: 0 for an unmatched one, after opt-outs."""
    if isinstance(key, int):
        return org_reach(world, key)
    if segment.companies:
        return 0
    if isinstance(key, bytes):
        found = digest_part(key, 0) < world.knobs.contact_match
        return int(found and digest_part(key, 2) >= world.knobs.opt_out)
    return int(fraction(world.seed, "person", key) < world.knobs.contact_match)


def employer(world: World, key: Key) -> int:
    """The company a person of a contact list works for."""
    place = digest_part(key, 4) if isinstance(key, bytes) else fraction(world.seed, "employer", key)
    return world.directory.employer(place)


def org_reach(world: World, org_id: int) -> int:
    org = world.directory.known().get(org_id)
    return max(1, round(org.members * (1.0 - world.knobs.opt_out))) if org else 0


def rolling(world: World, segment: Segment) -> tuple[int, int] | None:
    """(inputCount, matchedCount) of the last seven days; None where nothing was pushed in them."""
    since = world.now - world.knobs.counter_days * DAY
    recent = [(pushed, matched) for when, pushed, matched in segment.window if when > since]
    if not recent:
        return None
    return sum(p for p, _ in recent), sum(m for _, m in recent)


def audience_size(world: World, segment: Segment) -> int | None:
    """What LinkedIn shows: None while BUILDING, 0 below the minimum, else about two digits."""
    if status(world, segment) == "BUILDING":
        return None
    return shown(segment.size, minimum=world.knobs.minimum_audience)


def shown(members: int, *, minimum: int) -> int:
    """A member count as LinkedIn rounds it: 0 below ``minimum``, else two significant digits."""
    if members < minimum:
        return 0
    step = 10 ** max(0, math.floor(math.log10(members)) - 1)
    return int(max(minimum, round(members / step) * step))


def delete(world: World, segment: Segment) -> None:
    """Gone, with its adSegment; campaigns that pointed at it change meaning."""
    del world.segments[segment.segment_id]
    del world.ad_segments[segment.ad_segment]
    world.in_use.discard(segment.ad_segment)


def replaced(world: World, segment: Segment, keys: Iterable[Key]) -> tuple[list[Key], list[Key]]:
    """Adds and removes that make a list upload replace what was there."""
    wanted = set(keys)
    gone = [k for k, n in segment.latest.items() if n > 0 and k not in wanted]
    return [k for k in wanted if segment.latest.get(k, 0) <= 0], gone
