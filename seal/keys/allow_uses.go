// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"net/url"
	"path"
	"strings"
	"unicode"
)

// use is something that an entry would use and that the allow-list has to name.
type use struct {
	kind      AllowKind
	value     string
	malformed bool // no pattern may match: what reads the value might read it otherwise
}

// usesOf lists everything that e would use: one for the key, and one more for
// each set of credentials that it names.
func usesOf(e Entry) []use {
	switch e := e.(type) {
	case AgeEntry:
		if name := pluginOf(e.Recipient); name != "" {
			return []use{{kind: AllowPlugin, value: name}}
		}
		return nil
	case KMSEntry:
		return kmsUses(e)
	case GCPKMSEntry:
		return []use{{kind: AllowGCPKMS, value: e.ResourceID, malformed: !cleanPath("/" + e.ResourceID)}}
	case HuaweiKMSEntry:
		return []use{{kind: AllowHuaweiKMS, value: e.KeyID, malformed: !cleanPath("/" + e.KeyID)}}
	case AzureKVEntry:
		return []use{azureUse(e)}
	case VaultEntry:
		return []use{vaultUse(e)}
	case PGPEntry:
		return []use{{kind: AllowPGP, value: e.Fingerprint}}
	}
	return []use{{kind: AllowKind(e.Type()), value: e.ID(), malformed: true}}
}

func kmsUses(e KMSEntry) []use {
	uses := []use{{kind: AllowKMS, value: e.ARN, malformed: !plainARN(e.ARN, "/_-")}}
	if e.Role != "" {
		uses = append(uses, use{kind: AllowRole, value: e.Role, malformed: !plainARN(e.Role, "/_+=,.@-")})
	}
	if e.AWSProfile != "" {
		uses = append(uses, use{kind: AllowProfile, value: e.AWSProfile})
	}
	return uses
}

// plainARN reports whether s has the six parts of an ARN and no character that
// AWS never puts there: the Region becomes part of a host name. more is what
// the last part may hold besides letters and digits.
func plainARN(s, more string) bool {
	parts := strings.Split(s, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[5] == "" || !only(parts[5], more) {
		return false
	}
	return only(strings.Join(parts[1:5], ""), "-")
}

// azureUse leaves the version out: all versions of a key are one key.
func azureUse(e AzureKVEntry) use {
	u := hostUse(AllowAzureKV, e.VaultURL, "/keys/"+e.Name)
	u.malformed = u.malformed || strings.Contains(e.Name, "/") || strings.Contains(e.Version, "/") ||
		e.Version != "" && !cleanPath("/"+e.Version)
	return u
}

func vaultUse(e VaultEntry) use {
	u := hostUse(AllowVault, e.Address, "/v1/"+strings.Trim(e.EnginePath, "/")+"/keys/"+e.KeyName)
	u.malformed = u.malformed || strings.Contains(e.KeyName, "/")
	return u
}

// hostUse is a URL. The host is what the list is for, so it must be where
// everybody sees it: no user, port tricks, query or path before it.
func hostUse(kind AllowKind, address, below string) use {
	u := use{kind: kind, value: address + below}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "" {
		u.malformed = true
		return u
	}
	origin := parsed.Scheme + "://" + parsed.Host
	if strings.TrimSuffix(address, "/") != origin || !cleanPath(below) || !plainHost(parsed.Host) {
		u.malformed = true
		return u
	}
	u.value = parsed.Scheme + "://" + strings.ToLower(parsed.Host) + below
	return u
}

// plainHost reports whether a host is written in the way that resolvers and
// patterns read alike.
func plainHost(host string) bool { return only(host, "-._:[]") }

// cleanPath reports whether p, which begins with /, leads where it seems to.
func cleanPath(p string) bool { return path.Clean(p) == p && p != "/" && only(p, "/-._~:@") }

// only reports whether s holds ASCII letters, digits and more alone.
func only(s, more string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(more, r)
	})
}

// pluginOf returns the name of the plugin that wrapping for an age recipient
// needs, and which a document could so choose: what is between age1 and the
// last 1, which ends the human-readable part (age: plugin/encode.go). Native
// recipients have "age" or "age1pq" there, tag recipients of hardware "age1tag"
// or "age1tagpq"; those are wrapped for without a plugin.
func pluginOf(recipient string) string {
	recipient = strings.ToLower(strings.TrimSpace(recipient)) // white space around it is dropped by whoever uses it
	end := strings.LastIndex(recipient, "1")
	if !strings.HasPrefix(recipient, "age1") || end < len("age1") {
		return ""
	}
	switch name := recipient[len("age1"):end]; name {
	case "pq", "tag", "tagpq":
		return ""
	default:
		return name
	}
}
