"""What a checkpoint is worth: its predictions, metrics and report; several side by side; answers to raw texts.

Import what is needed from its module, such as `seqclass.evaluation.evaluate`: metrics, comparison and report need
scikit-learn and Jinja (the extra `evaluate`), the others do not.
"""
