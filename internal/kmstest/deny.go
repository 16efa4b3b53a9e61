// SPDX-License-Identifier: Apache-2.0

package kmstest

// Denial says which requests [Server.Deny] denies. Zero fields match
// everything.
type Denial struct {
	Operation string            // "Decrypt"; "ReEncrypt" is both of the permissions ReEncryptFrom and ReEncryptTo
	KeyARN    string            // of the key in the Region of the request
	Principal string            // ARN of a caller, or of the role of a session
	Context   map[string]string // pairs that the encryption context holds, among others
}

// Deny makes matching KMS requests fail with AccessDeniedException. Denials add
// up.
func (s *Server) Deny(d Denial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denials = append(s.denials, d)
}

// AllowAll removes all denials. A new server has none.
func (s *Server) AllowAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denials = nil
}

const (
	notInRegion = "the resource does not exist in this Region, no resource-based policies allow access, " +
		"or a resource-based policy explicitly denies access"
	ofCiphertext = "on the resource associated with this ciphertext"
)

// access is a use of a key that may be denied.
type access struct {
	permission string // without "kms:"
	arn        string // of the key, or "*"
	context    map[string]string
	resource   string // how AWS's text names the key; "" is by its ARN
}

// authorize returns AWS's error if a denial matches.
func (s *Server) authorize(c *call, a access) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.denials {
		if d.matches(c, a) {
			if a.resource == "" {
				a.resource = "on resource: " + a.arn
			}
			return c.denied(a.permission, a.resource, "")
		}
	}
	return nil
}

func (d Denial) matches(c *call, a access) bool {
	for k, v := range d.Context {
		if got, ok := a.context[k]; !ok || got != v {
			return false
		}
	}
	return (d.Operation == "" || d.Operation == c.log.Operation || d.Operation == a.permission) &&
		(d.KeyARN == "" || d.KeyARN == a.arn) &&
		(d.Principal == "" || c.caller.is(d.Principal))
}

// denied is the error that AWS gives a caller without a permission. The reason
// "" is that no policy of the caller allows it.
func (c *call) denied(permission, resource, because string) error {
	action := "kms:" + permission
	if because == "" {
		because = "no identity-based policy allows the " + action + " action"
	}
	return failf(codeAccessDenied, "User: %s is not authorized to perform: %s %s because %s",
		c.caller.arn, action, resource, because)
}
