// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

var plainKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-_/a-zA-Z0-9]{1,100}$`)
})

// maxShownKey is how much of a key an error shows.
const maxShownKey = 100

// JoinPath writes a key path for errors: keys joined by dots, unusual keys in
// quotes and brackets, long ones cut.
func JoinPath(path []string) string {
	joined := ""
	for _, key := range path {
		joined = ChildPath(joined, key)
	}
	return joined
}

// ChildPath returns the path of key below path, as JoinPath would write it.
func ChildPath(path, key string) string {
	if !plainKey().MatchString(key) {
		return path + "[" + quoteKey(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func quoteKey(key string) string {
	if len(key) > maxShownKey {
		key = strings.ToValidUTF8(key[:maxShownKey], "") + "..."
	}
	return strconv.Quote(key)
}
