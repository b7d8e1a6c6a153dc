"""Benchmarks of seqclass: how fast is a step, how long an epoch, how good the result, how soon the target.

Run from the repository root as ``python -m benchmarks QUESTION``; ``python -m benchmarks --help`` lists the
questions. Everything that is measured, seqclass included, runs as a worker in a process of its own (see
`benchmarks.protocol`), with the same threads, the same batches and the same clock.

Nothing is imported here: the workers import this package inside environments that have little but NumPy.
"""
