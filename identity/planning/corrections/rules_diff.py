"""Compares two partitions of the same calls to show the changes other rules would make."""

from collections import Counter

from msgspec import Struct

from identity.planning.corrections.rebuild import RebuiltProfiles, StoredProfiles
from identity.values.ids import BlindIndex, ProfileId

MOST_KEYS = 10
MOST_PARTS = 5


class Example(Struct):
    """A profile to be split, or profiles to be joined: the parts, each with some of its identifiers."""

    change: str
    profile: ProfileId
    parts: list[list[BlindIndex]]


class RulesDiff(Struct):
    """The number of differences by kind; the diffs of several groups of profiles add up."""

    profiles_before: int = 0
    profiles_after: int = 0
    profiles_split: int = 0
    profiles_joined: int = 0
    identifiers_lost: int = 0
    identifiers_gained: int = 0
    identifiers_demoted: int = 0
    demotions_lifted: int = 0
    calls_unresolved: int = 0
    reasons: dict[str, int] = {}
    examples: list[Example] = []

    def __add__(self, other: "RulesDiff") -> "RulesDiff":
        """The sum of two diffs."""
        names = self.__struct_fields__
        counts = {n: getattr(self, n) + getattr(other, n) for n in names if n not in ("reasons", "examples")}
        reasons = dict(Counter(self.reasons) + Counter(other.reasons))
        return RulesDiff(**counts, reasons=reasons, examples=self.examples + other.examples)


def compare(stored: StoredProfiles, rebuilt: RebuiltProfiles) -> RulesDiff:
    """The differences between stored profiles and the same profiles after a replay."""
    before = {key: stored.profiles[link.origin].root for key, link in stored.links.items()}
    after = {key: rebuilt.profiles[link.origin].root for key, link in rebuilt.links.items()}
    old, new = _parts(before), _parts(after)
    split = {root: pieces for root, keys in old.items() if len(pieces := _pieces(keys, after)) > 1}
    joined = {root: pieces for root, keys in new.items() if len(pieces := _pieces(keys, before)) > 1}
    was = {(stamp, key) for stamp, evidence in stored.evidence.items() for key, _ in evidence.demoted}
    now = {(stamp, key): reason for stamp, evidence in rebuilt.evidence.items() for key, reason in evidence.demoted}
    kept = {(stamp, key) for stamp, evidence in rebuilt.evidence.items() for key in evidence.kept}
    examples = [Example("split", stored.profiles[root].canonical, pieces) for root, pieces in sorted(split.items())]
    examples += [Example("joined", rebuilt.profiles[root].canonical, pieces) for root, pieces in sorted(joined.items())]
    return RulesDiff(
        profiles_before=len(old),
        profiles_after=len(new),
        profiles_split=len(split),
        profiles_joined=len(joined),
        identifiers_lost=len(before.keys() - after.keys()),
        identifiers_gained=len(after.keys() - before.keys()),
        identifiers_demoted=len(now.keys() - was),
        demotions_lifted=len(was & kept),
        calls_unresolved=sum(
            bool(evidence.kept) and not rebuilt.evidence[stamp].kept for stamp, evidence in stored.evidence.items()
        ),
        reasons=dict(Counter(reason for at, reason in now.items() if at not in was)),
        examples=examples,
    )


def _parts(roots: dict[BlindIndex, ProfileId]) -> dict[ProfileId, list[BlindIndex]]:
    found: dict[ProfileId, list[BlindIndex]] = {}
    for key, root in sorted(roots.items()):
        found.setdefault(root, []).append(key)
    return found


def _pieces(keys: list[BlindIndex], roots: dict[BlindIndex, ProfileId]) -> list[list[BlindIndex]]:
    """The keys grouped by their profile in the other partition, at most MOST_KEYS of each."""
    found: dict[ProfileId, list[BlindIndex]] = {}
    for key in keys:
        if key in roots:
            found.setdefault(roots[key], []).append(key)
    return [piece[:MOST_KEYS] for piece in list(found.values())[:MOST_PARTS]]
