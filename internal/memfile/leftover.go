// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"os"
	"path/filepath"
)

// removeLeftovers removes the directories in parent that have our name and owner
// and that nobody holds: their process and its reaper were killed. It does what
// it can; what stays is tried again by the next process.
func removeLeftovers(parent string) {
	parent, err := trusted(parent)
	if err != nil {
		return
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() && ours(entry.Name()) {
			removeLeftover(filepath.Join(parent, entry.Name()))
		}
	}
}

func removeLeftover(path string) {
	held, err := openDir(path)
	if err != nil {
		return
	}
	defer held.Close()
	info, err := held.Stat()
	if err != nil || checkOwn(info) != nil {
		return
	}
	if locked, err := lock(held); err != nil || !locked || !canLock {
		return
	}
	_ = wipeHeld(path, held, 0)
}
