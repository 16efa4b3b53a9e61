// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"

	"github.com/signet-secrets/signet/seal/keys"
)

// Unwrapper opens age entries with the identities that its Sources name. It is
// safe for concurrent use.
type Unwrapper struct {
	age      func() (found, error)
	ssh      func() found
	commands *commands // nil: no environment
	parsed   *parsed
}

var _ keys.Unwrapper = (*Unwrapper)(nil)

// NewUnwrapper returns an Unwrapper that looks for identities in s. Nothing is
// read before the first Unwrap, and files are read once: a file that changes
// later needs a new Unwrapper.
func NewUnwrapper(s Sources) *Unwrapper {
	s.Files, s.Identities = slices.Clone(s.Files), slices.Clone(s.Identities)
	u := &Unwrapper{age: sync.OnceValues(s.loadAge), ssh: sync.OnceValue(s.loadSSH), parsed: &parsed{}}
	if s.LookupEnv != nil {
		u.commands = &commands{src: s, runs: map[commandRun]*commandResult{}}
	}
	return u
}

// Unwrap implements keys.Unwrapper for keys.AgeEntry. The entry is checked
// before any identity is loaded. The error is a *NoIdentityError, which wraps
// keys.ErrNoIdentity, when no identity fits; anything else means that the entry
// is malformed or damaged, that the identity that fits could not be used, that
// one of Sources.Files is unusable, or that ctx ended. A command is killed when
// ctx ends; a prompt or a plugin is left to itself.
func (u *Unwrapper) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	a, ok := e.(keys.AgeEntry)
	if !ok {
		return nil, fmt.Errorf("unwrap with age: entry is of type %q", string(e.Type()))
	}
	r, err := u.parsed.parse(a.Recipient)
	if err != nil {
		return nil, err
	}
	if err := checkFIPS(); err != nil {
		return nil, fmt.Errorf("unwrap with age recipient %s: %w", quote(r.text), err)
	}
	secret, err := u.open(ctx, r, a.Enc)
	if none := new(NoIdentityError); err != nil && !errors.As(err, &none) {
		return nil, fmt.Errorf("unwrap with age recipient %s: %w", quote(r.text), err)
	}
	return secret, err
}

func (u *Unwrapper) open(ctx context.Context, r Recipient, enc string) ([]byte, error) {
	file, err := openArmor(enc)
	if err != nil {
		return nil, err
	}
	if err := r.checkHeader(file); err != nil {
		return nil, err
	}
	return readSecret(file, &chain{ctx: ctx, u: u, r: r})
}

// chain is the age.Identity that tries all candidates for one entry.
type chain struct {
	ctx    context.Context // of the one Unwrap that the chain is made for
	u      *Unwrapper
	r      Recipient
	places []Place
	failed []error // causes from identities that match
	err    error   // why no file key was found
}

var _ age.Identity = (*chain)(nil)

// Unwrap implements age.Identity.
func (c *chain) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	key, err := c.find(stanzas)
	if err == nil && key == nil {
		err = c.nothing()
	}
	c.err = err
	return key, err
}

// find returns the file key, nil when there is none, or the error to stop at.
func (c *chain) find(stanzas []*age.Stanza) ([]byte, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	ids, err := c.atHand()
	if err != nil {
		return nil, err
	}
	if key, err := c.tryAll(direct, ids, stanzas); key != nil || err != nil {
		return key, err
	}
	printed, err := c.printed()
	if err != nil {
		return nil, err
	}
	if key, err := c.tryAll(direct, printed, stanzas); key != nil || err != nil {
		return key, err
	}
	ids = slices.Concat(ids, printed)
	if key, err := c.tryAll(protected, ids, stanzas); key != nil || err != nil {
		return key, err
	}
	return c.tryAll(external, ids, stanzas)
}

// atHand returns the candidates that files and variables hold.
func (c *chain) atHand() ([]*candidate, error) {
	f, err := c.u.age()
	if err != nil {
		return nil, err
	}
	ids := f.ids
	c.places = slices.Clone(f.places)
	if c.isSSH() {
		s := c.u.ssh()
		ids = slices.Concat(ids, s.ids)
		c.places = append(c.places, s.places...)
	}
	return ids, nil
}

// printed returns the candidates that the commands print.
func (c *chain) printed() ([]*candidate, error) {
	if c.u.commands == nil {
		return nil, nil
	}
	variables := []string{envKeyCmd}
	if c.isSSH() {
		variables = append(variables, envSSHKeyCmd)
	}
	var ids []*candidate
	for _, v := range variables {
		f, err := c.u.commands.get(c.ctx, v, c.r)
		if err != nil {
			return nil, err
		}
		ids = append(ids, f.ids...)
		c.places = append(c.places, f.places...)
	}
	return ids, nil
}

// isSSH reports whether SSH keys are of use at all.
func (c *chain) isSSH() bool { return c.r.kind == SSHEd25519 || c.r.kind == SSHRSA }

// tryAll tries the candidates of a class, those with the recipient of the entry
// first.
func (c *chain) tryAll(cl class, ids []*candidate, stanzas []*age.Stanza) ([]byte, error) {
	for _, named := range []bool{true, false} {
		for _, id := range ids {
			if id.class != cl || (id.public == c.r.text) != named || c.pointless(id) {
				continue
			}
			key, err := id.try(c.ctx, stanzas)
			switch {
			case err == nil && len(key) > 0:
				return key, nil
			case c.ctx.Err() != nil:
				return nil, c.ctx.Err()
			case err == nil || errors.Is(err, age.ErrIncorrectIdentity):
			case id.matches(c.r):
				c.failed = append(c.failed, fmt.Errorf("%s: %w", id.place, err))
			default:
				c.setState(id.place, err.Error())
			}
		}
	}
	return nil, nil
}

// pointless keeps from asking for the passphrase of an identity file, which
// holds no SSH keys, for an SSH recipient.
func (c *chain) pointless(id *candidate) bool {
	return id.class == protected && !id.sure && c.isSSH()
}

// setState replaces what is said about a place, or adds to it if that is more
// than how many identities there are.
func (c *chain) setState(name, state string) {
	for i, p := range c.places {
		if p.Name == name && strings.HasPrefix(p.State, "1 identity") {
			c.places[i].State = state
			return
		}
	}
	c.places = append(c.places, Place{name, state})
}

// nothing is the error when every candidate was tried.
func (c *chain) nothing() error {
	if len(c.failed) > 0 {
		return errors.Join(c.failed...)
	}
	return &NoIdentityError{Recipient: c.r.text, Places: c.places}
}
