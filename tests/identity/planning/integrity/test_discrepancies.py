"""The discrepancies of an audit: all count, and the first of each kind are shown."""

from identity.planning.integrity.discrepancies import DIFFERENCES, MOST_SHOWN, Discrepancies


def test_every_discrepancy_counts_and_the_first_are_shown() -> None:
    """Discrepancies come in the order of their kinds, with at most MOST_SHOWN examples each."""
    findings = Discrepancies()
    for number in range(MOST_SHOWN + 5):
        findings.add("blocked_linked", str(number))
    findings.add("linked_apart", "here")
    first, last = findings

    assert (first.kind, first.count, first.examples) == ("linked_apart", 1, ["here"])
    assert (last.kind, last.count, len(last.examples)) == ("blocked_linked", MOST_SHOWN + 5, MOST_SHOWN)
    assert [kind for kind in DIFFERENCES if not DIFFERENCES[kind].endswith(".")] == []
