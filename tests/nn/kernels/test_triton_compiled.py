"""The programs of the Triton pass, compiled for cards from A100 to B200 without any of them: what a GPU would run."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

triton = pytest.importorskip("triton", reason="triton is not installed")
if not hasattr(triton.language, "cast"):
    pytest.skip("lacks Triton 3.0", allow_module_level=True)

from seqclass.nn.kernels.triton_pass.choices import Choice, all_choices, expected_choice  # noqa: E402

CAPABILITIES = (80, 89, 90, 100)
SHARED_BYTES = {80: 163 * 2**10, 89: 99 * 2**10, 90: 227 * 2**10, 100: 227 * 2**10}
"""What a block may have (CUDA's programming guide, "Technical specifications per compute capability")."""

WRITTEN = {"forward": ("gates", "cells", "states"), "backward": ("d_projected",)}
ARGUMENTS = {  # of the compiled programs: constants are gone
    "forward": (
        *("projected", "gate_stride", "row_stride", "step_stride"),
        *("weight", "masks", "begins", "gates", "cells", "states"),
    ),
    "backward": ("gates", "cells", "weight", "masks", "begins", "d_states", "d_projected"),
}
EXPECTED = [
    (expected_choice(batch, 100, precision, 132), precision)
    for precision in ("float32", "bfloat16")
    for batch in (64, 250, 1000)
]


def compile_all(cases):
    """(spilled, shared, name, ptx) of both programs for each (capability, choice, precision, masked, ones)."""
    wanted = [[c, choice.rows, choice.warps, choice.keep, *rest] for c, choice, *rest in cases]
    script = Path(__file__).with_name("compiled_programs.py")
    result = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), json.dumps(wanted)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TRITON_INTERPRET": "0"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    facts = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(facts) == 2 * len(cases)
    return [tuple(facts[number : number + 2]) for number in range(0, len(facts), 2)]


@pytest.fixture(scope="module")
def on_every_card():
    """The programs of the expected choices, with gate dropout and hard sigmoids, which need the most registers: all of
    them for sm_90, the fewest and the most rows for the others."""
    cases = [(90, choice, precision, True, False) for choice, precision in dict.fromkeys(EXPECTED)]
    often = [(Choice(1, 8), "float32"), (Choice(16, 16), "bfloat16")]
    cases += [(c, choice, precision, True, False) for c in CAPABILITIES for choice, precision in often if c != 90]
    # Of a single row and step: Triton makes constants of integers that are 1.
    *results, _ = compile_all([*cases, (90, Choice(1, 8), "float32", True, True)])
    return dict(zip(((c, choice, precision) for c, choice, precision, *_ in cases), results, strict=True))


def test_the_expected_choices_are_those_that_are_compiled_here():
    assert [(choice.rows, choice.warps) for choice, _ in EXPECTED] == [(1, 8), (2, 8), (4, 8), (1, 8), (2, 8), (16, 16)]
    assert all(choice in all_choices(100, precision) for choice, precision in EXPECTED)


def test_registers_hold_everything(on_every_card):
    """With 1 and 2 rows nothing is spilled; 4 rows spill up to 55 numbers a thread, tensor cores up to 8."""
    allowed = {1: 0, 2: 0, 4: 220, 16: 32}
    spilled = {key: [facts["spilled"] for facts in both] for key, both in on_every_card.items()}
    assert {key: found for key, found in spilled.items() if max(found) > allowed[key[1].rows]} == {}


def test_shared_memory_holds_what_is_exchanged(on_every_card):
    for (capability, *_), both in on_every_card.items():
        assert all(facts["shared"] <= SHARED_BYTES[capability] for facts in both)


def test_no_program_reads_memory_that_it_writes(on_every_card):
    """What one thread writes there and another reads would need barriers that the compiler does not see."""
    for both in on_every_card.values():
        for facts in both:
            sources = address_sources(facts["ptx"], ARGUMENTS[facts["name"]])
            loads = {name for line, names in sources if "ld.global" in line for name in names}
            stores = {name for line, names in sources if "st.global" in line for name in names}
            assert stores == set(WRITTEN[facts["name"]])
            assert loads, "nothing read: the addresses were not followed"
            assert not loads & stores


