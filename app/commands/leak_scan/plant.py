"""The whole plant: values everywhere a caller can put one, of people who stay and of people to be erased."""

from app.commands.leak_scan.disclosures import plant_disclosures
from app.commands.leak_scan.lookups import plant_lookups
from app.commands.leak_scan.people import plant_merges, plant_person, plant_race
from app.commands.leak_scan.planter import Planter
from app.commands.leak_scan.privacy_requests import plant_regulations, plant_requests
from app.commands.leak_scan.rejected_calls import plant_refused_requests, plant_rejected_calls
from app.commands.leak_scan.rules_and_corrections import plant_block, plant_corrections, plant_removal, plant_rules


def plant_everything(planter: Planter) -> list[str]:
    """Plant every value; returns the identifiers of people who can be erased afterwards."""
    one, other = plant_person(planter), plant_person(planter)
    plant_merges(planter, one, other)
    plant_rejected_calls(planter, other)
    plant_race(planter)
    plant_rules(planter, one)
    plant_corrections(planter, other)
    plant_lookups(planter, one)
    plant_refused_requests(planter)
    person = plant_person(planter)
    blocked = plant_block(planter, person)
    removed = plant_removal(planter)
    planter.must("privacy", "POST", "/v1/profiles/unmerge", {"identifiers": [f"anonymous_id:{person.anonymous}"]})
    plant_disclosures(planter, person)
    plant_requests(planter, person)
    plant_regulations(planter)
    return [
        f"user_id:{person.user}",
        f"email:{person.email}",
        f"anonymous_id:{person.anonymous}",
        f"phone:{person.phone}",
        f"user_id:{blocked}",
        f"user_id:{removed}",
    ]
