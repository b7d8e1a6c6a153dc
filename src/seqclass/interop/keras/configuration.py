"""From a model's configuration to its layers in order: nested models are opened, and a graph has to be a chain.

A class is compared with the known names and never looked up, so nothing in a configuration is executed.
"""

from collections import Counter
from typing import Any, NoReturn

from seqclass.errors import InputError
from seqclass.interop.keras.model import KerasBranches, KerasItem, KerasLayer
from seqclass.interop.keras.names import class_of, snake_case

MAX_LAYERS = 1000
_MAX_DEPTH = 20
_MORE = "it is called with more than its input, such as an initial state or a mask of its own"
_CONTAINERS = ("Sequential", "Functional", "Model")


class Configuration:
    """Reads the configuration of a whole model.

    Args:
        source: the file, for messages.

    Attributes:
        layers: what `read` has opened, all layers of the outermost model by name, in the file's order.
        input_length: steps that the model was built for, if it says so.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._count = 0
        self.order: list[KerasLayer] = []
        self.input_length: int | None = None

    def read(self, config: Any) -> list[KerasItem]:
        """Return the layers in the order in which a text passes them.

        Raises:
            InputError: it is not the configuration of a model, or not of one that is a chain.
        """
        try:
            return self._model(config, "layers", "", 0)
        except InputError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error!s:.100}"
            raise InputError(f"{self._source}: its configuration is not that of a Keras model ({reason})") from error

    def _model(self, config: Any, place: str, owner: str, depth: int) -> list[KerasItem]:
        kind = class_of(config)
        if kind not in _CONTAINERS:
            raise InputError(
                f"{self._source} holds a model of the class {kind!r:.80}: read are Sequential and functional models"
            )
        if depth > _MAX_DEPTH:
            raise InputError(f"{self._source}: its models are nested more than {_MAX_DEPTH} deep")
        inner = config["config"]
        entries = inner if isinstance(inner, list) else inner["layers"]
        opened: dict[str, list[KerasItem]] = {}
        used: Counter[str] = Counter()
        for entry in entries:
            self._count += 1
            if self._count > MAX_LAYERS:
                raise InputError(f"{self._source} has more than {MAX_LAYERS} layers")
            kind = class_of(entry)
            settings = dict(entry["config"]) if isinstance(entry["config"], dict) else {"layers": entry["config"]}
            name = str(entry.get("name") or settings.get("name") or kind)
            if not depth:
                self._note_length(settings)
            if kind == "InputLayer":
                opened[name] = []
                continue
            base = snake_case(kind)
            own = f"{place}/{base}_{used[base]}" if used[base] else f"{place}/{base}"
            used[base] += 1
            if kind in _CONTAINERS:
                opened[name] = self._model(entry, own + "/layers", owner or name, depth + 1)
            else:
                if not isinstance(entry["config"], dict):
                    raise TypeError(f"the settings of {name!r:.80} are not an object")
                layer = KerasLayer(kind, name, settings, place=own, owner=owner or name)
                self.order.append(layer)
                opened[name] = [layer]
        if isinstance(inner, list) or "input_layers" not in inner:
            return [item for items in opened.values() for item in items]
        return _Graph(self._source, inner, entries, opened).chain()

    def _note_length(self, settings: dict[str, Any]) -> None:
        shape = settings.get("batch_shape") or settings.get("batch_input_shape") or ()
        # A text of one str a row is (batch, 1).
        length = tuple(shape)[1] if len(shape) == 2 and settings.get("dtype") != "string" else None
        found = settings.get("input_length") or length
        if self.input_length is None and isinstance(found, int):
            self.input_length = found


class _Graph:
    """A functional model, read from its output back to its input."""

    def __init__(
        self, source: str, config: dict[str, Any], entries: list[dict[str, Any]], opened: dict[str, list[KerasItem]]
    ) -> None:
        self._source = source
        self._opened = opened
        self._kinds = {str(entry["name"]): str(entry["class_name"]) for entry in entries}
        self._nodes = {str(entry["name"]): entry.get("inbound_nodes") or [] for entry in entries}
        self._output = self._one("output", config["output_layers"])
        self._one("input", config["input_layers"])
        self._chains: dict[str, list[KerasItem]] = {}

    def chain(self) -> list[KerasItem]:
        return self._to(self._output, [])

    def _one(self, what: str, layers: Any) -> str:
        if layers and isinstance(layers[0], str):
            layers = [layers]
        if isinstance(layers, dict):
            layers = list(layers.values())
        if len(layers) != 1:
            raise InputError(f"{self._source} has {len(layers)} {what}s: only models with one are read")
        return str(layers[0][0])

    def _to(self, name: str, behind: list[str]) -> list[KerasItem]:
        """Return the chain from the input up to a layer, and that layer."""
        if name in self._chains:
            return self._chains[name]
        if name in behind or len(behind) > MAX_LAYERS:
            raise InputError(f"{self._source}: its layers form a circle")
        inputs = self._inputs(name)
        chains = [self._to(source, [*behind, name]) for source in inputs]
        if not chains:
            made: list[KerasItem] = list(self._opened[name])
        elif len(chains) == 1:
            made = [*chains[0], *self._opened[name]]
        else:
            made = self._merged(name, chains)
        self._chains[name] = made
        return made

    def _merged(self, name: str, chains: list[list[KerasItem]]) -> list[KerasItem]:
        (merge,) = self._opened[name]
        if not isinstance(merge, KerasLayer) or merge.kind != "Concatenate":
            self._refuse(name, f"it reads {len(chains)} layers, and only a Concatenate is read that does")
        shared = 0
        while all(len(chain) > shared for chain in chains) and len({id(chain[shared]) for chain in chains}) == 1:
            shared += 1
        return [*chains[0][:shared], KerasBranches(merge, [chain[shared:] for chain in chains])]

    def _inputs(self, name: str) -> list[str]:
        nodes = self._nodes[name]
        if self._kinds[name] == "InputLayer":
            return []
        if len(nodes) != 1:
            self._refuse(name, f"it is called {len(nodes)} times: only layers that are called once are read")
        return [self._tensor(name, tensor) for tensor in self._tensors(name, nodes[0])]

    def _tensors(self, name: str, node: Any) -> list[Any]:
        """Return the tensors that a layer is called with: Keras 3 writes a dict, Keras 1 and 2 a list."""
        if isinstance(node, dict):
            arguments, options = node["args"], dict(node.get("kwargs") or {})
            self._check_options(name, options)
            if _holds_tensor(options.get("mask")) and self._is_implied(options["mask"]):
                del options["mask"]
            if any(_holds_tensor(value) for value in [*arguments[1:], *options.values()]):
                self._refuse(name, _MORE)
            first = arguments[0]
            return [tensor["config"]["keras_history"] for tensor in (first if isinstance(first, list) else [first])]
        if node and isinstance(node[0], str):
            node = [node]
        for tensor in node:
            options = tensor[3] if len(tensor) > 3 else {}
            self._check_options(name, options)
            if any(value is not None for key, value in options.items() if key != "training"):
                self._refuse(name, _MORE)
        return list(node)

    def _check_options(self, name: str, options: dict[str, Any]) -> None:
        if options.get("training"):
            self._refuse(name, f"it is called with training={options['training']!r:.40}, so it is random in use")

    def _is_implied(self, mask: dict[str, Any]) -> bool:
        """Whether a mask is that of an Embedding or a Masking, which Keras 3 writes down at each layer it reaches."""
        source = str(mask["config"]["keras_history"][0])
        if self._kinds.get(source) == "Any":
            source = str(self._nodes[source][0]["args"][0]["config"]["keras_history"][0])
        if self._kinds.get(source) != "NotEqual":
            return False
        read, value = self._nodes[source][0]["args"][:2]
        for name, kind in self._kinds.items():
            if kind not in ("Embedding", "Masking") or not self._nodes[name]:
                continue
            (layer,) = self._opened[name]
            same = self._nodes[name][0]["args"][0] == read
            masks = value == (0 if kind == "Embedding" else layer.config.get("mask_value", 0))  # type: ignore[union-attr]
            if same and masks and (kind == "Masking" or layer.config.get("mask_zero")):  # type: ignore[union-attr]
                return True
        return False

    def _tensor(self, name: str, history: Any) -> str:
        source, _, output = history[:3]
        if source not in self._opened:
            self._refuse(name, f"it reads {source!r:.80}, which is not a layer of the model")
        # `node` counts calls: the one of a nested model is 1, for it was called when it was made.
        if output:
            self._refuse(str(source), f"its output number {output} is used, such as a state of return_state")
        return str(source)

    def _refuse(self, name: str, reason: str) -> NoReturn:
        raise InputError(f"{self._source}: layer {name!r:.80} cannot be represented: {reason}")


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("class_name") == "__keras_tensor__" or any(map(_holds_tensor, value.values()))
    return isinstance(value, list) and any(map(_holds_tensor, value))
