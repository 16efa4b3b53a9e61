// SPDX-License-Identifier: Apache-2.0

// Package buildinfo says which version of Signet a program is. It is one place
// for all programs, so that one flag of the linker sets it:
//
//	go build -ldflags "-X github.com/signet-secrets/signet/internal/buildinfo.version=v1.2.3" ./cmd/...
//
// It knows nothing about the formats that a program reads and writes.
package buildinfo

import "runtime/debug"

// version is set by the linker in releases.
var version string

// Version returns the version of this program: what the linker was told, else
// what `go install` records, else "(devel)".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
