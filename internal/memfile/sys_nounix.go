// SPDX-License-Identifier: Apache-2.0

//go:build !unix || aix || solaris

package memfile

import (
	"io/fs"
	"os"
	"syscall"
)

const (
	canLock = false
	lockFD  = 0
)

func deafTo() []os.Signal { return []os.Signal{os.Interrupt} }

func ownSession() *syscall.SysProcAttr { return nil }

func openDir(path string) (*os.File, error) { return os.Open(path) }

func lock(*os.File) (bool, error) { return true, nil }

func checkParent(fs.FileInfo) error { return nil }

func checkOwn(fs.FileInfo) error { return nil }

func hasOtherNames(fs.FileInfo) bool { return false }
