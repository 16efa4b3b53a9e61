// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Faults are injected into KMS requests at random, with a fixed seed. Rates
// are 0 to 1 and tried in the order in which they stand here. The zero value
// injects nothing.
type Faults struct {
	Latency     time.Duration // before every answer
	Throttle    float64       // ThrottlingException, 400
	ServerError float64       // in turn KMSInternalException, 500, and DependencyTimeoutException, 503
	Reset       float64       // connection reset (RST), every second one after the request was processed
	Hang        float64       // no answer for HangFor, then the connection is closed
	HangFor     time.Duration // 0 is until the client or the server gives up
	Seed        uint64
}

// Fault is one way in which a request can go wrong.
type Fault string

// The faults. The first four are the error codes of AWS that a client sees.
const (
	Throttle          Fault = codeThrottling
	Internal          Fault = codeInternal
	DependencyTimeout Fault = codeDependencyTimeout
	KeyUnavailable    Fault = codeKeyUnavailable
	ResetBefore       Fault = "reset before the request is processed"
	ResetAfter        Fault = "reset after the request was processed"
	Hang              Fault = "hang"

	noFault Fault = ""
	gaveUp  Fault = "the client left, or the server closed, before the latency was over"
)

// SetFaults replaces the faults and starts their random sequence anew. What
// [Server.Inject] has queued stays.
func (s *Server) SetFaults(f Faults) {
	s.faults.set(f)
}

// Inject makes the next n requests for an operation ("" is any of KMS) go
// wrong, before [Faults] are tried.
func (s *Server) Inject(f Fault, operation string, n int) {
	s.faults.queue(injection{fault: f, operation: operation, left: n})
}

type injection struct {
	fault     Fault
	operation string
	left      int
}

// faults chooses what goes wrong. It is safe for concurrent use.
type faults struct {
	mu             sync.Mutex
	random         *rand.Rand
	config         Faults
	queued         []injection
	errors, resets int // drawn so far, to alternate
}

func newFaults() *faults {
	f := &faults{}
	f.set(Faults{})
	return f
}

func (f *faults) set(config Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.config = config
	f.random = rand.New(rand.NewPCG(config.Seed, 0))
	f.errors, f.resets = 0, 0
}

func (f *faults) queue(i injection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queued = append(f.queued, i)
}

// plan is what happens to one request.
type plan struct {
	fault   Fault
	latency time.Duration
	hangFor time.Duration
}

func (f *faults) next(operation string) plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := plan{latency: f.config.Latency, hangFor: f.config.HangFor}
	if p.fault = f.dequeue(operation); p.fault == noFault {
		p.fault = f.draw()
	}
	return p
}

func (f *faults) dequeue(operation string) Fault {
	for i := range f.queued {
		q := &f.queued[i]
		if q.left > 0 && (q.operation == "" || q.operation == operation) {
			q.left--
			return q.fault
		}
	}
	return noFault
}

// draw uses up as many random numbers whatever comes out, so that one rate
// does not shift the faults of another.
func (f *faults) draw() Fault {
	hit := func(rate float64) bool { return f.random.Float64() < rate }
	throttle, serverError := hit(f.config.Throttle), hit(f.config.ServerError)
	reset, hang := hit(f.config.Reset), hit(f.config.Hang)
	switch {
	case throttle:
		return Throttle
	case serverError:
		f.errors++
		if f.errors%2 == 0 {
			return DependencyTimeout
		}
		return Internal
	case reset:
		f.resets++
		if f.resets%2 == 0 {
			return ResetAfter
		}
		return ResetBefore
	case hang:
		return Hang
	}
	return noFault
}

// answer is AWS's error for those faults that are one.
func (f Fault) answer() error {
	switch f {
	case Throttle:
		return failf(string(f), "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	case Internal, DependencyTimeout, KeyUnavailable:
		return &apiError{code: string(f)}
	}
	return nil
}
