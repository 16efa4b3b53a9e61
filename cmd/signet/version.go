// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/buildinfo"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

func newVersion(c console) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of signet and of the formats it writes",
		Long:    "Print the version of signet, the API version of its objects and the version of\nSOPS whose format it follows.",
		Example: "  signet version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.out, "signet %s\napi %s\nsops format %s\n%s %s/%s\n",
				buildinfo.Version(), sopsdoc.APIVersion, sopsdoc.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd, "%q is not expected here, the command takes no arguments", args[0])
	}
	return nil
}
