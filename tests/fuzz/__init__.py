# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutated answers of a server, and random options, through the whole of each module.

``python -m tests.fuzz`` runs both; ``--case answers:123`` runs one of them alone and shows it. A run is a module's real
``main()`` in this process, over recordings that are made anew against the simulator: an adapter below ``requests``
answers each operation with what was recorded for it, and changes some of the answers. All is drawn from a seed, so that
a number stands for the same case wherever it runs.

What must hold whatever comes back is in ``judge.py``, what is done to an answer in ``mutate.py`` and to options in
``options.py``, and what is recorded in ``flows.py``.
"""
