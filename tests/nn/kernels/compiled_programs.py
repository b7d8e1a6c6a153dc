"""Compiles the two programs of the Triton pass for a card that need not be there, and prints what became of them.

Run by test_triton_compiled.py in a process of its own, without the interpreter: python compiled_programs.py JSON, a
list of [compute capability, rows, warps, keep, precision, masked, whether integers are 1]. One line of JSON for each
program.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from seqclass.nn.kernels.triton_pass import programs
from seqclass.nn.kernels.triton_pass.choices import Choice, padded_units

HIDDEN = 100
INTEGERS = {"gate_stride", "row_stride", "step_stride", "batch", "steps"}
CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"


def compiled(program, capability, choice, precision, masked, ones):
    constants = {
        "SEQUENCES": True,
        "HARD": masked,
        "MASKED": masked,
        "HIDDEN": HIDDEN,
        "ROWS": choice.rows,
        "UNITS": padded_units(HIDDEN),
        "DOT": choice.dot,
        "KEEP": choice.keep,
        **(dict.fromkeys(INTEGERS, 1) if ones else {}),  # Triton makes constants of those
    }
    constants = {name: value for name, value in constants.items() if name in program.arg_names}
    types = {name: "i32" if name in INTEGERS else "*fp32" for name in program.arg_names}
    types |= {"begins": "*i64", "slope": "fp32", "weight": "*bf16" if precision == "bfloat16" else "*fp32"}
    types |= dict.fromkeys(constants, "constexpr")
    # PyTorch's allocator gives every tensor an address that 16 divides.
    pointers = [number for number, name in enumerate(program.arg_names) if types[name].startswith("*")]
    aligned = {(number,): [["tt.divisibility", 16]] for number in pointers}
    source = ASTSource(fn=program, signature=types, constexprs=constants, attrs=aligned)
    options = {"num_warps": choice.warps, "num_stages": 1}
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)


def spilled_bytes(cubin):
    """The stack of each thread, which the programs use for nothing else."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        usage = subprocess.run([CUOBJDUMP, "--dump-resource-usage", file.name], capture_output=True, text=True)
    return int(re.search(r"STACK:(\d+)", usage.stdout)[1])


for capability, rows, warps, keep, precision, masked, ones in json.loads(sys.argv[1]):
    for program in (programs.forward, programs.backward):
        kernel = compiled(program, capability, Choice(rows, warps, keep), precision, masked, ones)
        facts = {"spilled": spilled_bytes(kernel.asm["cubin"]), "shared": kernel.metadata.shared}
        print(json.dumps({**facts, "name": program.__name__, "ptx": kernel.asm["ptx"]}))
