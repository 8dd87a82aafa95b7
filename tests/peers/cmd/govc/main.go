// SPDX-FileCopyrightText: 2026 The vsphere.content authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command govc has those commands of govmomi's govc that work on content libraries.
package main

import (
	"os"

	"github.com/vmware/govmomi/cli"

	_ "github.com/vmware/govmomi/cli/about"
	_ "github.com/vmware/govmomi/cli/library"
	_ "github.com/vmware/govmomi/cli/library/session"
	_ "github.com/vmware/govmomi/cli/session"
	_ "github.com/vmware/govmomi/cli/version"
)

func main() {
	os.Exit(cli.Run(os.Args[1:]))
}
