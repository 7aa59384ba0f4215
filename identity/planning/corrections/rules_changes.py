"""Changes of a rules document: a patch of some of its fields, and what a whole document sets back to a default."""

from collections.abc import Mapping

from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules
from identity.values.errors import BadRules
from identity.values.json import JsonObject
from identity.values.placeholders.placeholder_groups import shown_placeholders

BY_TYPE = ("limits", "blocked", "public", "survivorship")


def patched(rules: Rules, patch: object) -> JsonObject:
    """The document of these rules with the fields of a patch. Raises BadRules for a patch that is no object.

    A patch of `limits`, `blocked` or `public` changes the types that it names, one of `survivorship` the traits. Null
    restores the default of a field, a type or a trait.
    """
    if not isinstance(patch, Mapping):
        raise BadRules('A change of the rules must be an object with the fields to change, such as {"region": "DE"}.')
    document: JsonObject = {**rules.document(), **patch}
    defaults = DEFAULT_RULES.document()
    for field in BY_TYPE:
        given = patch.get(field)
        if not isinstance(given, Mapping):
            continue
        by_type = {**rules.document()[field], **given}
        for type_, value in given.items():
            if value is None:
                by_type.pop(type_, None)
                if type_ in defaults[field]:
                    by_type[type_] = defaults[field][type_]
        document[field] = by_type
    # A default limit applies to built-in types too unless the document names them.
    if "limits" in patch and patch["limits"] is None:
        document["limits"] = defaults["limits"]
    return document


def require_shown(document: object, version: int) -> None:
    """Refuse what no document changes, unless GET shows it or has shown it; `version` is the one in force.

    An answer can be sent back, and sent again after a lost answer, so an earlier version is no fault. BadRules.
    """
    if not isinstance(document, Mapping):
        return
    placeholders, stated = document.get("placeholders"), document.get("version")
    if placeholders is not None and placeholders != shown_placeholders():
        raise BadRules(
            "`placeholders` is the same in every space and cannot be changed. Leave the field out, or send it as GET"
            " shows it; add patterns of your own to `blocked`."
        )
    if stated is not None and (not isinstance(stated, int) or isinstance(stated, bool) or not 0 <= stated <= version):
        raise BadRules(
            f"`version` is counted by the server, now at {version}, and cannot be set. Leave the field out, or send it"
            " as GET shows it."
        )


def reset_fields(before: Rules, given: Mapping[str, object], after: Rules) -> list[str]:
    """The fields, as `field` or `field.type`, that a document does not name and that change by that."""
    old, new = before.document(), after.document()
    reset = []
    for field in old:
        named = given.get(field)
        if named is None:
            reset += [field] if old[field] != new[field] else []
        elif field in BY_TYPE and isinstance(named, Mapping):
            types = [type_ for type_ in {**old[field], **new[field]} if type_ not in named]
            reset += [f"{field}.{type_}" for type_ in types if old[field].get(type_) != new[field].get(type_)]
    return reset
