// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// WrapAll wraps k for every recipient and returns the recipients with what was
// wrapped: with one group the data key, with several the group's Shamir share
// of it. One failure fails it: a recipient who cannot open the document must
// not go unnoticed.
func WrapAll(ctx context.Context, w Wrapper, r Recipients, k DataKey) (Recipients, error) {
	if r.Empty() {
		return Recipients{}, errors.New("no recipients to wrap the data key for")
	}
	secrets := [][]byte{k.Bytes()}
	out := Recipients{Threshold: r.Threshold}
	if len(r.Groups) > 1 {
		var err error
		if secrets, err = splitKey(k, r); err != nil {
			return Recipients{}, fmt.Errorf("divide data key: %w", err)
		}
		// In a document 0 means that SOPS joins whatever it got
		// (sops: sops.go, GetDataKeyWithKeyServices).
		out.Threshold = r.threshold()
	}
	for i, g := range r.Groups {
		wrapped, err := wrapGroup(ctx, w, g, secrets[i])
		if err != nil {
			return Recipients{}, fmt.Errorf("wrap data key: %w", err)
		}
		out.Groups = append(out.Groups, wrapped)
	}
	return out, nil
}

func wrapGroup(ctx context.Context, w Wrapper, g Group, secret []byte) (Group, error) {
	if len(g) == 0 {
		return nil, errors.New("a key group without keys")
	}
	wrapped := make(Group, 0, len(g))
	for _, to := range g {
		e, err := w.Wrap(ctx, to, secret)
		if err != nil {
			return nil, err
		}
		wrapped = append(wrapped, e)
	}
	return wrapped, nil
}

// shortID is the ID of e, fit for a message.
func shortID(e Entry) string { return shortText(e.ID()) }

// shortText cuts the 1,959 characters of a post-quantum recipient. It is
// foreign text: a private key that was put in the place of a public one is not
// shown, and what would break the line is escaped.
func shortText(text string) string {
	const most = 200
	switch {
	case isSecret(text):
		return "(a private key)"
	case len(text) > most:
		text = text[:most] + "..."
	}
	quoted := strconv.Quote(text)
	if quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
