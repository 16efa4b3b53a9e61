// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"path/filepath"
	"slices"
	"strings"
)

// IsFile reports whether a file is one of manifests by its name alone, where
// all those in a directory are wanted. Hidden files are none.
func IsFile(name string) bool {
	name = filepath.Base(name)
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}
