// SPDX-License-Identifier: Apache-2.0

// The program is Argo CD's server of config management plugins, as it is, and
// the client that Argo CD's repo server is to it:
//
//	argocd-cmp-server [--config-dir-path DIR ...]
//	argocd-cmp-server client match|generate|parameters [flags] SOCKET REPO APP
//	argocd-cmp-server version
//
// Both sides are Argo CD's own code; of ours are the flags and the JSON.
package main

import (
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	"github.com/argoproj/argo-cd/v3/common"
)

func main() {
	switch args := os.Args[1:]; {
	case len(args) > 0 && args[0] == "version":
		fmt.Println("argocd-cmp-server:", common.GetVersion())
	case len(args) > 0 && args[0] == "client":
		if err := client(args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "argocd-cmp-server: client:", err)
			os.Exit(1)
		}
	default:
		if err := commands.NewCommand().Execute(); err != nil {
			os.Exit(1)
		}
	}
}
