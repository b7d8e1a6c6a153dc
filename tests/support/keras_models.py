"""The files in `tests/interop/keras/models`, as the real Keras wrote them, and what it predicts."""

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ARCHIVES = Path(__file__).parents[1] / "interop" / "keras" / "models"


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes:
        name: in the generator.
        files: those that hold it or its weights.
        inputs: ids (rows, steps), texts (rows,), or words (rows, words).
        predictions: Keras' answers, (rows, outputs).
        architecture: the file of its configuration.
    """

    name: str
    files: tuple[Path, ...]
    inputs: np.ndarray
    predictions: np.ndarray
    architecture: Path

    def texts(self) -> list[str]:
        """The inputs as texts."""
        return [" ".join(row) if isinstance(row, np.ndarray) else str(row) for row in self.inputs]


def extract(archive: str, folder: Path) -> dict[str, Model]:
    """Unpack an archive, `keras3` or `tf_keras2`, and list its models by name."""
    with tarfile.open(ARCHIVES / f"{archive}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    endings = (".keras", ".h5", ".weights.h5", "_weights.h5")
    with np.load(folder / "predictions.npz") as values:
        names = sorted({key.partition("/")[0] for key in values})
        return {
            name: Model(
                name,
                tuple(path for ending in endings if (path := folder / f"{name}{ending}").exists()),
                values[f"{name}/x"],
                values[f"{name}/p"],
                folder / f"{name}.json",
            )
            for name in names
        }
