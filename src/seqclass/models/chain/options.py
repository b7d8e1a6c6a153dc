"""The options of a chain: its layers, as plain values."""

from dataclasses import dataclass
from typing import Any, Literal

import torch

from seqclass.checks import check_choice
from seqclass.models.chain.chain import Chain
from seqclass.nn import Kernel


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    """A model that is described layer by layer.

    Args:
        layers: a dict for each, in order: `layer` names it (a key of `seqclass.models.chain.chain.LAYERS`, or
            `branches`), the others are its options.
        multi_label: whether a text may have several labels, or none: each is then decided independently.
        kernel: the way to run LSTMs.
        stack: always `chain`.

    Raises:
        ValueError: layers that cannot be built, or do not fit each other.
    """

    layers: list[dict[str, Any]]
    multi_label: bool = False
    kernel: Kernel = "auto"
    stack: Literal["chain"] = "chain"

    def __post_init__(self) -> None:
        check_choice("stack", self.stack, ("chain",))
        if not isinstance(self.layers, list) or not all(isinstance(layer, dict) for layer in self.layers):
            raise ValueError(f"layers is {self.layers!r:.80}; it has to be a list of dicts")
        if not self.layers or self.layers[0].get("layer") != "embedding":
            raise ValueError(f"the first layer is {self.layers[:1]!r:.80}; it has to be an embedding")
        # On the meta device layers have no memory and draw no random numbers.
        with torch.device("meta"):
            object.__setattr__(self, "_outputs", self.build().out_features)

    @property
    def num_embeddings(self) -> int:
        """Rows of the embedding."""
        return int(self.layers[0]["num_embeddings"])

    @property
    def mask_padding(self) -> bool:
        """Whether steps of id 0 do not count."""
        return bool(self.layers[0].get("mask_zero", False))

    @property
    def num_classes(self) -> int:
        """Classes to choose from; one logit decides between two."""
        outputs: int = self._outputs  # type: ignore[attr-defined]
        return 2 if outputs == 1 and not self.multi_label else outputs

    def build(self) -> Chain:
        """Build the chain, with initial values drawn from torch's generator."""
        return Chain(self.layers, kernel=self.kernel)

    def values(self) -> dict[str, Any]:
        """Return the options as plain values, from which `seqclass.models.options_from` makes them again."""
        return {"stack": "chain", "layers": self.layers, "multi_label": self.multi_label, "kernel": self.kernel}
