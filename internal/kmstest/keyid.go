// SPDX-License-Identifier: Apache-2.0

package kmstest

import "strings"

// kmsARN returns the ARN of "key/..." or "alias/...".
func kmsARN(region, account, resource string) string {
	return "arn:" + partition(region) + ":kms:" + region + ":" + account + ":" + resource
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// find returns the key that a client named: by key ARN, alias ARN, alias name,
// or key id. Names without an account are of the caller's, names without a
// Region of the request's.
func (s *Server) find(c *call, name, permission string) (key, error) {
	arn, err := c.expand(name)
	if err != nil {
		return key{}, err
	}
	target := arn
	if strings.HasPrefix(resourceOf(arn), "alias/") {
		s.mu.RLock()
		target = s.aliases[arn].arn
		s.mu.RUnlock()
	}
	k, ok := s.key(target)
	switch {
	case ok:
		return k, nil
	case accountOf(arn) != c.caller.account():
		// Another account's: KMS does not tell whether there is such a key.
		return key{}, c.denied(permission, "on this resource", notInRegion)
	case target == arn:
		return key{}, failf(codeNotFound, "Key '%s' does not exist", arn)
	}
	return key{}, failf(codeNotFound, "Alias %s is not found.", arn)
}

// findKey is find for operations that take no alias.
func (s *Server) findKey(c *call, name, permission string) (key, error) {
	if strings.HasPrefix(name, "alias/") || strings.HasPrefix(resourceOf(name), "alias/") {
		return key{}, failf(codeInvalidArn, "Key Aliases are not supported for this operation.")
	}
	return s.find(c, name, permission)
}

// expand turns a name into an ARN of this Region.
func (c *call) expand(name string) (string, error) {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name, c.checkARN(name)
	case strings.HasPrefix(name, "alias/"):
		return kmsARN(c.region, c.caller.account(), name), nil
	case isKeyID(name):
		return kmsARN(c.region, c.caller.account(), "key/"+name), nil
	}
	return "", failf(codeNotFound, "Invalid keyId '%s'", name)
}

func (c *call) checkARN(arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "kms" || !isAccount(parts[4]) {
		return failf(codeNotFound, "Invalid arn %s", arn)
	}
	if parts[3] != c.region || parts[1] != partition(c.region) {
		return failf(codeNotFound, "Invalid arn %s", parts[3])
	}
	id, isKey := strings.CutPrefix(parts[5], "key/")
	switch {
	case isKey && isKeyID(id), strings.HasPrefix(parts[5], "alias/"):
		return nil
	case isKey:
		return failf(codeNotFound, "Invalid keyId %s", id)
	}
	return failf(codeNotFound, "Invalid arn %s", arn)
}

// isKeyID reports whether id is a UUID or the id of a multi-Region key.
func isKeyID(id string) bool {
	if digits, ok := strings.CutPrefix(id, "mrk-"); ok {
		return len(digits) == 32 && isHex(digits)
	}
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return false
	}
	return isHex(id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:])
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// accountOf returns the account in an ARN, "" if there is none.
func accountOf(arn string) string { return arnPart(arn, 4) }

// resourceOf returns what follows the account in an ARN.
func resourceOf(arn string) string { return arnPart(arn, 5) }

func arnPart(arn string, i int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[i]
}
