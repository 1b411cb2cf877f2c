"""The whole exchange in one process, on a simulated clock, from one seed, beside a model that predicts all it says.

::

    plan ──▶ steps ──▶ run ──▶ exchange   the real one: requests in, replies out, below the socket
                        │        └─ disk  its files, and what a power cut leaves of them
                        ├────▶ world      the model: books, limits, what every reply must say
                        └────▶ follow     the rows of every batch, and the invariants on what it touched

A run that fails is made small by `shrink` and told by `words`. `python -m simulator --help` says how to start one.
"""
