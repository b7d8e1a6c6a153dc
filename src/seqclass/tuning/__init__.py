"""Search for a recipe's best values: a space in a YAML file, Optuna's choice, a run of `fit` each.

Needs the extra `tune`.
"""
