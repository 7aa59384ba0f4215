"""Reads Global Privacy Control: an opt-out of sale and sharing, without an opposite.

The header counts only with the value `1` and only for keys held by browsers. A server sends `context.gpc`,
since the header of its own request expresses no choice of a person.
"""

from identity.planning.consent.signals.classes import OPT_OUT, Statements


def is_opt_out_header(value: object) -> bool:
    """Whether the value of a `Sec-GPC` header is `1`, the only one that opts out."""
    return type(value) in (str, bytes) and value in ("1", b"1")


def statements() -> Statements:
    """The classes that the signal denies."""
    return OPT_OUT
