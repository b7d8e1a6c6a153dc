"""What the oldest versions that are tested cannot do."""

import pytest
import torch
from packaging.version import Version

OLD_PYTORCH = Version(torch.__version__) < Version("2.4")

needs_exported_loops = pytest.mark.skipif(OLD_PYTORCH, reason="PyTorch 2.3 cannot run an exported loop")
needs_fake_gpu = pytest.mark.skipif(
    OLD_PYTORCH and not torch.cuda.is_available(),
    reason="lacks a GPU: before PyTorch 2.4, one that is made believe asks for its driver",
)
