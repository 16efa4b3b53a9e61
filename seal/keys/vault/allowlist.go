// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"errors"
	"os"
	"slices"
	"strings"
)

const envAllowlist = "SOPS_HC_VAULT_ALLOWLIST"

// errAllowlist says that the user's SOPS would not call the server either.
var errAllowlist = errors.New("the server is not in " + envAllowlist)

// allowlist is that of SOPS (sops: hcvault/keysource.go, parseAllowlistString):
// who has set it for sops may count on it here. It only ever takes away.
type allowlist struct {
	all      bool
	prefixes []string // each ends in a slash
}

func readAllowlist() (allowlist, error) {
	text := os.Getenv(envAllowlist)
	switch text {
	case "", "all":
		return allowlist{all: true}, nil
	case "none":
		return allowlist{}, nil
	}
	var l allowlist
	for item := range strings.SplitSeq(text, ",") {
		item = strings.Trim(item, " ")
		if item == "" {
			return allowlist{}, &settingError{envAllowlist, errors.New("has an empty item")}
		}
		l.prefixes = append(l.prefixes, strings.TrimSuffix(item, "/")+"/")
	}
	return l, nil
}

func (l allowlist) allows(address string) bool {
	address = strings.TrimSuffix(address, "/") + "/"
	return l.all || slices.ContainsFunc(l.prefixes, func(p string) bool { return strings.HasPrefix(address, p) })
}
