"""One domain, several names: which of them are its owner, and which only borrow it.

Works on name keys and counts of one domain at a time. Must not touch rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiences.companies_names import akin, speaks_of

# From this many unrelated names on, a domain is somebody's platform or a mistake, not a company.
MANY_NAMES = 4


@dataclass(frozen=True, slots=True)
class Split:
    """What became of the names on one domain."""

    owners: frozenset[str]  # name keys that are the company of this domain
    others: frozenset[str]  # name keys that are not, or not surely
    reason: str  # "" | "shared_host" | "ambiguous_merge"
    evidence: str


def split_names(
    label: str,
    counts: Mapping[str, int],
    *,
    aliases: Mapping[str, Sequence[str]] | None = None,
    shared: bool = False,
) -> Split:
    """Decide which of ``counts`` (name key -> rows) is the company behind the domain with this label.

    ``shared`` says that the host is known to serve everybody; then only a name that spells the label owns it.
    """
    keys = sorted(counts, key=lambda key: (-counts[key], key))
    clusters = [] if shared else _clusters(keys, aliases or {})
    if len(clusters) == 1:
        return Split(frozenset(keys), frozenset(), "", "")
    speaking = frozenset(key for key in keys if speaks_of(key, label))
    if shared or len(clusters) >= MANY_NAMES:
        return _shared(label, keys, clusters, speaking, known=shared)
    owners = {key for cluster in clusters if cluster & speaking for key in cluster}
    if not owners:
        sizes = sorted((sum(counts[key] for key in cluster) for cluster in clusters), reverse=True)
        biggest = max(clusters, key=lambda cluster: (sum(counts[key] for key in cluster), sorted(cluster)))
        owners = set(biggest) if sizes[0] >= 2 * sizes[1] else set()
    others = frozenset(keys) - owners
    if not others:
        return Split(frozenset(owners), others, "", "")
    return Split(
        frozenset(owners), others, "ambiguous_merge", f"{len(clusters)} unrelated names on one domain"
    )


def _shared(
    label: str,
    keys: Sequence[str],
    clusters: Sequence[frozenset[str]],
    speaking: frozenset[str],
    *,
    known: bool,
) -> Split:
    """Only a name that spells the label is the owner of a domain on many names; being akin to it is not enough."""
    exact = frozenset(key for key in speaking if key.replace(" ", "") == label or key.split()[0] == label)
    kin = {
        key for cluster in clusters if cluster & speaking and 2 * len(cluster) > len(keys) for key in cluster
    }
    owners = exact | frozenset(kin)
    many = "a host known to serve everybody" if known else f"{len(clusters)} unrelated names on one domain"
    return Split(owners, frozenset(keys) - owners, "shared_host", many)


def _clusters(keys: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """Names joined through any chain of likeness; an alias stated in the data joins as well as the name itself."""
    leader = {key: key for key in keys}

    def find(key: str) -> str:
        while leader[key] != key:
            key = leader[key]
        return key

    for at, one in enumerate(keys):
        spoken = (one, *aliases.get(one, ()))
        for other in keys[at + 1 :]:
            if find(one) == find(other):
                continue
            heard = (other, *aliases.get(other, ()))
            if any(akin(a, b).akin for a in spoken for b in heard):
                leader[find(other)] = find(one)
    groups: dict[str, set[str]] = {}
    for key in keys:
        groups.setdefault(find(key), set()).add(key)
    return [frozenset(group) for group in groups.values()]
