// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// unwrapFunc is an Unwrapper made of a function.
type unwrapFunc func(context.Context, Entry) ([]byte, error)

func (f unwrapFunc) Unwrap(ctx context.Context, e Entry) ([]byte, error) { return f(ctx, e) }

// wrapFunc is a Wrapper made of a function.
type wrapFunc func(context.Context, Entry, []byte) (Entry, error)

func (f wrapFunc) Wrap(ctx context.Context, to Entry, secret []byte) (Entry, error) {
	return f(ctx, to, secret)
}

// plainService is a key service whose ciphertext is the plain text in base64,
// for tests that look at what is wrapped. It notes the ID of each key that it
// is called with.
type plainService struct {
	fail map[string]error // by ID
	rank map[string]Rank  // by ID; Near where none is given

	mu    sync.Mutex
	calls []string
}

func (s *plainService) note(e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, e.ID())
	return s.fail[e.ID()]
}

// called returns the IDs of the calls since it was last asked.
func (s *plainService) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *plainService) Wrap(_ context.Context, to Entry, secret []byte) (Entry, error) {
	if err := s.note(to); err != nil {
		return nil, err
	}
	return PGPEntry{Fingerprint: to.ID(), Enc: base64.StdEncoding.EncodeToString(secret)}, nil
}

func (s *plainService) Unwrap(_ context.Context, e Entry) ([]byte, error) {
	if err := s.note(e); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(e.Wrapped())
}

func (s *plainService) Rank(e Entry) Rank {
	if r, ok := s.rank[e.ID()]; ok {
		return r
	}
	return Near
}

var (
	_ Wrapper   = (*plainService)(nil)
	_ Unwrapper = (*plainService)(nil)
	_ Ranker    = (*plainService)(nil)
)

// group returns a group of PGP recipients, which plainService takes.
func group(ids ...string) Group {
	g := make(Group, len(ids))
	for i, id := range ids {
		g[i] = PGPEntry{Fingerprint: id}
	}
	return g
}

// with returns e with something wrapped.
func with(e Entry, enc string) Entry {
	switch e := e.(type) {
	case AgeEntry:
		e.Enc = enc
		return e
	case KMSEntry:
		e.Enc = enc
		return e
	case GCPKMSEntry:
		e.Enc = enc
		return e
	case HuaweiKMSEntry:
		e.Enc = enc
		return e
	case AzureKVEntry:
		e.Enc = enc
		return e
	case VaultEntry:
		e.Enc = enc
		return e
	case PGPEntry:
		e.Enc = enc
		return e
	}
	panic(fmt.Sprintf("%T", e))
}

// denied is a permanent failure of a key service, busy one that passes.
func denied(e Entry) error {
	return &CallError{Operation: Unwrapping, Entry: e, Err: errors.New("AccessDeniedException"), Permanent: true}
}

func busy(e Entry) error {
	return &CallError{Operation: Unwrapping, Entry: e, Err: errors.New("ThrottlingException")}
}

func repeated(n int, id string) []string { return slices.Repeat([]string{id}, n) }
