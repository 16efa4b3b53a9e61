// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package memfile

import "os"

func systemParents(func(string) string) []string { return nil }

func storageOf(*os.File) (storage, error) { return storage{kind: "a disk"}, nil }

func program() (string, error) { return os.Executable() }
