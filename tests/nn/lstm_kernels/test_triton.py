"""The Triton pass on a GPU, or else in Triton's interpreter, and compiled for a GPU that need not be there."""

import os
import subprocess
import sys
import textwrap

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lstm_cases import random_case

from seqclass.nn import RECURRENT_ACTIVATIONS
from seqclass.nn.lstm_kernels import LSTMArguments, run_lstm
from seqclass.nn.lstm_kernels.triton_pass import triton_refusal

triton = pytest.importorskip("triton", reason="triton is not installed")
OLD = not hasattr(triton.language, "cast")
needs_its_language = pytest.mark.skipif(OLD, reason="lacks Triton 3.0")


# Without a GPU, tests/conftest.py has turned the interpreter on.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def assert_as_reference(case):
    case.assert_equals(case.solve("reference"), "triton", device=DEVICE)


@needs_its_language
@settings(deadline=None, max_examples=12, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    batch=st.integers(1, 18),
    steps=st.integers(1, 5),
    input_size=st.integers(1, 6),
    hidden_size=st.integers(1, 35),
    activation=st.sampled_from(RECURRENT_ACTIVATIONS),
    mode=st.sampled_from(["none", "shared", "masked"]),
    input_dropout=st.booleans(),
    recurrent_dropout=st.booleans(),
    return_sequences=st.booleans(),
)
def test_equal_to_the_reference_whatever_the_shape(mode, input_dropout, recurrent_dropout, **shape):
    drops = mode != "shared"
    assert_as_reference(
        random_case(
            mode=mode, input_dropout=drops and input_dropout, recurrent_dropout=drops and recurrent_dropout, **shape
        )
    )


@needs_its_language
@pytest.mark.parametrize("return_sequences", [False, True])
def test_the_notebooks_size(return_sequences):
    assert_as_reference(
        random_case(
            batch=17,
            steps=2,
            input_size=32,
            hidden_size=100,
            input_dropout=True,
            recurrent_dropout=True,
            return_sequences=return_sequences,
        )
    )


@needs_its_language
@pytest.mark.parametrize("shape", [(3, 0, 2), (0, 30, 2)])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_without_steps_or_rows(shape, return_sequences):
    tensors = (torch.zeros(shape), torch.ones(8, 2), torch.ones(8, 2), torch.ones(8))
    arguments = LSTMArguments(*(tensor.to(DEVICE) for tensor in tensors), return_sequences=return_sequences)
    assert torch.equal(run_lstm(arguments, "triton").cpu(), torch.zeros(*shape[: 1 + return_sequences], 2))


def some_arguments(hidden_size=2, dtype=torch.float32):
    gates = 4 * hidden_size
    shapes = (1, 3, 2), (gates, 2), (gates, hidden_size), (gates,)
    return LSTMArguments(*(torch.ones(shape, dtype=dtype) for shape in shapes))


@needs_its_language
@pytest.mark.parametrize(
    ("interpret", "arguments", "reason"),
    [
        ("0", some_arguments(), "inputs on cpu: it is for CUDA devices"),
        ("1", some_arguments(dtype=torch.float64), "torch.float64: it is for float32"),
        ("1", some_arguments(hidden_size=129), "hidden_size=129: it has registers for 128"),
    ],
)
def test_refusals(monkeypatch, interpret, arguments, reason):
    monkeypatch.setenv("TRITON_INTERPRET", interpret)
    assert triton_refusal(arguments) == reason
    with pytest.raises(ValueError, match=f"^kernel='triton' cannot run {reason}; use 'fused' or 'auto'$"):
        run_lstm(arguments, "triton")


@pytest.mark.skipif(not OLD, reason="this Triton is new enough")
def test_a_triton_that_is_too_old_is_named():
    assert triton_refusal(some_arguments()) == f"anything here: triton {triton.__version__} is too old, 3.0 is needed"


@needs_its_language
def test_compiles_for_hopper_without_spilling():
    """No GPU is needed for that. The register file holds the two programs: see `_BLOCK`."""
    script = """
        import re, subprocess, sys, tempfile
        import triton
        from pathlib import Path
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
        from seqclass.nn.lstm_kernels import triton_pass
        from seqclass.nn.lstm_kernels.triton_pass import programs

        constants = {"SEQUENCES": True, "HARD": True, "MASKED": True}
        constants |= {"ROWS": 16, "UNITS": 128, "BLOCK": triton_pass._BLOCK}
        options = {"num_warps": triton_pass._WARPS, "num_stages": triton_pass._STAGES}
        integers = {"gate_stride", "row_stride", "step_stride", "batch", "steps", "hidden"}
        tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
        for program in (programs.forward, programs.backward):
            types = {name: "i32" if name in integers else "*fp32" for name in program.arg_names}
            used = {name: value for name, value in constants.items() if name in program.arg_names}
            types |= {"begins": "*i64", "slope": "fp32"} | dict.fromkeys(used, "constexpr")
            source = ASTSource(fn=program, signature=types, constexprs=used)
            binary = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options).asm["cubin"]
            with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
                file.write(binary)
                file.flush()
                usage = subprocess.run([tool, "--dump-resource-usage", file.name], capture_output=True, text=True)
            print(re.search(r"STACK:(\\d+)", usage.stdout)[1])
    """
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TRITON_INTERPRET": "0"},
    )
    assert all(int(stack) <= 64 for stack in result.stdout.split()), result.stdout
    assert len(result.stdout.split()) == 2
