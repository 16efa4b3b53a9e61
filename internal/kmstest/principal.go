// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"crypto/rand"
	"strings"
	"time"
)

// Fake credentials that every server knows. Every access key id that
// [Server.AddPrincipal] registers has the same secret.
const (
	AccessKeyID     = "AKIDKMSTESTEXAMPLE00"
	SecretAccessKey = "kmstest/FAKE/correct/horse/battery/staple"
)

// principal is who signs with an access key id.
type principal struct {
	arn    string
	role   string // of a session: the ARN of its role
	secret string

	token   string    // of a session, else ""
	expires time.Time // of a session
}

func (p principal) account() string { return accountOf(p.arn) }

// is reports whether an ARN names the principal, or its role.
func (p principal) is(arn string) bool { return arn == p.arn || arn == p.role && arn != "" }

// userID is made up: stable for an ARN, and of AWS's form.
func (p principal) userID() string {
	if p.role == "" {
		return "AIDAKMSTESTEXAMPLE00"
	}
	return "AROAKMSTESTEXAMPLE00:" + p.arn[strings.LastIndexByte(p.arn, '/')+1:]
}

// AddPrincipal registers an access key id, with the secret [SecretAccessKey],
// for a principal such as "arn:aws:iam::111122223333:user/alice". Registering
// it again changes the ARN.
func (s *Server) AddPrincipal(accessKeyID, arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.principals[accessKeyID] = principal{arn: arn, secret: SecretAccessKey}
}

// AddRole registers a role, such as "arn:aws:iam::111122223333:role/sealer",
// which every principal may then assume, also with a web identity token. Roles
// that are not registered are denied.
func (s *Server) AddRole(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[arn] = true
}

// ExpireSessions makes all credentials that STS has handed out expired. Those
// of later calls are not affected.
func (s *Server) ExpireSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range s.principals {
		if p.token != "" {
			p.expires = time.Time{}
			s.principals[id] = p
		}
	}
}

// addSession makes credentials for a role that is registered.
func (s *Server) addSession(role, name string, lasts time.Duration) (accessKeyID string, _ principal, ok bool) {
	p := principal{
		arn: "arn:" + arnPart(role, 1) + ":sts::" + accountOf(role) + ":assumed-role/" +
			role[strings.LastIndexByte(role, '/')+1:] + "/" + name,
		role:    role,
		secret:  rand.Text() + rand.Text(),
		token:   "kmstest-session-token-" + rand.Text() + rand.Text() + "==",
		expires: time.Now().Add(lasts),
	}
	accessKeyID = "ASIDKMSTEST" + rand.Text()[:9]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.roles[role] {
		return "", principal{}, false
	}
	s.principals[accessKeyID] = p
	return accessKeyID, p, true
}

func (s *Server) principal(accessKeyID string) (principal, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.principals[accessKeyID]
	return p, ok
}
