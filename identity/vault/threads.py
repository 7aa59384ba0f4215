"""The threads of work that blocks: some for key store and journal, others for analyses of graphs.

An erasure needs key store and journal. Pictures and simulations take seconds of processor, and in the same threads an
erasure of another space would wait for all of them.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

Result = TypeVar("Result")

KEY_STORE: Final = ThreadPoolExecutor(8, "key-store")
ANALYSIS: Final = ThreadPoolExecutor(2, "analysis")


async def in_key_store(work: Callable[..., Result], *args: object) -> Result:
    """Do work on the files of key store or journal in a thread of theirs."""
    return await _run(KEY_STORE, work, *args)


async def in_analysis(work: Callable[..., Result], *args: object) -> Result:
    """Do work that takes processor time for long in a thread for such work."""
    return await _run(ANALYSIS, work, *args)


async def _run(threads: Executor, work: Callable[..., Result], *args: object) -> Result:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, partial(context.run, work, *args))
