"""Attacks 43 to 90 by their numbers: which tests hold each, so that none is forgotten and none only in name.

The numbers are those of the project's list of attacks; 1 to 42 and 108 to 122 stand in the names of tests.
"""

import importlib
from typing import Final

import pytest

VAULT: Final = "tests.identity.vault"
PUSH: Final = "tests.identity.operations.destinations"
ERASE: Final = "tests.identity.operations.privacy.test_erase_person"

ATTACKS: Final[dict[int, tuple[str, ...]]] = {
    # What is sealed
    43: (
        f"{VAULT}.test_seal:test_every_flipped_byte_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attack_43_each_byte",
    ),
    44: (
        f"{VAULT}.test_seal:test_blob_of_another_row_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attacks_44_and_45_somebody_elses",
    ),
    45: (
        f"{VAULT}.test_seal:test_blob_of_another_space_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attacks_44_and_45_somebody_elses",
    ),
    46: (
        f"{VAULT}.test_seal:test_blob_of_another_purpose_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attack_46_another_column",
    ),
    47: (
        f"{VAULT}.test_seal:test_blob_of_an_old_row_version_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attack_47_an_older_version",
    ),
    48: (
        f"{VAULT}.test_seal:test_unknown_header_is_refused_even_if_authentic",
        "tests.end_to_end.attacks.test_stored:test_attacks_48_and_49_no_form",
    ),
    49: (
        f"{VAULT}.test_seal:test_every_truncation_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attacks_48_and_49_no_form",
    ),
    50: (
        f"{VAULT}.test_seal:test_blob_with_another_key_id_is_refused",
        f"{VAULT}.test_seal:test_blob_of_another_key_is_refused",
        "tests.end_to_end.attacks.test_stored:test_attack_50_the_key_of_another",
    ),
    51: (f"{VAULT}.test_commitment:test_blob_that_two_keys_open_is_refused_by_the_commitment",),
    52: (f"{VAULT}.test_seal:test_no_nonce_is_used_twice", f"{VAULT}.test_seal:test_repeated_nonce_is_detected"),
    # Keys. The key store stands for every root and store there is; where one is far away it is this that fails.
    53: (
        f"{VAULT}.test_epoch_key_store:test_store_of_another_root_is_refused",
        "tests.end_to_end.attacks.test_keys:test_attacks_on_keys",
    ),
    54: (
        f"{VAULT}.test_root_keys:test_unusable_root_key_is_refused",
        "tests.end_to_end.attacks.test_keys:test_attacks_on_keys",
    ),
    55: ("tests.end_to_end.attacks.test_keys:test_attacks_on_keys",),
    56: ("tests.end_to_end.attacks.test_keys:test_attacks_on_keys", "tests.app.routes.test_health:test_keys_away"),
    57: (
        f"{VAULT}.test_epoch_key_store:test_store_that_went_away_is_not_taken_for_destroyed",
        "tests.end_to_end.attacks.test_keys:test_attacks_on_keys",
    ),
    58: ("tests.end_to_end.attacks.test_keys:test_attacks_on_keys",),
    59: (
        "tests.end_to_end.privacy.test_roll:test_dies_between_two_steps",
        f"{VAULT}.test_crashes:test_epoch_killed_while_destroyed_can_be_destroyed",
        "tests.identity.operations.keys.test_roll_epoch_keys:test_a_roll_that_was_cut_short",
    ),
    60: (
        "tests.end_to_end.privacy.test_roll:test_two_at_once",
        f"{VAULT}.test_keyring:test_minting_an_epoch_again_keeps_its_key",
    ),
    63: (
        f"{VAULT}.test_secret:test_text_of_a_holder_names_its_type_only",
        f"{VAULT}.test_secret:test_traceback_of_a_broken_seal_holds_no_key",
        "tests.end_to_end.attacks.test_keys:test_attacks_on_keys",
    ),
    64: (
        "tests.identity.values.test_stamps:test_stamps_exceed_all_before",
        "tests.end_to_end.attacks.test_keys:test_attacks_on_keys",
    ),
    # Deletion
    65: ("tests.app.routes.test_erasures:test_unknown_looks_the_same",),
    66: (
        "tests.app.routes.test_erasures:test_the_same_request",
        "tests.end_to_end.attacks.test_deletion:test_attack_66_the_same_person_twice",
    ),
    67: ("tests.app.routes.test_erasures:test_refused_whole",),
    68: (
        "tests.app.routes.test_erasures:test_of_another_space",
        "tests.app.routes.segment.test_regulations:test_of_another_space",
    ),
    69: (
        "tests.end_to_end.attacks.test_deletion:test_attack_69_erased_while_calls_come_in",
        "tests.concurrency.properties.test_erase_races:test_fifty_erasures_among_eight_writers",
    ),
    70: (
        "tests.end_to_end.attacks.test_deletion:test_attack_70_erased_while_they_merge",
        "tests.concurrency.properties.test_erase_races:test_storm_of_acts",
        f"{ERASE}:test_one_of_two_who_were_merged",
    ),
    71: ("tests.end_to_end.attacks.test_deletion:test_attacks_71_and_72_deleted_only", f"{ERASE}:test_deleted_only"),
    72: ("tests.end_to_end.attacks.test_deletion:test_attacks_71_and_72_deleted_only", f"{ERASE}:test_deleted_only"),
    73: ("tests.end_to_end.attacks.test_deletion:test_attacks_73_and_74_suppressed",),
    74: ("tests.end_to_end.attacks.test_deletion:test_attacks_73_and_74_suppressed", f"{ERASE}:test_lifted"),
    75: ("tests.end_to_end.attacks.test_deletion:test_attack_75_too_late_to_cancel",),
    76: (f"{ERASE}:test_held", "tests.app.routes.test_erasures:test_holds"),
    77: (
        "tests.end_to_end.privacy.test_backup:test_a_restore_serves_who_was_not_erased",
        "tests.end_to_end.privacy.test_journal:test_an_older_database_is_quarantined",
        "tests.end_to_end.privacy.test_retold:test_as_it_was_answered",
    ),
    78: ("tests.end_to_end.privacy.test_journal:test_what_contradicts_itself_is_refused",),
    79: (
        "tests.end_to_end.privacy.test_journal:test_what_contradicts_itself_is_refused",
        "tests.identity.operations.integrity.test_verify_space:test_damage",
    ),
    # Destinations that fail, lie or lead inside
    80: (f"{PUSH}.test_push_changes:test_a_week_of_500",),
    81: (f"{PUSH}.test_push_changes:test_taken_is_not_done",),
    82: ("tests.app.routes.test_callbacks:test_signed_acknowledgement",),
    83: ("tests.app.routes.test_callbacks:test_signed_acknowledgement",),
    84: (
        f"{PUSH}.test_monitor_destinations:test_led_inside",
        f"{PUSH}.test_monitor_destinations:test_led_inside_later",
        "tests.app.routes.test_callbacks:test_bad_callback",
    ),
    # Doors, proofs, exports, clocks
    85: (
        "tests.app.routes.test_opendsr:test_refused",
        "tests.app.routes.test_opendsr:test_erased",
        "tests.app.routes.test_opendsr:test_discovery",
    ),
    86: (
        "tests.end_to_end.attacks.test_deletion:test_attack_86_a_receipt_that_was_altered",
        "tests.end_to_end.privacy.test_receipts:test_verifies_offline",
        "tests.end_to_end.privacy.test_receipts:test_no_floats",
    ),
    87: (
        "tests.end_to_end.attacks.test_deletion:test_attack_87_a_key_twice",
        "tests.end_to_end.leaks.test_leaks:test_nothing_on_disk",
        "tests.end_to_end.leaks.test_leaks:test_nothing_in_refusals",
    ),
    88: (
        "tests.app.routes.test_access_exports:test_a_table",
        "tests.identity.planning.privacy.test_access_export:test_harmless",
    ),
    89: (
        "tests.app.routes.test_access_exports:test_once",
        "tests.app.routes.test_access_exports:test_of_another_space",
        "tests.identity.operations.privacy.test_export_person:test_too_old",
    ),
    90: (
        "tests.identity.planning.privacy.test_deadlines:test_due",
        "tests.app.routes.test_erasures:test_extended_once",
        "tests.identity.operations.privacy.test_deadline_monitor:test_under_a_hold",
    ),
}

# Nothing to attack: there is no rotation of index keys, and no second subject key at 2^24 writes.
NOT_BUILT: Final = {61, 62}


def test_every_number() -> None:
    """No number from 43 to 90 is without a test or a reason."""
    assert ATTACKS.keys() | NOT_BUILT == set(range(43, 91))
    assert not ATTACKS.keys() & NOT_BUILT


@pytest.mark.parametrize("number", sorted(ATTACKS))
def test_its_tests_are_there(number: int) -> None:
    """Every test that is named exists, is collected, and says what it claims."""
    assert ATTACKS[number]
    for named in ATTACKS[number]:
        module, _, function = named.partition(":")
        test = getattr(importlib.import_module(module), function)
        assert function.startswith("test_"), named
        assert test.__doc__, named
        marks = {mark.name for mark in getattr(test, "pytestmark", ())}
        assert not marks & {"skip", "soak", "xfail"}, named
