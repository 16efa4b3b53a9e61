// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// keyToMake is what kind of key init makes.
type keyToMake int

const (
	noKey keyToMake = iota
	makeSealingKey
	makeIdentity
)

// initKey is for whom the rules seal.
type initKey struct {
	make       keyToMake
	recipients []string // that are there already
	path       string   // of the SealingKey, relative to the root
	place      string   // of the identity on this machine
	notes      []string
}

// chooseKey decides for whom the rules seal, and whether a key has to be made.
func (w *initWant) chooseKey(there *initState) (initKey, error) {
	name := userkeys.SealingKeyDir + "/" + w.keyName + ".yaml"
	existing := there.sealingKey(name)
	switch {
	case w.services() && existing != nil:
		if err := w.sameKey(name, existing); err != nil {
			return initKey{}, err
		}
		return there.withNote(initKey{recipients: []string{existing.Recipient}, path: name}), nil
	case w.services() && there.files[name].exists:
		return initKey{}, &keyInWayError{path: name, name: w.keyName, reason: "is no SealingKey"}
	case w.services():
		return there.withNote(initKey{make: makeSealingKey, path: name}), nil
	case w.group != nil:
		key := initKey{}
		for _, e := range w.group {
			key.recipients = append(key.recipients, e.ID())
		}
		return there.withNote(key), nil
	case there.rules != nil:
		return there.join()
	case existing != nil:
		return initKey{recipients: []string{existing.Recipient}, path: name}, nil
	}
	return there.ownKey()
}

// whose says whose key it is.
func (key initKey) whose() string {
	switch {
	case key.path != "":
		return "the SealingKey " + key.path
	case key.place != "":
		return "the age key in " + key.place
	}
	return "the keys of --age"
}

// ownKey is the key of whoever runs the program.
func (there *initState) ownKey() (initKey, error) {
	ids := there.identities
	switch {
	case ids.err != nil:
		return initKey{}, &noIdentityError{ids.shown, ids.err}
	case len(ids.recipients) > 0:
		return initKey{recipients: ids.recipients[:1], place: ids.shown}, nil
	case ids.command:
		return initKey{}, &noIdentityError{ids.shown, errIdentityCommand}
	case ids.file == "":
		return initKey{}, &noIdentityError{"sops/age/keys.txt", errNoConfigDir}
	}
	return initKey{make: makeIdentity, place: ids.shown}, nil
}

// join is for a repository that has rules: it takes a key only if they are made
// for people with age keys, and there is none.
func (there *initState) join() (initKey, error) {
	ids := there.identities
	if anyIn(there.rules, ids.recipients) || there.opensOtherwise() || ids.err != nil || ids.command {
		return initKey{}, nil
	}
	key, err := there.ownKey()
	if err != nil {
		return initKey{}, err
	}
	return there.withNote(key), nil
}

// opensOtherwise reports whether the rules name something else than age keys that
// would lie in a file: a key service, a SealingKey, a plugin, an SSH key.
func (there *initState) opensOtherwise() bool {
	for _, rule := range there.rules.Rules {
		for _, e := range rule.Recipients.Entries() {
			r, err := agekey.ParseRecipient(e.ID())
			if e.Type() != keys.Age || err != nil || r.Kind() != agekey.X25519 && r.Kind() != agekey.Hybrid {
				return true
			}
			if slices.ContainsFunc(there.sealingKeys, func(k unseal.Key) bool { return k.Recipient == e.ID() }) {
				return true
			}
		}
	}
	return false
}

// anyIn reports whether the rules name one of the recipients.
func anyIn(rules *keys.Rules, recipients []string) bool {
	for _, rule := range rules.Rules {
		for _, e := range rule.Recipients.Entries() {
			if e.Type() == keys.Age && slices.Contains(recipients, e.ID()) {
				return true
			}
		}
	}
	return false
}

// withNote adds a note for each recipient that rules which are there do not name.
func (there *initState) withNote(key initKey) initKey {
	if there.rules == nil {
		return key
	}
	all := key.recipients
	if key.make != noKey {
		all = []string{newKeyText}
	}
	for _, r := range all {
		if !anyIn(there.rules, []string{r}) {
			key.notes = append(key.notes, "no rule in "+keys.RulesFile+" names "+key.whose()+", so that nothing is sealed for it; to change that, add it to a rule as an age recipient, "+
				"and let whoever can open the documents run signet rewrap: "+r)
		}
	}
	return key
}

// sealingKey returns the SealingKey in a file, or nil.
func (there *initState) sealingKey(name string) *unseal.Key {
	for i, k := range there.sealingKeys {
		if k.Place == report.ShortPath(there.at(name)) {
			return &there.sealingKeys[i]
		}
	}
	return nil
}

// sameKey returns an error unless a SealingKey is what the flags would make.
func (w *initWant) sameKey(name string, k *unseal.Key) error {
	have := k.Metadata.Recipients.Entries()
	same := len(have) == len(w.group)
	for _, e := range w.group {
		same = same && slices.ContainsFunc(have, func(h keys.Entry) bool {
			return h.Type() == e.Type() && (h.ID() == e.ID() || strings.HasPrefix(h.ID(), e.ID()+"/")) // Azure adds the version
		})
	}
	if !same {
		return &keyInWayError{path: name, name: w.keyName, reason: "exists, and does not open for those whom the flags name, or for more"}
	}
	slices.Sort(w.namespaces)
	if w.namespaces != nil && !slices.Equal(w.namespaces, slices.Sorted(slices.Values(k.Namespaces))) {
		return &keyInWayError{path: name, name: w.keyName, reason: "exists, for other namespaces than the flags name"}
	}
	return nil
}

// step makes the key, if one has to be made.
func (key initKey) step(w *initWant, there *initState) *initStep {
	switch key.make {
	case makeSealingKey:
		namespaces := w.namespaces
		if namespaces == nil {
			namespaces = []string{sopsdoc.Any}
		}
		text := "a SealingKey for documents of " + theNamespaces(namespaces) + "; it opens with\n"
		for _, e := range w.group {
			text += "  " + string(e.Type()) + " " + e.ID() + "\n"
		}
		return &initStep{Kind: kindKey, Path: key.path, State: stepCreate, Text: text, mode: modeSealed}
	case makeIdentity:
		return &initStep{
			Kind: kindKey, Path: there.identities.shown, State: stepCreate, mode: modePlain, file: there.identities.file,
			Text: "a new age key pair, which only you can read; it is in no other place\n",
		}
	}
	return nil
}

// keyInWayError says that a file is in the place of the SealingKey.
type keyInWayError struct{ path, name, reason string }

func (e *keyInWayError) Error() string {
	return fmt.Sprintf("make SealingKey %s: %s %s", e.name, e.path, e.reason)
}

// noIdentityError says that an age key is needed, and that nobody can tell which.
type noIdentityError struct {
	place string
	err   error
}

func (e *noIdentityError) Error() string {
	return fmt.Sprintf("find your age key: %s: %v", e.place, e.err)
}
func (e *noIdentityError) Unwrap() error { return e.err }
