"""Random values by name, each planted in one kind of place, so that a value that is found names the place.

A value is made of letters and digits, which every format carries as they are. Names are the kinds of places; a
kind that is planted again gets a number.
"""

import secrets
import string
from typing import Final

_MIXED: Final = string.ascii_letters + string.digits
_SMALL: Final = string.ascii_lowercase + string.digits
_LENGTH: Final = 24


class PlantedValues:
    """The values by name, and the identifiers of which no unkeyed hash may exist anywhere either."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}
        self.hashed: set[str] = set()

    def new(self, kind: str, *, small: bool = False, hashed: bool = False) -> str:
        """A fresh value of 24 letters and digits; `small` where the server takes no capitals."""
        letters = _SMALL if small else _MIXED
        value = "z" + "".join(secrets.choice(letters) for _ in range(_LENGTH - 1))
        self._keep(kind, value)
        if hashed:
            self.hash(value)
        return value

    def phone(self) -> str:
        """A fresh and valid phone number."""
        number = "49151" + "".join(secrets.choice("123456789") for _ in range(8))
        self._keep("phone", number)
        self.hashed |= {number, "+" + number}
        return "+" + number

    def ip(self) -> str:
        """A fresh IPv6 address; its parts alone are too short to mean anything, so the whole is sought."""
        parts = ["".join(secrets.choice("23456789") for _ in range(4)) for _ in range(2)]
        address = f"2001:db8:{secrets.token_hex(2)}::{parts[0]}:{parts[1]}"
        self._keep("ip", address)
        return address

    def hash(self, identifier: str) -> None:
        """Search for the unkeyed hashes of an identifier, as it was sent and as it is normalised."""
        self.hashed |= {identifier, identifier.lower()}

    def _keep(self, kind: str, value: str) -> None:
        number = 1
        name = kind
        while name in self.by_name:
            number += 1
            name = f"{kind} {number}"
        self.by_name[name] = value
