"""Which lists a segment becomes: one per platform and kind, or one per band where it is balanced.

Only names; who is on them is ``membership``.
"""

from __future__ import annotations

from audiences.config_segments import Segment
from audiences.model import AudienceSpec, MemberKind

_KINDS = {"companies": MemberKind.COMPANY, "contacts": MemberKind.CONTACT}


def audience_id(platform: str, segment: str, kind: MemberKind, band: int | None = None) -> str:
    """``<platform>/<segment>/<kind>[/band-<k>]``."""
    return f"{platform}/{segment}/{kind.value}" + ("" if band is None else f"/band-{band}")


def audience_specs(
    name: str, segment: Segment, *, bands: int = 0, balanced_on: str = "linkedin"
) -> tuple[AudienceSpec, ...]:
    """The lists of a segment, in the order of its ``sync``.

    Where the segment is balanced and ``bands`` is given, its company list on ``balanced_on`` is one list
    per band; all others are one list.
    """
    specs = []
    for platform, kinds in segment.sync.items():
        for word in kinds:
            kind = _KINDS[word]
            split = (
                segment.balance is not None
                and bands
                and kind == MemberKind.COMPANY
                and platform == balanced_on
            )
            for band in range(bands) if split else (None,):
                title = segment.title or name
                shown = title if band is None else f"{title} (band {band + 1} of {bands})"
                identity = audience_id(platform, name, kind, band)
                specs.append(AudienceSpec(identity, platform, shown, kind, segment.purpose, name, band))
    return tuple(specs)
