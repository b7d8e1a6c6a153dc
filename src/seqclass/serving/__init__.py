"""The HTTP service around a trained classifier: LitServe's processes, this project's batches, limits and page.

Needs the extra `serve`.
"""

from seqclass.serving.limits import Limits
from seqclass.serving.server import TextServer, serve

__all__ = ["Limits", "TextServer", "serve"]
