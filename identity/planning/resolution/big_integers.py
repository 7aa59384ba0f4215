"""Whole numbers too large for other programs: kept to the last digit, as text.

Beyond 64 bits a reader of our answers would round a number to a neighbour. As text every digit
survives, and no reader has to guess.
"""

from typing import Any, Final

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**64 - 1

# 2^63 has 19 digits, so a shorter run of digits cannot need taming. With every digit made a zero,
# looking for a run of them is a search for bytes, ten times faster than a pattern.
_MANY_DIGITS = b"0" * 19
_ZEROS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_CHUNK_DIGITS = 4_000
_CHUNK = 10**_CHUNK_DIGITS


def has_big_number(raw: bytes) -> bool:
    """Whether a JSON text may hold a whole number that `tame` would change. Never misses one."""
    return _MANY_DIGITS in raw.translate(_ZEROS)


def tame(value: Any) -> Any:
    """The same JSON value, its whole numbers beyond 64 bits replaced by their decimal digits.

    Objects and arrays are changed in place and handed back.
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
    """The digits of any whole number; `str` refuses more than 4,300 of them."""
    parts = []
    while value >= _CHUNK:
        value, part = divmod(value, _CHUNK)
        parts.append(str(part).zfill(_CHUNK_DIGITS))
    parts.append(str(value))
    return "".join(reversed(parts))
