"""What an import has read, for people."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ImportReport:
    """What an import has read.

    Attributes:
        keras: major version that wrote the file.
        stack: which of the project's stacks it is, or `chain`.
        options: the stack's sizes, rates and activation, or a chain's layers.
        arrays: for each array its name in the file, its shape there, and the weights it became.
        assumed: what the file does not say, and what was taken instead.
        notes: what else is worth knowing.
    """

    keras: int
    stack: str
    options: dict[str, Any]
    arrays: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"Keras {self.keras} file, stack {self.stack}"]
        for name, value in self.options.items():
            if name == "layers":
                lines += [f"  layer {place}: {_in_words(layer)}" for place, layer in enumerate(value)]
            else:
                lines.append(f"  {name} = {value}")
        lines += [f"  {name} {shape} -> {target}" for name, shape, target in self.arrays]
        lines += [f"  not in the file: {line}" for line in self.assumed]
        lines += [f"  note: {line}" for line in self.notes]
        return "\n".join(lines)


def _in_words(layer: dict[str, Any]) -> str:
    kind = layer["layer"]
    if kind == "branches":
        inner = [", ".join(map(_in_words, branch)) or "as it is" for branch in layer["branches"]]
        return f"side by side: {'; '.join(inner)}"
    if kind == "bidirectional":
        ways = ", ".join(_in_words({"layer": way, **layer[way]}) for way in ("forward_layer", "backward_layer"))
        return f"bidirectional ({layer['merge']}): {ways}"
    return " ".join([kind, *(f"{name}={value}" for name, value in layer.items() if name != "layer")])
