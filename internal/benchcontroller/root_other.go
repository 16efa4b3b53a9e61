// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "syscall"

func inRoot(string) *syscall.SysProcAttr { return nil }
