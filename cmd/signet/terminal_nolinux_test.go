// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

func cmdPty(ts *testscript.TestScript, neg bool, args []string) {
	ts.Fatalf("terminals are made on Linux only: begin with [!linux] skip")
}
