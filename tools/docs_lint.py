# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs antsibull-docs so that no temporary folder has a name that ends with an underscore.

antsibull-docs has such a path read as reStructuredText, where it is a reference without a target. About one run in 37
would fail because of the random name of its folder.
"""

from __future__ import annotations

import string
import sys
import tempfile

from antsibull_docs.cli.antsibull_docs import main

# The characters of random folder names; tempfile has no other way to choose them.
vars(tempfile)["_RandomNameSequence"].characters = string.ascii_lowercase + string.digits

if __name__ == "__main__":
    sys.exit(main())
