"""The battery's scenarios: identity cases as data, and their reader.

`scenarios.json` states calls in arrival order and the partition, traits, consent, memberships
and counts they must lead to. The same cases run against the planner in memory and over HTTP.
"""

import copy
import json
import pathlib
from collections.abc import Iterator
from typing import Any

RECEIVED = "2025-07-01T00:00:00Z"
ALL: list[dict[str, Any]] = json.loads(
    (pathlib.Path(__file__).parents[2] / "end_to_end" / "battery" / "scenarios.json").read_text()
)
HELD = ALL


def expand(calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The calls with every `$repeat` written out."""
    for call in calls:
        if "$repeat" in call:
            text = json.dumps(call["call"])
            for i in range(call["$repeat"]):
                yield json.loads(text.replace("{i}", str(i)).replace("{j}", str(i + 1)))
        else:
            yield copy.deepcopy(call)


def partition(wanted: list[Any]) -> list[list[str]]:
    """The expected profiles as sorted lists of identifiers."""
    out = []
    for profile in wanted:
        if isinstance(profile, dict):
            out += [[text.replace("{i}", str(i)) for text in profile["each"]] for i in range(profile["$each"])]
            continue
        ids = []
        for text in profile:
            if isinstance(text, dict):
                ids += [text["tpl"].replace("{i}", str(i)) for i in range(text["n"])]
            else:
                ids.append(text)
        out.append(ids)
    return sorted(sorted(ids) for ids in out)


def tally(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts that a scenario's `stats` are compared with."""
    quiet = ("blocked", "suppressed", "bad_type")
    demoted = [d for o in outcomes for d in o["demoted"] if d["reason"] not in quiet]

    def count(status: str) -> int:
        return sum(o["status"] == status for o in outcomes)

    return {
        "merges": sum(len(o["merged"]) for o in outcomes),
        "duplicate": count("duplicate"),
        "rejected": count("rejected"),
        "dropped": count("suppressed"),
        "unresolved": count("unresolved"),
        "refused_alias": sum(d["reason"] == "alias_both_known" for d in demoted),
        "demoted": sorted(d["identifier"] for d in demoted),
    }


def matching(expect: dict[str, Any], found: list[list[str]]) -> dict[str, Any] | None:
    """The expectation, among those allowed, whose partition is the one found."""
    options = ([expect] if "profiles" in expect else []) + expect.get("one_of", [])
    return next((option for option in options if partition(option["profiles"]) == sorted(found)), None)
