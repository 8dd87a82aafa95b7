# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the wanted pip with the one that comes with Python.

ansible-test would download a script of this name from the network. It uses this one instead, so the checks need only a
package index. The script runs under each Python for which ansible-test makes an environment.
"""

from __future__ import annotations

import ensurepip
import glob
import os
import runpy
import sys

# Python's own wheel comes first, as the wheel of another Python may not run on it. Debian moves the wheel out of the
# package, and only some of its versions name the folder in _WHEEL_PKG_DIR.
FOLDERS = (
    os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"),
    getattr(ensurepip, "_WHEEL_PKG_DIR", None) or "/usr/share/python-wheels",
)
# Options of the original script, which pip itself does not know.
DROPPED = {"--no-setuptools", "--no-wheel"}

wheels = [wheel for folder in FOLDERS for wheel in sorted(glob.glob(os.path.join(folder, "pip-*.whl")))]
if not wheels:
    sys.exit("No pip wheel in {}: install the ensurepip or python3-venv package".format(" or ".join(FOLDERS)))
sys.path.insert(0, wheels[0])
sys.argv[1:] = ["install", *[each for each in sys.argv[1:] if each not in DROPPED]]
runpy.run_module("pip", run_name="__main__")
