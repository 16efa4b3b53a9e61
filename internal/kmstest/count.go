// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"maps"
	"slices"
	"sync"
)

// maxCalls bounds the log: a demonstration may run for long.
const maxCalls = 100_000

// Call is a KMS request in the log.
type Call struct {
	Operation string            // "Decrypt"
	KeyID     string            // as the request named the key, "" if it did not; of ReEncrypt the source
	Region    string            // of the signature
	Principal string            // ARN of the caller; "" if it is not known
	RequestID string            // as in the answer
	Error     string            // AWS's error code, or the Fault that left it without an answer; "" is success
	Context   map[string]string // encryption context; of ReEncrypt that of the source
}

// Count returns how many requests for an operation have arrived whole, those
// that failed and were left without an answer included. "" is all KMS operations;
// STS's have their names, such as "AssumeRole".
func (s *Server) Count(operation string) int {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return s.stats.received[operation]
}

// Succeeded returns how many requests for an operation were answered with
// 200. Names are those of Count.
func (s *Server) Succeeded(operation string) int {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return s.stats.succeeded[operation]
}

// Counts returns Count for each operation that was called, without the sum.
func (s *Server) Counts() map[string]int {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	counts := maps.Clone(s.stats.received)
	delete(counts, "")
	return counts
}

// MaxInFlight returns the highest number of KMS requests that were at the
// server at once since [Server.ResetCounts].
func (s *Server) MaxInFlight() int {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return s.stats.maxInFlight
}

// Calls returns the log of KMS requests in the order in which they were done;
// the oldest go when there are 100,000. A request is in it before its answer
// leaves. The contexts must not be changed.
func (s *Server) Calls() []Call {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return slices.Clone(s.stats.calls)
}

// ResetCounts sets all counts to 0 and empties the log. Requests that are
// under way count as in flight, and will be in the log.
func (s *Server) ResetCounts() {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	s.stats.received, s.stats.succeeded, s.stats.calls = map[string]int{}, map[string]int{}, nil
	s.stats.maxInFlight = s.stats.inFlight
}

type stats struct {
	mu                    sync.Mutex
	received, succeeded   map[string]int // by operation, and "" for the sum over KMS
	inFlight, maxInFlight int
	calls                 []Call
}

func newStats() *stats {
	return &stats{received: map[string]int{}, succeeded: map[string]int{}}
}

func (s *stats) begin(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[operation]++
	s.received[""]++
	s.inFlight++
	s.maxInFlight = max(s.maxInFlight, s.inFlight)
}

func (s *stats) end(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	if c.Error == "" {
		s.succeeded[c.Operation]++
		s.succeeded[""]++
	}
	if len(s.calls) == maxCalls {
		s.calls = slices.Clone(s.calls[maxCalls/2:])
	}
	s.calls = append(s.calls, c)
}

// sts counts a call of STS, which is done at once.
func (s *stats) sts(action string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[action]++
	if ok {
		s.succeeded[action]++
	}
}
