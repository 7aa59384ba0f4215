"""Finds the type of call that a word stands for, and the route for a word that stands for no call."""

from typing import Final

from identity.values.calls import KINDS
from identity.values.fields.names import bare

_TYPES: Final = {kind[0]: kind for kind in KINDS} | {
    word: kind
    for kind, words in {
        "identify": "identify identity identification user people",
        "track": "track event events custom customevent action",
        "page": "page pageview pageviews pageviewed",
        "screen": "screen screenview screens",
        "group": "group groups groupidentify company account",
        "alias": "alias createalias merge link",
    }.items()
    for word in words.split()
}
"""The type that a word of other vendors, or the letter of a short path, stands for."""
_SLIPS: Final = {
    slip: kind
    for kind in KINDS
    for at in range(len(kind))
    for slip in (kind[:at] + kind[at + 1 :], kind[:at] + kind[at + 1 : at + 2] + kind[at] + kind[at + 2 :])
}
_LONGEST_SLIP: Final = max(map(len, KINDS)) + 1
_REQUESTS: Final = {
    word: sentence
    for words, sentence in (
        ("delete erase erasure forget remove deleteuser gdpr", "A call erases nobody; POST /v1/erasures does."),
        ("suppress suppression optout unsubscribe", "A call suppresses nobody; POST /v1/suppressions does."),
        ("unsuppress lift", "A call lifts no suppression; POST /v1/suppressions/lift does."),
        ("leave ungroup leavegroup", "A call leaves no group; DELETE /v1/groups/{group_id}/members/{ref} does."),
        ("unmerge split unalias unlink", "A call separates nobody; POST /v1/profiles/unmerge does."),
        (
            "consent consents consentupdate optin",
            "Send context.consent in a track call, or POST /v1/consent.",
        ),
        ("hold legalhold", "A call places no hold; POST /v1/holds does."),
        ("batch", 'Send {"batch": [...]} to /v1/batch, with all calls in one list.'),
    )
    for word in words.split()
}
"""What does the work of a word that is no type of call."""


def meant_type(stated: str) -> str | None:
    """The type that a word stands for, also with a slip of the finger (`identfy`)."""
    letters = bare(stated)
    exact = _TYPES.get(letters) or _SLIPS.get(letters)
    if exact is not None or len(letters) > _LONGEST_SLIP:
        return exact
    return next(
        (kind for kind in KINDS for at in range(len(letters)) if letters[:at] + letters[at + 1 :] == kind), None
    )


def other_request(stated: str) -> str | None:
    """What to send in the place of a call with this type; None where the word may stand for a call."""
    return _REQUESTS.get(bare(stated))
