"""What autocast asks of a kernel that casts for itself."""

import torch


def casts_to_bfloat16(device_type: str) -> bool:
    """Whether the products of this kind of device ("cpu", "cuda") are to be of bfloat16: Lightning's `bf16-mixed`."""
    try:
        return torch.is_autocast_enabled(device_type) and torch.get_autocast_dtype(device_type) == torch.bfloat16
    except TypeError:  # PyTorch 2.3 has functions of their own for CPUs
        return (
            device_type == "cpu"
            and torch.is_autocast_cpu_enabled()
            and torch.get_autocast_cpu_dtype() == torch.bfloat16
        )
