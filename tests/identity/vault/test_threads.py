"""Work on key store and journal waits for no analysis."""

import threading

from identity.vault.threads import ANALYSIS, in_analysis, in_key_store


async def test_the_key_store_is_read_while_every_thread_of_analyses_is_taken() -> None:
    """Pictures and simulations wait for each other alone."""
    go = threading.Event()
    waiting = [ANALYSIS.submit(go.wait, 30) for _ in range(20)]
    try:
        assert await in_key_store(lambda given: given, "read") == "read"
        assert not any(each.done() for each in waiting)
    finally:
        go.set()
    assert await in_analysis(lambda given: given, "drawn") == "drawn"
