// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package memfile

// NoCore does nothing: it is for Linux only.
func NoCore() (CoreLimit, error) { return CoreLimit{}, nil }

// Restore does nothing.
func (CoreLimit) Restore() error { return nil }
