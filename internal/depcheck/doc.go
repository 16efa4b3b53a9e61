// SPDX-License-Identifier: Apache-2.0

// Package depcheck holds no code, only tests that keep the shape of the
// module: which package may import which, what a program must never link, and
// what no source file may do, in internal/ only those that programs link. The
// tables are at the top of deps_test.go and source_test.go, each row with its
// reason.
//
// The idea is that of tailscale.com/tstest/deptest and of go-containerregistry's
// depcheck: architecture that isn't tested erodes one import at a time.
//
// Test files are free: a test of seal may import unseal.
package depcheck
