"""Turns whole numbers beyond 64 bits into text.

Every digit survives. A client rounds a JSON number beyond 64 bits to a neighbour; text arrives as sent.
"""

from typing import Any, Final

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**64 - 1

# 2^63 has 19 digits, so a shorter run of digits fits. With every digit made a zero, the test is a search for
# bytes, ten times faster than a pattern.
_MANY_DIGITS = b"0" * 19
_ZEROS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_CHUNK_DIGITS = 4_000
_CHUNK = 10**_CHUNK_DIGITS


def has_big_number(raw: bytes) -> bool:
    """Whether a JSON text may hold a whole number that `tame` changes; finds every such number."""
    return _MANY_DIGITS in raw.translate(_ZEROS)


def tame(value: Any) -> Any:
    """The same JSON value with every whole number beyond 64 bits as the text of its decimal digits.

    Changes objects and arrays in place and returns them.
    """
    if not isinstance(value, (dict, list)):
        return _tamed(value)
    waiting: list[dict[str, Any] | list[Any]] = [value]
    while waiting:
        holder = waiting.pop()
        places = holder.items() if isinstance(holder, dict) else enumerate(holder)
        big = []
        for place, item in places:
            if isinstance(item, (dict, list)):
                waiting.append(item)
            elif _tamed(item) is not item:
                big.append((place, _tamed(item)))
        for place, digits in big:
            holder[place] = digits  # type: ignore[index]
    return value


def _tamed(value: object) -> object:
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        return f"-{_digits(-value)}" if value < 0 else _digits(value)
    return value


def _digits(value: int) -> str:
    """The decimal digits of any whole number; `str` refuses a number of more than 4,300 digits."""
    parts = []
    while value >= _CHUNK:
        value, part = divmod(value, _CHUNK)
        parts.append(str(part).zfill(_CHUNK_DIGITS))
    parts.append(str(value))
    return "".join(reversed(parts))
