"""What is measured: one worker per implementation, each run as ``python -m benchmarks.workers.NAME``.

A worker answers the methods of `benchmarks.workers.base`. It runs in an environment that has its framework,
NumPy and nothing of seqclass, unless it is seqclass' own.
"""
