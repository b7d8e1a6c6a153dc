"""The recipe that is part of the package is `configs/text.yaml`, as the command line reads it."""

from pathlib import Path

import torch
from lightning.pytorch.callbacks import EarlyStopping

from seqclass.training.default_recipe import default_recipe, recipe_of
from seqclass.training.lightning_cli import build_from_config

CONFIG = Path(__file__).parents[2] / "configs" / "text.yaml"


def test_makes_what_the_command_line_makes(easy_reviews, tmp_path):
    cli = build_from_config(CONFIG, "--data.train", str(easy_reviews / "train"), "--data.cache_dir", str(tmp_path))
    recipe = default_recipe()
    assert cli.model.classifier.options.stack == recipe.model["stack"]
    parameter = [torch.nn.Parameter(torch.zeros(1))]
    ours, theirs = recipe.model["optimizer"](parameter), cli.model._new_optimizer(parameter)
    assert type(ours) is type(theirs)
    # Old releases of jsonargparse leave a list where a tuple is wanted.
    assert tuple(theirs.defaults["betas"]) == tuple(ours.defaults["betas"])
    assert {**ours.defaults, "betas": None} == {**theirs.defaults, "betas": None}
    assert type(recipe.model["lr_scheduler"](ours)) is type(cli.model._lr_scheduler(theirs))
    assert cli.datamodule.batch_size == recipe.data["batch_size"]
    for name in ("max_steps", "max_epochs", "gradient_clip_val"):
        assert getattr(cli.trainer, name) == recipe.trainer[name]
    assert recipe.seed == 7
    assert "train" not in recipe.data


def test_a_recipe_with_callbacks_and_a_choice_of_the_epoch():
    stopping = {"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {"monitor": "val_loss"}}
    recipe = recipe_of(
        {
            "seed_everything": 3,
            "model": {"stack": "lstm"},
            "data": {"init_args": {"train": "x.csv", "maxlen": 5}},
            "trainer": {"max_epochs": 2, "callbacks": [stopping]},
            "checkpoint": {"monitor": "val_loss", "mode": "min"},
        }
    )
    (callback,) = recipe.trainer["callbacks"]
    assert isinstance(callback, EarlyStopping)
    assert (recipe.monitor, recipe.mode, recipe.data) == ("val_loss", "min", {"maxlen": 5})
