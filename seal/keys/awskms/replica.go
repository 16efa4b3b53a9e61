// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"errors"
	"sync"
	"time"
)

// absenceTTL is how long a replica that was of no use is tried last.
const absenceTTL = 5 * time.Minute

// replicas remembers those that were of no use where the key itself was, so that
// the next document does not pay for them too. It is safe for concurrent use.
type replicas struct {
	mu     sync.Mutex
	absent map[KeyARN]time.Time // until when
}

// replica returns the replica of the key of r in the local Region. There is none
// for a key that is in the local Region itself.
func (s *Service) replica(r request) (KeyARN, bool) {
	local := s.local()
	if !r.key.MultiRegion() || local == "" || local == r.key.Region || partitionOf(local) != r.key.Partition {
		return KeyARN{}, false
	}
	replica := r.key.in(local)
	if s.o.AllowReplica != nil {
		e := r.entry
		e.ARN = replica.String()
		if s.o.AllowReplica(e) != nil {
			return KeyARN{}, false
		}
	}
	return replica, true
}

// decryptNearest tries the replica in the local Region, if there may be one, and
// the key itself: the replica first unless it was of no use lately.
func (s *Service) decryptNearest(ctx context.Context, r request, blob []byte) ([]byte, error) {
	replica, ok := s.replica(r)
	if !ok {
		return s.decrypt(ctx, r, r.key, blob, s.o.CallTimeout)
	}
	order := []KeyARN{replica, r.key}
	if s.replicas.isAbsent(replica) {
		order = []KeyARN{r.key, replica}
	}
	failed := map[KeyARN]error{}
	for _, key := range order {
		secret, err := s.decrypt(ctx, r, key, blob, s.o.CallTimeout/2)
		if err == nil {
			if failed[replica] != nil {
				s.replicas.setAbsent(replica)
			}
			return secret, nil
		}
		if f := new(failure); !errors.As(err, &f) || f.final {
			return nil, err
		}
		failed[key] = err
	}
	return nil, both(failed[r.key], failed[replica], replica.Region)
}

func (a *replicas) isAbsent(replica KeyARN) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.absent[replica])
}

func (a *replicas) setAbsent(replica KeyARN) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.absent == nil || len(a.absent) >= maxShared {
		a.absent = map[KeyARN]time.Time{}
	}
	a.absent[replica] = time.Now().Add(absenceTTL)
}
