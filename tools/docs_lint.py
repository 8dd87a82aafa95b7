# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs antsibull-docs where no temporary folder has a name that ends with an underscore.

It has such a path read as reStructuredText, in which that is a reference to something that is nowhere. One run in about
37 would fail by the name that its folder happens to get.
"""

from __future__ import annotations

import string
import sys
import tempfile

from antsibull_docs.cli.antsibull_docs import main

# Names of temporary folders are made of these alone; there is no other way to have a say in them.
vars(tempfile)["_RandomNameSequence"].characters = string.ascii_lowercase + string.digits

if __name__ == "__main__":
    sys.exit(main())
