"""Decodes the US Privacy string, version 1: four characters, where an opt-out denies and nothing grants."""

import re
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.classes import OPT_OUT, Statements
from identity.values.errors import BadSignal

LONGEST: Final = 64
_STRING: Final = re.compile(r"1[YN-][YN-][YN-]")


class UsPrivacy(Struct, frozen=True):
    """The answers, each `Y`, `N` or `-` (does not apply): notice given, opted out of sale, covered by the agreement."""

    notice: str
    opt_out: str
    covered: str


def decode(text: object) -> UsPrivacy:
    """The string `text`, as `1YNN`, in capital or small letters. Raises BadSignal."""
    if type(text) is not str or len(text) > LONGEST:
        raise BadSignal
    answers = text.strip().upper()
    if not _STRING.fullmatch(answers):
        raise BadSignal
    return UsPrivacy(answers[1], answers[2], answers[3])


def statements(signal: UsPrivacy) -> Statements:
    """Denies on an opt-out of sale; any other string states nothing."""
    return OPT_OUT if signal.opt_out == "Y" else {}
