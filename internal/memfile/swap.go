// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// Swap returns the devices and files that the kernel may write the directory to,
// as it does when memory is short. Those that are memory themselves (zram) or
// encrypted (dm-crypt) are none. It is empty when that cannot be found out.
func (d *Dir) Swap() []string {
	if !d.storage.swap {
		return nil
	}
	return swapAreas(os.DirFS("/"))
}

// swapAreas reads proc/swaps: a line of titles, then one for each area that
// begins with its path (proc_pid_swaps(5)).
func swapAreas(system fs.FS) []string {
	text, err := fs.ReadFile(system, "proc/swaps")
	if err != nil {
		return nil
	}
	var areas []string
	for i, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if i == 0 || len(fields) == 0 {
			continue
		}
		name := path.Base(fields[0])
		isDevice := strings.HasPrefix(fields[0], "/dev/")
		if isDevice && (strings.HasPrefix(name, "zram") || encrypted(system, name, 8)) {
			continue
		}
		areas = append(areas, fields[0])
	}
	return areas
}

// encrypted tells whether a block device is one of dm-crypt, or lies on such
// devices alone, as a logical volume may.
func encrypted(system fs.FS, device string, depth int) bool {
	dir := path.Join("sys/class/block", device)
	uuid, err := fs.ReadFile(system, path.Join(dir, "dm/uuid"))
	if err != nil || depth == 0 {
		return false
	}
	if strings.HasPrefix(string(uuid), "CRYPT-") {
		return true
	}
	below, err := fs.ReadDir(system, path.Join(dir, "slaves"))
	if err != nil || len(below) == 0 {
		return false
	}
	for _, entry := range below {
		if !encrypted(system, entry.Name(), depth-1) {
			return false
		}
	}
	return true
}
