// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// opener opens documents.
type opener struct {
	unwrapper keys.Unwrapper
	keyring   *unseal.Keyring
	closed    func(recipient string) bool // whether a SealingKey has yet to be opened for it
	deny      sopsdoc.Policy
	timeout   time.Duration // for the keys of one document; 0 is keysTimeout
}

// denyList returns what operators deny, with a text that says so.
func denyList(list sopsdoc.Policy) sopsdoc.Policy {
	list.Listed = "is on the deny-list of this controller, whose operator added it"
	return list
}

// opened is what came out of a document.
type opened struct {
	secret *manifest.Secret
	mark   string // of the document
	key    string // that opened it, as keyName names it
}

// open returns what d holds. The error is a *failure.
func (o *opener) open(ctx context.Context, d *document) (*opened, error) {
	doc, err := d.parsed()
	if err != nil {
		return nil, err
	}
	t := &timed{next: o.unwrapper, timeout: cmp.Or(o.timeout, keysTimeout)}
	limited, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	result, err := unseal.OpenParsed(limited, doc, unseal.Options{
		Unwrapper: t,
		Keyring:   o.keyring,
		Namespace: d.object.Namespace,
		Policy:    o.deny,
	})
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = t.late(err)
	}
	if err != nil {
		return nil, openFailure(err)
	}
	return &opened{secret: result.Secret, mark: mark(doc), key: keyName(result.Keys)}, nil
}

// atHand reports whether no key service is called to find out what d holds.
func (o *opener) atHand(d *document) bool {
	doc, err := d.parsed()
	if err != nil {
		return true
	}
	for _, group := range doc.Envelope.Metadata.Recipients.Groups {
		for _, e := range group {
			if e.Type() != keys.Age || o.closed(e.ID()) {
				return false
			}
		}
	}
	return true
}

// objectNode returns an object of Signet's API as a YAML tree. Of its metadata
// only name and namespace play a part. A spec of more than maxNodes is refused
// before it is parsed.
func objectNode(kind, name, namespace string, spec []byte) (*yaml.Node, error) {
	if n := manifest.JSONNodes(spec); n > maxNodes {
		return nil, fmt.Errorf("spec: has %d keys, values and lists, the controller takes %d; divide the Secret into several", n, maxNodes)
	}
	metadata := map[string]string{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	text, err := json.Marshal(struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
		Spec       json.RawMessage   `json:"spec"`
	}{sopsdoc.APIVersion, kind, metadata, spec})
	if err != nil {
		return nil, errors.New("spec: is not JSON")
	}
	doc, err := manifest.Parse(text)
	return manifest.Root(doc), err
}

// openFailure finds the reason for an error of unseal.Open.
func openFailure(err error) *failure {
	switch none := new(keys.NoKeyError); {
	case errors.As(err, new(*unseal.ScopeError)), errors.As(err, new(*unseal.NamespaceError)):
		return fail(ScopeMismatch, err)
	case errors.As(err, new(*sopsdoc.DeniedError)):
		return fail(TypeDenied, err)
	case errors.As(err, &none):
		return fail(keyReason(none), &noKey{text: noKeyText(err, none), err: err})
	case errors.As(err, new(*sopsdoc.TamperedError)):
		return fail(TamperedDocument, err)
	case errors.As(err, new(*sopsdoc.InvalidError)), errors.As(err, new(*manifest.SyntaxError)):
		return fail(InvalidDocument, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fail(KeyUnavailable, err)
	}
	// What else unwrapping can say is that a key gave something that is no data
	// key, or groups that SOPS could not have made.
	return fail(InvalidDocument, err)
}

// keyReason says what has to happen before one of the keys opens the document:
// the reason of the key that is closest to doing it. A recipient whose identity
// is kept elsewhere, for emergencies, is not.
func keyReason(e *keys.NoKeyError) Reason {
	reason := KeyUnavailable
	for _, a := range e.Attempts {
		switch {
		case a.Entry.Type() != keys.Age && keys.Foreign(a.Err): // else it is about a SealingKey
			reason = TamperedDocument // unless another key has more to say
		case keys.Refused(a.Err):
			return KeyAccessDenied
		case len(calledKeys(a.Err)) > 0:
			return calledReason(e)
		case errors.As(a.Err, new(*keys.NotAllowedError)), errors.As(a.Err, new(*unseal.KeyNamespaceError)):
			reason = KeyNotAllowed
		}
	}
	return reason
}

// calledReason is keyReason where a key service was called in vain.
func calledReason(e *keys.NoKeyError) Reason {
	if keys.Refused(e) {
		return KeyAccessDenied
	}
	return KeyUnavailable
}

// sealingKeyPrefix stands before the name of a SealingKey in a status.
const sealingKeyPrefix = sopsdoc.KeyKind + "/"

// keyName names the keys that opened a document, for people: SealingKey/prod,
// or kms:arn:..., or age:age1....
func keyName(used []unseal.UsedKey) string {
	names := make([]string, len(used))
	for i, k := range used {
		switch id := k.Entry.ID(); {
		case k.SealingKey != "":
			names[i] = sealingKeyPrefix + k.SealingKey
		case k.Entry.Type() == keys.Age:
			names[i] = string(keys.Age) + ":" + shortRecipient(id)
		case len(id) > maxKeyNameBytes:
			names[i] = string(k.Entry.Type()) + ":" + id[:maxKeyNameBytes] + "..."
		default:
			names[i] = string(k.Entry.Type()) + ":" + id
		}
	}
	return strings.Join(names, keySeparator)
}

// shortRecipient shows the ends of a recipient that is too long for a column, as
// `signet key list` does: a hybrid one has 1,959 characters.
func shortRecipient(recipient string) string {
	const head, tail, most = 20, 8, 70
	if len(recipient) <= most {
		return recipient
	}
	return recipient[:head] + "..." + recipient[len(recipient)-tail:]
}

const (
	keySeparator    = ", "
	maxKeyNameBytes = 256
)

// openedBy reports whether key, as keyName makes it, names a SealingKey.
func openedBy(key, sealingKey string) bool {
	return slices.Contains(strings.Split(key, keySeparator), sealingKeyPrefix+sealingKey)
}
