"""The HTTP service around a trained classifier: LitServe's processes, this project's batches, limits and page.

`seqclass.serving.server` is what runs it; all but the limits need the extra `serve`.
"""

from seqclass.serving.limits import Limits

__all__ = ["Limits"]
