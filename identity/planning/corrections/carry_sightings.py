"""Carries the counts of sightings over a rebuild, which replays evidence and no plain call.

A sighting with the same evidence as before stays as it is, so a rebuild that changes nothing writes nothing: of the
same calls without the plain ones between them, a replay may count more days.
"""

from collections.abc import Mapping

from identity.planning.resolution.planner_state import Sighting, Sightings
from identity.planning.resolution.working_set import MAX_SOURCES
from identity.values.ids import ProfileId, SetKey
from identity.values.stamps import Stamp

SightingPlace = tuple[ProfileId, SetKey]


def carry_sightings(
    stored: Sightings,
    replayed: Sightings,
    before: Mapping[Stamp, SightingPlace],
    after: Mapping[Stamp, SightingPlace],
) -> Sightings:
    """The replayed sightings, plus what the stored ones count of plain calls.

    `before` has the place of each piece of evidence as stored, `after` the place of each that the replay records. The
    counts of a stored sighting go to the place of the last of its evidence.
    """
    sightings = dict(replayed)
    stamps_before, stamps_after = _by_place(before), _by_place(after)
    for at, seen in stored.items():
        stamps = stamps_before.get(at, set())
        to = next((after[stamp] for stamp in sorted(stamps, reverse=True) if stamp in after), None)
        now = None if to is None else sightings.get(to)
        if to is None or now is None:
            continue
        sightings[to] = seen if stamps_after[to] == stamps else _sum(now, seen, len(stamps))
    return sightings


def _by_place(places: Mapping[Stamp, SightingPlace]) -> dict[SightingPlace, set[Stamp]]:
    """The evidence of each sighting."""
    stamps: dict[SightingPlace, set[Stamp]] = {}
    for stamp, place in places.items():
        stamps.setdefault(place, set()).add(stamp)
    return stamps


def _sum(now: Sighting, seen: Sighting, evidence: int) -> Sighting:
    """A replayed sighting with the plain calls of a stored one, which counts `evidence` calls that are replayed."""
    more = tuple(source for source in now.sources if source not in seen.sources)
    return Sighting(
        seen=now.seen + seen.seen - evidence,
        days=max(now.days, seen.days),
        last_day=max(now.last_day, seen.last_day),
        first_seen=min(now.first_seen, seen.first_seen),
        last_seen=max(now.last_seen, seen.last_seen),
        sources=tuple(sorted((*seen.sources, *more)[:MAX_SOURCES])),
    )
