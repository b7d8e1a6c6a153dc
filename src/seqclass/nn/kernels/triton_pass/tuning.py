"""Measures on a card which way to launch the Triton pass is the fastest, and remembers it.

Nothing is measured unasked: compiling all ways takes longer than the notebook's epoch. `python -m benchmarks gpu` asks,
and so can anyone, by `tune`. What is remembered is a small JSON file in the cache; of what it says only a choice that
`all_choices` has is believed.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from seqclass.files import written_whole
from seqclass.locations import cache_root
from seqclass.nn.kernels.triton_pass.choices import Choice, Precision, all_choices, expected_choice

# Of an H100: what a machine without a GPU, where the interpreter runs, is taken for.
_PROCESSORS = 132
_MAX_BYTES = 2**20


def choose(batch: int, hidden_size: int, precision: Precision, device: torch.device) -> Choice:
    """Return the choice that was measured to be the fastest for such a batch on this card, or the expected one."""
    known = _remembered(choices_file()).get(_key(batch, hidden_size, precision, _card(device)))
    by_name = {json.dumps(asdict(choice)): choice for choice in all_choices(hidden_size, precision)}
    measured = by_name.get(json.dumps(known))
    return measured or expected_choice(batch, hidden_size, precision, _processors(device))


def tune(
    run: Callable[[Choice], float], *, batch: int, hidden_size: int, precision: Precision, device: torch.device
) -> dict[Choice, float | str]:
    """Measure every choice, and remember the fastest.

    Args:
        run: measures one choice; any exception says that this choice is none here.
        batch: rows; the result holds for batches up to the next power of two.
        hidden_size: units.
        precision: of the products.
        device: whose result it is.

    Returns:
        What `run` returned for each choice, or the reason why it failed.

    Raises:
        InputError: the result cannot be written.
    """
    results: dict[Choice, float | str] = {}
    for choice in all_choices(hidden_size, precision):
        try:
            results[choice] = run(choice)
        except Exception as error:  # noqa: PERF203  (of the compiler, the driver, or for want of resources)
            results[choice] = f"{type(error).__name__}: {error}"
    times = {choice: result for choice, result in results.items() if not isinstance(result, str)}
    if times:
        file = choices_file()
        best = asdict(min(times, key=lambda choice: times[choice]))
        known = {**_remembered(file), _key(batch, hidden_size, precision, _card(device)): best}
        with written_whole(file) as path:
            path.write_text(json.dumps(known, indent=1), encoding="utf-8")
        _remembered.cache_clear()
    return results


def choices_file() -> Path:
    """Return where measured choices are kept."""
    return cache_root() / "triton-choices.json"


@functools.cache
def _remembered(file: Path) -> dict[str, Any]:
    """Read the file; nothing if it is missing or cannot be read, since all of it can be measured again."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            return {}
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _key(batch: int, hidden_size: int, precision: Precision, card: str) -> str:
    """Name a measurement by the card, the version of the programs and their compiler, and the size of the batch."""
    import triton

    programs = Path(__file__).with_name("programs.py").read_bytes()
    source = hashlib.sha256(programs).hexdigest()[:12]
    up_to = 1 << (batch - 1).bit_length()
    return f"{card}, triton {triton.__version__}, {source}, {precision}, {hidden_size} units, {up_to} rows"


@functools.cache
def _card(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@functools.cache
def _processors(device: torch.device) -> int:
    if device.type != "cuda":
        return _PROCESSORS
    return int(torch.cuda.get_device_properties(device).multi_processor_count)
