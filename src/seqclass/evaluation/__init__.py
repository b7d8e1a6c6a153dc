"""Evaluation of a checkpoint: its predictions, metrics and report; comparisons; predictions for raw texts.

Import what is needed from its module, such as `seqclass.evaluation.evaluate`: metrics, comparison and report need
scikit-learn and Jinja (the extra `evaluate`), the others do not.
"""
