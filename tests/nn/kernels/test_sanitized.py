"""The C sources under the address and undefined-behaviour sanitizers, on passes of random sizes (`random_passes.c`)."""

import os
import platform
import shlex
import subprocess
from pathlib import Path

import pytest

from seqclass.nn.kernels import compiled

SOURCES = Path(compiled.__file__).parent
DRIVER = Path(__file__).with_name("random_passes.c")
FLAGS = ["-std=gnu11", "-O1", "-g", "-fopenmp", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# The processor's own vectors, and the narrowest, which take other tiles. The sanitizers do not see what AMX loads and
# stores, so the vectors that do its work elsewhere are run too.
ON_X86 = {"native": [], "without AMX": ["-mno-amx-bf16"], "x86-64": []}
TARGETS = list(ON_X86) if platform.machine() in ("x86_64", "AMD64") else ["native"]
# Set to 10000 for a thorough run (some minutes).
PASSES = int(os.environ.get("SEQCLASS_RANDOM_PASSES", "200"))
# Fresh memory holds no numbers, so that what is read before it is written reaches the results.
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:malloc_fill_byte=255:max_malloc_fill_size=1000000000",
    "OMP_NUM_THREADS": "2",
}


def compile_with_sanitizers(files, target, out):
    compiler = shlex.split(os.environ.get("CC") or "cc")
    processor = "x86-64" if target == "x86-64" else "native"
    architecture = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else f"-march={processor}"
    less = ON_X86[target] if target in TARGETS[1:] else []
    command = [*compiler, *FLAGS, architecture, *less, f"-I{SOURCES}", *map(str, files), "-lm", "-o", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(program, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"} | OPTIONS
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def sanitizers(tmp_path_factory):
    """Skips where the compiler has none, by a program that needs nothing else."""
    folder = tmp_path_factory.mktemp("sanitizers")
    (folder / "empty.c").write_text("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
    try:
        made = compile_with_sanitizers([folder / "empty.c"], "native", folder / "empty")
    except FileNotFoundError as error:
        pytest.skip(f"lacks a C compiler: {error}")
    reason = made.stderr.strip() if made.returncode else run(folder / "empty").stderr.strip()
    if reason:
        pytest.skip(f"lacks a C compiler with sanitizers: {reason.splitlines()[0]}")


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_random_passes_stay_within_their_memory(sanitizers, tmp_path, target):
    made = compile_with_sanitizers([DRIVER, *sorted(SOURCES.glob("*.c"))], target, tmp_path / "random_passes")
    assert made.returncode == 0, made.stderr
    passes = PASSES // 2 if target == "x86-64" else PASSES
    ran = run(tmp_path / "random_passes", "7", str(passes))
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.startswith(f"{passes} passes, ")


@pytest.mark.parametrize(
    ("broken", "found"),
    [("free(item)", "heap-use-after-free"), ("item[0] += 2147483647", "signed integer overflow")],
    ids=["address", "undefined"],
)
def test_the_sanitizers_see_what_is_wrong(sanitizers, tmp_path, broken, found):
    (tmp_path / "broken.c").write_text(
        f"""#include <stdlib.h>
int main(int argc, char **argv) {{
    int *item = malloc(sizeof *item);
    item[0] = argc;
    {broken};
    return item[0] == 42;
}}
"""
    )
    made = compile_with_sanitizers([tmp_path / "broken.c"], "native", tmp_path / "broken")
    assert made.returncode == 0, made.stderr
    ran = run(tmp_path / "broken")
    assert ran.returncode != 0
    assert found in ran.stderr
