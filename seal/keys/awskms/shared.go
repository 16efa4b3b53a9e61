// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"sync"
	"time"

	"github.com/signet-secrets/signet/seal/keys/internal/flight"
)

// maxShared bounds what documents can make us keep.
const maxShared = 256

// shared builds values on first use, once for all who ask at the same time. A
// value is kept, which a flight.Group does not do, a failure only for
// flight.FailureTTL. The zero value is ready. It is safe for concurrent use.
type shared[K comparable, V any] struct {
	mu     sync.Mutex
	builds map[K]*building[V]
}

// building is one build. The other fields are set before done is closed.
type building[V any] struct {
	done  chan struct{}
	value V
	err   error
	until time.Time // end of a failure's life
}

// get returns the value for k, from build if there is none. It waits for a
// build on its way no longer than ctx. A build is for all who wait and
// therefore must not end with the context of one of them. A panic of it is a
// failure.
func (s *shared[K, V]) get(ctx context.Context, k K, build func() (V, error)) (V, error) {
	s.mu.Lock()
	b := s.builds[k]
	mine := b == nil || b.stale()
	if mine {
		b = &building[V]{done: make(chan struct{})}
		s.put(k, b)
	}
	s.mu.Unlock()
	if mine {
		go func() {
			defer close(b.done)
			b.value, b.err = flight.Safely(build)
			b.until = time.Now().Add(flight.FailureTTL)
		}()
	}
	select {
	case <-b.done:
		return b.value, b.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// put adds b. Where there are too many, any other one makes room: those who use
// it keep it, and who asks for it again builds it again.
func (s *shared[K, V]) put(k K, b *building[V]) {
	if s.builds == nil {
		s.builds = map[K]*building[V]{}
	}
	for other := range s.builds {
		if len(s.builds) < maxShared {
			break
		}
		delete(s.builds, other)
	}
	s.builds[k] = b
}

// each calls f with every value that was built.
func (s *shared[K, V]) each(f func(V)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.builds {
		select {
		case <-b.done:
			if b.err == nil {
				f(b.value)
			}
		default:
		}
	}
}

func (b *building[V]) stale() bool {
	select {
	case <-b.done:
		return b.err != nil && time.Now().After(b.until)
	default:
		return false
	}
}
