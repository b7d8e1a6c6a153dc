"""Part ``machine``: the card, its driver and libraries, and which of the packages that other parts need are there."""

from __future__ import annotations

import importlib.util
import subprocess
from typing import Any

import torch

from benchmarks import environment
from benchmarks.gpu import rows

PACKAGES = (
    *("torch", "triton", "lightning", "torchmetrics", "jsonargparse", "regex", "rich", "h5py", "filelock", "tqdm"),
    *("keras", "jax", "jaxlib", "numpy", "scikit-learn", "pytest", "hypothesis"),
)
QUERY = "name,driver_version,memory.total,clocks.sm,clocks.max.sm,power.limit,temperature.gpu"


def card(device: str) -> dict[str, Any]:
    """The device as PyTorch sees it.

    Raises:
        RuntimeError: a CUDA device is asked for, and there is none.
    """
    if device == "cpu":
        return {"device": environment.device_name("cpu"), "stand_in": "a CPU, in a test of this program"}
    properties = torch.cuda.get_device_properties(0)
    return {
        "device": properties.name,
        "capability": list(torch.cuda.get_device_capability()),
        "multiprocessors": properties.multi_processor_count,
        "memory_mib": properties.total_memory // 2**20,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "tf32": {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32},
    }


def driver() -> dict[str, Any]:
    """What the driver says of its clocks, read only."""
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    values = [value.strip() for value in completed.stdout.splitlines()[0].split(",")]
    return dict(zip(QUERY.split(","), values, strict=True))


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("machine")

    def known() -> dict[str, Any]:
        part.facts |= card(arguments.device)
        return part.facts

    part.measure("card", known)
    if arguments.device == "cuda":
        part.measure("driver", driver)
    else:
        part.skip("driver", "nvidia-smi: no GPU")
    part.measure("versions", lambda: environment.versions(PACKAGES))
    missing = [name for name in PACKAGES if not importlib.util.find_spec(name.replace("scikit-learn", "sklearn"))]
    part.measure("missing", lambda: {"packages": missing})
    if part.rows[0]["status"] == "failed":
        raise SystemExit(part.rows[0]["reason"])
    part.ended()


if __name__ == "__main__":
    main()
