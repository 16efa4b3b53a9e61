// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"
	"filippo.io/age/plugin"
)

// class orders candidates by how much trying one bothers the user.
type class int

const (
	direct    class = iota // a key in the clear
	protected              // needs a passphrase
	external               // runs a plugin
)

// candidate is one identity that may be tried. The key is out of reach in the
// closure, so that no fmt verb shows it.
type candidate struct {
	place  string
	class  class
	public string // recipient of a native identity, else ""
	plugin string // name of the plugin, else ""
	// sure says that an error other than age.ErrIncorrectIdentity means that
	// the identity matches.
	sure   bool
	unwrap func([]*age.Stanza) ([]byte, error)
}

func nativeCandidate(place string, i Identity) *candidate {
	return &candidate{place: place, public: i.key.recipient, sure: true, unwrap: i.key.unwrap}
}

// pluginCandidate checks s, an AGE-PLUGIN-... identity, and returns nil with a
// note when plugins are off.
func pluginCandidate(place, s string, ui *plugin.ClientUI) (*candidate, string, error) {
	name, _, err := plugin.ParseIdentity(s)
	if err != nil {
		return nil, "", errors.New("it is a malformed identity for a plugin")
	}
	if ui == nil {
		return nil, fmt.Sprintf("1 identity for the plugin %q, and plugins are not allowed here", name), nil
	}
	id, err := plugin.NewIdentity(s, ui)
	if err != nil {
		return nil, "", errors.New("it is a malformed identity for a plugin")
	}
	unwrap := func(stanzas []*age.Stanza) ([]byte, error) {
		key, err := id.Unwrap(stanzas)
		if err != nil && !errors.Is(err, age.ErrIncorrectIdentity) {
			return nil, pluginCause(name, err)
		}
		return key, err
	}
	return &candidate{place: place, class: external, plugin: name, unwrap: unwrap}, "", nil
}

// try gives the stanzas to c. What may block on the user or on a plugin is left
// behind when ctx ends.
func (c *candidate) try(ctx context.Context, stanzas []*age.Stanza) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.class == direct {
		return c.unwrap(stanzas)
	}
	return await(ctx, func() ([]byte, error) { return c.unwrap(stanzas) })
}

// matches reports whether an error of c means that c is the right identity.
func (c *candidate) matches(r Recipient) bool {
	return c.sure || c.plugin != "" && c.plugin == r.plugin
}
