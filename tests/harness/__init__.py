# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests share: packages to publish, and modules run as Ansible runs them."""
