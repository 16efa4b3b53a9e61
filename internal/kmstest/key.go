// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is the state of a key, as in KMS's KeyState.
type State string

// The states of a key. Deleted is not one of AWS's: there such a key is gone,
// and so it is for clients of this server.
const (
	Enabled         State = "Enabled"
	Disabled        State = "Disabled"
	PendingDeletion State = "PendingDeletion"
	PendingImport   State = "PendingImport"
	Unavailable     State = "Unavailable"
	Deleted         State = "Deleted"
)

// The usages of a key. Only the first encrypts.
const (
	usageEncrypt = "ENCRYPT_DECRYPT"
	usageSign    = "SIGN_VERIFY"
	usageMAC     = "GENERATE_VERIFY_MAC"
)

// Key says what key to create.
type Key struct {
	Region      string // "" is eu-west-1
	Account     string // 12 digits; "" is the server's
	MultiRegion bool   // the key's id then begins with mrk-
	Usage       string // "" is ENCRYPT_DECRYPT; SIGN_VERIFY and GENERATE_VERIFY_MAC keys refuse to encrypt
	Description string
}

// key is a key in one Region. The copies that leave the store don't change.
type key struct {
	id, region, account string
	usage, description  string
	multiRegion         bool
	primaryRegion       string // of a multi-Region key
	created             time.Time
	material            *material

	state    State
	deletion time.Time // set while PendingDeletion
}

func (k key) arn() string { return kmsARN(k.region, k.account, "key/"+k.id) }

// usable returns AWS's error if the key can't do a cryptographic operation
// now. KMS looks at the usage before the state.
func (k key) usable(operation string) error {
	if k.usage != usageEncrypt {
		return failf(codeInvalidKeyUsage, "%s key usage is %s which is not valid for %s.", k.arn(), k.usage, operation)
	}
	if k.state == Disabled {
		return failf(codeDisabled, "%s is disabled.", k.arn())
	}
	return k.manageable()
}

// manageable returns AWS's error if the key's state allows no changes.
func (k key) manageable() error {
	switch k.state {
	case PendingDeletion:
		return failf(codeInvalidState, "%s is pending deletion.", k.arn())
	case PendingImport:
		return failf(codeInvalidState, "%s is pending import.", k.arn())
	case Unavailable:
		return failf(codeInvalidState, "%s is unavailable.", k.arn())
	}
	return nil
}

// CreateKey creates an enabled key and returns its ARN. It panics if the
// account or the usage is not one.
func (s *Server) CreateKey(k Key) string {
	made := s.createKey(k)
	if !isAccount(made.account) || !slices.Contains([]string{usageEncrypt, usageSign, usageMAC}, made.usage) {
		panic(fmt.Sprintf("kmstest: create key: bad account or usage in %+v", k))
	}
	return made.arn()
}

func (s *Server) createKey(k Key) key {
	made := &key{
		id: newUUID(), region: k.Region, account: k.Account, usage: k.Usage, description: k.Description,
		created: time.Now(), material: newMaterial(), state: Enabled,
	}
	if made.region == "" {
		made.region = defaultRegion
	}
	if made.account == "" {
		made.account = s.account
	}
	if made.usage == "" {
		made.usage = usageEncrypt
	}
	if k.MultiRegion {
		made.id = "mrk-" + strings.ReplaceAll(made.id, "-", "")
		made.multiRegion, made.primaryRegion = true, made.region
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[made.arn()] = made
	return *made
}

// Replicate makes a replica of a multi-Region key in a Region and returns the
// replica's ARN. It panics if there is no such key, if the key is not a
// multi-Region key, or if it is in that Region already.
func (s *Server) Replicate(arn, region string) string {
	replica, err := s.replicate(arn, region)
	if err != nil {
		panic("kmstest: replicate " + arn + ": " + err.Error())
	}
	return replica.arn()
}

func (s *Server) replicate(arn, region string) (key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.keys[arn]
	if of == nil || of.state == Deleted {
		return key{}, failf(codeNotFound, "Key '%s' does not exist", arn)
	}
	if !of.multiRegion {
		return key{}, &apiError{code: codeUnsupported}
	}
	replica := *of
	replica.region, replica.state, replica.created, replica.description = region, Enabled, time.Now(), ""
	if s.keys[replica.arn()] != nil {
		return key{}, failf(codeAlreadyExists, "%s already exists", replica.arn())
	}
	s.keys[replica.arn()] = &replica
	return replica, nil
}

// CreateAlias makes "alias/x" name a key, in the account and Region of that
// key, and returns the alias's ARN. An alias of that name is moved. It panics
// if there is no such key or the name does not begin with "alias/".
func (s *Server) CreateAlias(name, arn string) string {
	k, ok := s.key(arn)
	if !ok || !strings.HasPrefix(name, "alias/") {
		panic(fmt.Sprintf("kmstest: create alias %q for %q: no such key, or not an alias", name, arn))
	}
	alias := kmsARN(k.region, k.account, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases[alias] = aliasTarget{arn: k.arn(), created: time.Now()}
	return alias
}

type aliasTarget struct {
	arn     string
	created time.Time
}

// SetState changes the state of one key; the replicas of a multi-Region key
// have states of their own. It panics if there never was such a key.
func (s *Server) SetState(arn string, state State) {
	ok := s.change(arn, func(k *key) {
		k.state = state
		if state == PendingDeletion {
			k.deletion = time.Now().Add(maxPendingDays * 24 * time.Hour)
		}
	})
	if !ok {
		panic("kmstest: set state of " + arn + ": no such key")
	}
}

// change runs f on a key, with the lock held.
func (s *Server) change(arn string, f func(*key)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[arn]
	if k != nil {
		f(k)
	}
	return k != nil
}

// key returns a copy of the key with an ARN, unless it is deleted.
func (s *Server) key(arn string) (key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[arn]
	if k == nil || k.state == Deleted {
		return key{}, false
	}
	return *k, true
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
