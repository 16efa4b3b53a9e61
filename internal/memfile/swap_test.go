// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestSwapAreas(t *testing.T) {
	const title = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, test := range []struct {
		name   string
		system fstest.MapFS
		want   []string
	}{
		{"no proc", fstest.MapFS{}, nil},
		{"none", fstest.MapFS{"proc/swaps": file(title)}, nil},
		{"file and partition", fstest.MapFS{
			"proc/swaps": file(title + "/swapfile file 1 0 -2\n/dev/sda2 partition 1 0 -3\n"),
		}, []string{"/swapfile", "/dev/sda2"}},
		{"memory", fstest.MapFS{
			"proc/swaps": file(title + "/dev/zram0 partition 1 0 100\n"),
		}, nil},
		{"file with the name of memory", fstest.MapFS{
			"proc/swaps": file(title + "/var/zram0 file 1 0 100\n"),
		}, []string{"/var/zram0"}},
		{"encrypted", fstest.MapFS{
			"proc/swaps":                   file(title + "/dev/dm-0 partition 1 0 -2\n"),
			"sys/class/block/dm-0/dm/uuid": file("CRYPT-PLAIN-swap\n"),
		}, nil},
		{"logical volume, encrypted", fstest.MapFS{
			"proc/swaps":                       file(title + "/dev/dm-1 partition 1 0 -2\n"),
			"sys/class/block/dm-1/dm/uuid":     file("LVM-x\n"),
			"sys/class/block/dm-1/slaves/dm-0": file(""),
			"sys/class/block/dm-0/dm/uuid":     file("CRYPT-LUKS2-x\n"),
		}, nil},
		{"logical volume, half of it encrypted", fstest.MapFS{
			"proc/swaps":                       file(title + "/dev/dm-1 partition 1 0 -2\n"),
			"sys/class/block/dm-1/dm/uuid":     file("LVM-x\n"),
			"sys/class/block/dm-1/slaves/dm-0": file(""),
			"sys/class/block/dm-1/slaves/sda3": file(""),
			"sys/class/block/dm-0/dm/uuid":     file("CRYPT-LUKS2-x\n"),
		}, []string{"/dev/dm-1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, swapAreas(test.system)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
