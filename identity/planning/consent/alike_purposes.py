"""Refuses ids of purposes that look alike to a reader, or that stand for another thing than they show.

Invariant: two ids of one document are apart for every reader. So a grant of one is never taken for a grant of the
other. Only a new document is checked; a stored one is read on.
"""

import re
import unicodedata
from typing import Final

from identity.planning.consent.purposes import Purposes
from identity.values.errors import BadPurposes
from identity.values.plain_text import is_visible

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Two ids that differ in these characters alone look like one id.
_JOINTS: Final = re.compile(r"[\s_-]+")
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
"""The scripts whose letters look alike. Other scripts stand beside Latin letters in honest texts."""
# Letters of Cyrillic and Greek, capitals and small ones, that look like a letter of Latin.
_FOREIGN: Final = (
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u051a\u051c"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0430\u0435\u043a\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d\u0475\u04cf"
    "\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7\u03f2\u03f3"
)
_LATIN: Final = "ABESIJKMHOPCTYXQWABEZHIKMNOPTYXaekopcyxsijhdqwvlayikvopuxcj"
_SKELETON: Final = str.maketrans(_FOREIGN, _LATIN)


def require_distinct_ids(purposes: Purposes) -> None:
    """Refuse a new document with ids that look alike to a reader. BadPurposes."""
    seen: dict[str, int] = {}
    shapes: dict[str, int] = {}
    for index, id_ in enumerate(purposes.purposes):
        where = f"purposes[{index}].id"
        _require_plain(where, id_)
        alike = _joined(id_)
        if alike in seen:
            raise BadPurposes(
                f"{where} differs from purposes[{seen[alike]}].id only in capitals, blanks, hyphens, underscores or the"
                " form of its letters; keep one of the two, or choose another id."
            )
        shape = _joined(in_latin(id_))
        if shape in shapes:
            raise BadPurposes(
                f"{where} looks like purposes[{shapes[shape]}].id and has letters of another script; keep one of the"
                " two, or choose another id."
            )
        seen[alike] = shapes[shape] = index


def in_latin(text: str) -> str:
    """A text with letters of Latin in the place of those that look like them."""
    return unicodedata.normalize("NFKC", text.translate(_SKELETON)).translate(_SKELETON)


def _require_plain(where: str, id_: str) -> None:
    if id_ != id_.strip():
        raise BadPurposes(f"{where} must not begin or end with a blank.")
    if any(unicodedata.category(c) in _UNSEEN for c in id_) or not is_visible(id_):
        raise BadPurposes(f"{where} holds an invisible character, such as a zero-width space; remove it.")
    if "*" in id_:
        raise BadPurposes(f"{where} holds a *, and a purpose has no pattern; name each purpose by an id of its own.")
    scripts = sorted({script.title() for script in map(_script, id_) if script is not None})
    if len(scripts) > 1:
        raise BadPurposes(
            f"{where} mixes letters of {' and '.join(scripts)}, which look alike; write the id in one script."
        )


def _script(character: str) -> str | None:
    script = unicodedata.name(character, "").partition(" ")[0]
    return script if script in _SCRIPTS and character.isalpha() else None


def _joined(id_: str) -> str:
    return _JOINTS.sub("", unicodedata.normalize("NFKC", id_).casefold()) or id_
