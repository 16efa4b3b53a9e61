// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
)

// Flags that mean the same in every command that has them.

// addTimeout adds --timeout, for userkeys.Timeout.
func addTimeout(cmd *cobra.Command, limit *time.Duration) {
	cmd.Flags().DurationVar(limit, "timeout", 0,
		"`DURATION`, as in 50s, after which the run fails and names the keys that gave no answer; 0 is none (default $"+userkeys.TimeoutVariable+")")
}

// addNamespace adds --namespace for what is opened.
func addNamespace(cmd *cobra.Command, namespace *string) {
	cmd.Flags().StringVarP(namespace, "namespace", "n", "", "`NAMESPACE` of documents that name none; one that names another is an error")
}

// addOutput adds --output, for checkOutput. what is printed in it is said by usage.
func addOutput(cmd *cobra.Command, format *string, usage string) {
	cmd.Flags().StringVar(format, "output", "text", usage)
	fixedCompletion(cmd, "output", "text", "json")
}

func checkOutput(cmd *cobra.Command, format string) error {
	if format != "text" && format != "json" {
		return usagef(cmd, "--output is text or json, not %q", format)
	}
	return nil
}

// writeJSON prints v for programs.
func writeJSON(stdout io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return writeOut(stdout, append(text, '\n'))
}

func writeOut(stdout io.Writer, text []byte) error {
	if _, err := stdout.Write(text); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	return nil
}
