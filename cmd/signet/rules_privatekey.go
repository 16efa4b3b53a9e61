// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"sync"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// maxKeyFile bounds the files that are looked through for private keys only.
const maxKeyFile = 1 << 20

// ageIdentity finds age identities: text that only begins like one is none. Behind the
// prefix stand 32 bytes and a checksum, in the alphabet of bech32.
var ageIdentity = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{58}(?:[^0-9A-Z]|$)`)
})

// pemIdentity finds private keys in PEM with the first line of what they hold, also
// where line breaks are escaped or set in. An encrypted one has another name, or
// headers.
var pemIdentity = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY-----(?:\\r|\\n|\s){1,64}([A-Za-z0-9+/]{40,})`)
})

// What the keys of OpenSSH begin with, and what those do that no passphrase
// protects.
const (
	openSSHKey      = "b3BlbnNzaC1rZXktdjEAAAAA"
	openSSHClearKey = openSSHKey + "BG5vbmU"
)

// privateKeys finds private keys in clear in any text.
func privateKeys(file string, text []byte) []finding {
	var all []finding
	tell := func(at int, what string) {
		all = append(all, finding{
			Rule: rulePrivateKey, Level: rulePrivateKey.level(), File: file, Line: 1 + bytes.Count(text[:at], []byte("\n")),
			Message: "holds " + what + " in clear",
			Hint:    "keep it outside of the repository, or in a file that Git ignores; if it was committed or pushed before, use a new one: Git keeps the old one",
		})
	}
	if bytes.Contains(text, []byte("AGE-SECRET-KEY-")) {
		for _, at := range ageIdentity().FindAllIndex(text, -1) {
			tell(at[0], "a private key of age")
		}
	}
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		for _, at := range pemIdentity().FindAllSubmatchIndex(text, -1) {
			name, first := string(text[at[2]:at[3]]), string(text[at[4]:at[5]])
			if strings.Contains(name, "ENCRYPTED") || strings.HasPrefix(first, openSSHKey) && !strings.HasPrefix(first, openSSHClearKey) {
				continue
			}
			tell(at[0], "a private key")
		}
	}
	return all
}

// others looks for private keys in the files that no other rule is about, and
// returns those that have one.
func (s *scan) others(ctx context.Context) ([]scanned, error) {
	const some = 16
	all := make([]scanned, len(s.list.others))
	errs := parallel.Do((len(all)+some-1)/some, func(n int) error {
		for i := n * some; i < min((n+1)*some, len(all)) && ctx.Err() == nil; i++ {
			all[i] = s.keysIn(s.list.others[i])
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var found []scanned
	for _, r := range all {
		if len(r.findings) > 0 || r.err != nil {
			found = append(found, r)
		}
	}
	return found, errors.Join(errs...)
}

// keysIn looks for private keys in one file. What is too large, or cannot be read
// because of what it is, is no place for them.
func (s *scan) keysIn(f checkFile) scanned {
	r := scanned{file: f}
	text, err := s.src.readUpTo(f.at, maxKeyFile)
	for _, accepted := range []error{manifest.ErrTooLarge, fs.ErrNotExist, fs.ErrPermission, errSpecial, errDirectory, gitrepo.ErrMissing} {
		if errors.Is(err, accepted) {
			return r
		}
	}
	if err != nil {
		r.err = &report.PlacedError{File: f.name, Operation: "read", Err: report.Cause(err)}
		return r
	}
	text = fromUTF16(text)
	if r.findings = privateKeys(f.name, text); len(r.findings) > 0 {
		r.allowed = allowances(text)
	}
	return r
}
