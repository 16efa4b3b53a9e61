// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
)

// hints returns what helps against an error: the exact variable, command or
// edit.
func hints(err error) []string {
	opening := userkeys.Hints{}
	if userkeys.AboutKeys(err) {
		return opening.Keys(err)
	}
	for _, find := range []func(error) string{opening.FIPS, kustomizeplugin.Hint, opening.Open, installHint} {
		if hint := find(err); hint != "" {
			return []string{hint}
		}
	}
	if all := opening.Keys(err); len(all) > 0 {
		return all
	}
	if hint := exitcode.UsageHint(err); hint != "" {
		return []string{hint}
	}
	return nil
}

func installHint(err error) string {
	placed, ok := report.As[*report.PlacedError](err)
	switch {
	case !ok || placed.Operation != installing:
		return ""
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full; what was there is as it was"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "name a directory that you may write to, or check who owns this one"
	}
	return ""
}