def test_a_barrier_lies_between_the_write_of_a_state_and_its_read(on_every_card):
    """In the loop over steps, whose end is followed by its beginning, what one thread leaves for another in shared
    memory is read behind a barrier."""
    for both in on_every_card.values():
        for facts in both:
            loop = loop_of(facts["ptx"])
            assert not unguarded(2 * loop)
            barriers = [number for number, line in enumerate(loop) if "bar.sync" in line]
            assert any(unguarded(loop[:number] + loop[number + 1 :]) for number in barriers), "no barrier is missed"


@pytest.mark.slow
def test_the_other_choices_compile_too():
    cases = [(90, choice, precision, False, False) for precision in ("float32", "bfloat16")
             for choice in all_choices(100, precision) if (choice, precision) not in EXPECTED]  # fmt: skip
    for (_, choice, *_), both in zip(cases, compile_all(cases), strict=True):
        # The one that keeps its weights needs more shared memory than sm_89 has, and is no expected choice.
        assert all(facts["shared"] <= SHARED_BYTES[90] for facts in both)
        assert all(("mma.sync" in facts["ptx"]) == choice.dot for facts in both)


def address_sources(ptx, arguments):
    """Each global load and store, with the arguments from which its address is computed.

    A register takes over the sources of the registers that it is computed from; PTX has one assignment to each register
    but for those of loops, so that the second time through finds what goes round.
    """
    sources: dict[str, frozenset] = {}
    found = []
    lines = [line.strip() for line in ptx.splitlines()]
    for _ in range(2):
        found = []
        for line in lines:
            registers = re.findall(r"%rd\d+", line)
            if match := re.search(r"ld\.param\.b64\s+(%rd\d+), \[\w+_param_(\d+)\]", line):
                number = int(match[2])
                sources[match[1]] = frozenset(arguments[number : number + 1])
            elif "ld.global" in line or "st.global" in line:
                address = re.search(r"\[\s*(%rd\d+)", line)[1]
                found.append((line, sources.get(address, frozenset())))
            elif registers and not line.startswith((".", "//", "ld.")):
                read = frozenset().union(*(sources.get(register, frozenset()) for register in registers[1:]))
                sources[registers[0]] = sources.get(registers[0], frozenset()) | read
    return found


def loop_of(ptx):
    """The lines of the longest loop: from a label to the last branch back to it."""
    lines = [line.strip() for line in ptx.splitlines()]
    labels = {match[1]: number for number, line in enumerate(lines) if (match := re.match(r"(\$L__BB\w+):", line))}
    loops = []
    for number, line in enumerate(lines):
        match = re.search(r"\bbra(?:\.uni)?\s+(\$L__BB\w+)", line)
        if match and labels.get(match[1], number) < number:
            loops.append(lines[labels[match[1]] : number])
    return max(loops, key=len)


def shared_events(lines):
    """What happens to shared memory, in order: "write", "read", "barrier", or "update".

    An update is what a sum over warps does: a thread reads a number, adds up with its neighbours by shuffles, and
    writes the sum where it has read. No other thread reads there before the next barrier.
    """
    events = []  # kind, address
    for line in lines:
        address = re.search(r"\[\s*(%r\d+(?: \+ \d+)?)", line)
        if "st.shared" in line:
            earlier = next((n for n in reversed(range(len(events))) if events[n][0] == "barrier"), -1)
            place = ("read", address[1])
            if place in events[earlier + 1 :]:
                events[events.index(place, earlier + 1)] = ("update", address[1])
                events.append(("update", address[1]))
            else:
                events.append(("write", address[1]))
        elif "ld.shared" in line or "ldmatrix" in line:
            events.append(("read", address[1]))
        elif "bar.sync" in line or "barrier.sync" in line:
            events.append(("barrier", None))
    return [kind for kind, _ in events]


def unguarded(lines):
    """The neighbours among the events of shared memory that need a barrier between them."""
    events = shared_events(lines)
    assert {"write", "read", "barrier"} <= set(events)
    pairs = set(pairwise(events))
    return pairs & {("write", "read"), ("write", "update"), ("update", "read")}
