"""Global Privacy Control: an opt-out of sale and sharing that only ever says yes.

As a header it counts only on keys that browsers hold, and only with the value `1`; a server says
it in `context.gpc`, since the header of its own request is nobody's choice.
"""

from identity.planning.consent.signals.classes import OPT_OUT, Statements


def header_says(value: object) -> bool:
    """Whether the value of a `Sec-GPC` header is the one that counts, `1`."""
    return type(value) in (str, bytes) and value in ("1", b"1")


def statements() -> Statements:
    """What the signal denies."""
    return OPT_OUT
