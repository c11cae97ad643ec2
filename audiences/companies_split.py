"""One domain, several names: which of them are its owner, and which only borrow it.

Works on the names of one domain at a time. Must not touch rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from audiences.companies_domains import label
from audiences.companies_names import akin, initials, is_blend, lies_inside_a_word, speaks_of

# From this many unrelated names on, a domain is somebody's platform or a mistake, not a company.
MANY_NAMES = 4


@dataclass(frozen=True, slots=True)
class Bearer:
    """One name on a domain, and what its rows say beside it."""

    key: str
    rows: int
    plain: frozenset[str] = frozenset()  # the names with their legal forms
    aliases: frozenset[str] = frozenset()  # other names the data states, as keys
    places: frozenset[tuple[str, str]] = frozenset()  # (country, city)
    product: bool = False  # every row says that it is a product, not a company

    def spoken(self) -> Iterator[str]:
        yield self.key
        yield from sorted(self.aliases)
        for name in sorted(self.plain):
            yield from sorted(initials(name))

    def speaks_of(self, domain: str) -> bool:
        """Of the label, or of the domain with its suffix: "ae.studio" is AE Studio's."""
        whole = domain.replace(".", "")
        return any(
            speaks_of(name, label(domain)) or name.replace(" ", "") == whole or is_blend(name, whole)
            for name in (self.key, *self.plain, *self.aliases)
        )


@dataclass(frozen=True, slots=True)
class Split:
    """What became of the names on one domain. ``doubts``: name key -> why it is kept apart."""

    owners: frozenset[str]
    others: frozenset[str] = frozenset()
    reason: str = ""  # "" | "shared_host" | "ambiguous_merge"
    doubts: Mapping[str, str] = field(default_factory=dict)


def split_names(domain: str, bearers: Sequence[Bearer], *, shared: bool = False) -> Split:
    """Decide which names are the company behind the domain.

    ``shared`` says that the host is known to serve everybody, or was split by
    decision; then only a name that spells the label owns it.
    """
    bearers = sorted(bearers, key=lambda b: (-b.rows, b.key))
    clusters = _clusters(bearers)
    if len(clusters) == 1 and not shared:
        return Split(frozenset(b.key for b in bearers))
    if shared or len(clusters) >= MANY_NAMES:
        return _shared(domain, bearers, clusters, known=shared)
    makers = [cluster for cluster in clusters if not all(b.product for b in cluster)]
    if len(makers) <= 1:  # the others are products of whoever has the domain
        return Split(frozenset(b.key for b in bearers))
    owning = [cluster for cluster in clusters if any(b.speaks_of(domain) for b in cluster)]
    if not owning:
        first, second = sorted((sum(b.rows for b in c) for c in clusters), reverse=True)[:2]
        owning = [max(clusters, key=lambda c: sum(b.rows for b in c))] if first >= 2 * second else []
    owners = [b for cluster in owning for b in cluster]
    others = [b for b in bearers if b not in owners]
    if not others:
        return Split(frozenset(b.key for b in owners))
    doubts = {b.key: _doubt(label(domain), b, owners or [o for o in others if o is not b]) for b in others}
    return Split(
        frozenset(b.key for b in owners), frozenset(b.key for b in others), "ambiguous_merge", doubts
    )


def _doubt(word: str, bearer: Bearer, owners: Sequence[Bearer]) -> str:
    """The evidence on either side, for the person who decides."""
    if any(lies_inside_a_word(word, name) for name in (bearer.key, *bearer.plain)):
        return f'"{word}" lies inside a word of the name: probably a wrong domain'
    shared = bearer.places & frozenset(place for owner in owners for place in owner.places)
    if shared:
        place = ", ".join(min(shared))
        return f"unrelated name, but the same place ({place}): perhaps renamed, or one group"
    return "unrelated name, and no place in common"


def _shared(
    domain: str, bearers: Sequence[Bearer], clusters: Sequence[Sequence[Bearer]], *, known: bool
) -> Split:
    """Only a name that spells the label, or a majority of kin that does, owns a domain on many names."""
    squashed = label(domain).replace("-", "")
    owners = {
        b.key
        for b in bearers
        if b.key.replace(" ", "") == squashed or (known and b.key.split()[0] == squashed)
    }
    for cluster in clusters:
        if 2 * len(cluster) > len(bearers) and not known and any(b.speaks_of(domain) for b in cluster):
            owners |= {b.key for b in cluster}
    others = frozenset(b.key for b in bearers) - owners
    why = "a host that serves everybody" if known else f"{len(clusters)} unrelated names on one domain"
    return Split(frozenset(owners), others, "shared_host" if others else "", dict.fromkeys(others, why))


def _clusters(bearers: Sequence[Bearer]) -> list[list[Bearer]]:
    """Names joined through any chain of likeness; an alias stated in the data joins as well as the name
    itself.
    """
    leader = list(range(len(bearers)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    spoken = [tuple(b.spoken()) for b in bearers]
    towns = frozenset(word for b in bearers for _, city in b.places for word in city.lower().split())
    for i, one in enumerate(spoken):
        for j in range(i + 1, len(spoken)):
            if find(i) != find(j) and any(akin(a, b, weak=towns) for a in one for b in spoken[j]):
                leader[find(j)] = find(i)
    groups: dict[int, list[Bearer]] = {}
    for i, bearer in enumerate(bearers):
        groups.setdefault(find(i), []).append(bearer)
    return list(groups.values())
