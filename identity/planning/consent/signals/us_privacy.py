"""The US Privacy string, version 1: four characters, of which an opt-out denies and nothing grants."""

import re
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.classes import OPT_OUT, Statements
from identity.values.errors import BadSignal

_STRING: Final = re.compile(r"1[YN-][YN-][YN-]")


class UsPrivacy(Struct, frozen=True):
    """Each of `Y`, `N` or `-` (does not apply): notice was given, opted out of sale, covered by the agreement."""

    notice: str
    opt_out: str
    covered: str


def decode(text: object) -> UsPrivacy:
    """The string `text`, in capitals, as `1YNN`. BadSignal."""
    if type(text) is not str or not _STRING.fullmatch(text):
        raise BadSignal
    return UsPrivacy(text[1], text[2], text[3])


def statements(told: UsPrivacy) -> Statements:
    """An opt-out of sale; anything else is no statement."""
    return OPT_OUT if told.opt_out == "Y" else {}
