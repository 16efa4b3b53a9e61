// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/unseal"
)

const keyListLong = `List the SealingKeys of the repository: which namespaces' documents they may
open, their public keys, shortened, and who opens them. With --output json the
public keys are whole. It needs no key, and verifies none:
what is shown is what the files claim.`

// listedKey is what key list shows of one SealingKey.
type listedKey struct {
	Name        string      `json:"name"`
	File        string      `json:"file"`
	Namespaces  []string    `json:"namespaces"`
	Recipient   string      `json:"recipient"`
	OpenedBy    []recipient `json:"openedBy"`
	Threshold   int         `json:"threshold,omitempty"`
	Modified    string      `json:"lastModified"`
	PostQuantum bool        `json:"postQuantum"`
}

func newKeyList(c console) *cobra.Command {
	var flags keyFlags
	var output string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List SealingKeys",
		Long:    keyListLong,
		Example: "  signet key list\n  signet key list --output json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return usagef(cmd, "--output is text or json, not %q", output)
			}
			found, err := flags.findSealingKeys(c.err, here)
			if err != nil {
				return err
			}
			return listKeys(c, found, output)
		},
	}
	cmd.Flags().StringArrayVar(&flags.sealingKeys, "sealing-key", nil, "`FILE` with SealingKeys, beside "+userkeys.SealingKeyDir+" in the repository")
	cmd.Flags().StringVar(&output, "output", "text", "`FORMAT`: text or json")
	fixedCompletion(cmd, "output", "text", "json")
	return cmd
}

func listKeys(c console, found []unseal.Key, output string) error {
	slices.SortStableFunc(found, func(a, b unseal.Key) int { return cmp.Compare(a.Name, b.Name) })
	listed := make([]listedKey, len(found))
	seen := make([]inspection, len(found))
	for i, k := range found {
		seen[i] = inspectKey(k.SealingKey)
		listed[i] = listedKey{
			Name: k.Name, File: k.Place, Namespaces: k.Namespaces, Recipient: k.Recipient,
			OpenedBy: seen[i].Recipients, Threshold: seen[i].Threshold, Modified: seen[i].Modified,
			PostQuantum: strings.HasPrefix(k.Recipient, "age1pq1") && weakens(k.Metadata.Recipients, true) == "",
		}
	}
	if output == "json" {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return e.Encode(listed)
	}
	for i, k := range found {
		if i > 0 {
			fmt.Fprintln(c.out)
		}
		fmt.Fprintf(c.out, "%s (%s)\n", k.Name, report.Visible(k.Place))
		seen[i].printBody(c.out)
	}
	if len(found) == 0 {
		printer(c.err).Line("note", errNoSealingKeys.Error())
	}
	return nil
}
