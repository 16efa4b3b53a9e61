// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "io/fs"

func replaceFile(target string, data []byte, perm fs.FileMode) error {
	return replaceNamed(target, data, perm)
}
