// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// record is what is remembered of an object from one look at it to the next.
type record struct {
	uid        types.UID
	generation int64
	// status is the outcome of the last look while the cache doesn't have it
	// yet, else nil.
	status *v1alpha1.SealedSecretStatus
	// version is the resourceVersion of the object with that status, "" while
	// the status could not be written.
	version string
	// wrote is the Secret as this process has last written it, wroteAt when.
	wrote   secretVersion
	wroteAt time.Time
	// proved says that this process has written the Secret as this generation of
	// the object says.
	proved bool
	// tried says that there was an attempt.
	tried bool
	// failures counts attempts since the last success, and notBefore is the time
	// of the next one.
	failures  int
	notBefore time.Time
	// hurried counts what has cut that time short.
	hurried int
}

// secretVersion is one version of one Secret.
type secretVersion struct {
	name    string
	uid     types.UID
	version string
}

// settled returns what has to be remembered of an object that is as it should be,
// in the cache too: next to nothing.
func (r record) settled() record {
	return record{uid: r.uid, generation: r.generation, status: r.status, version: r.version, hurried: r.hurried}
}

// idle reports whether there is nothing to remember.
func (r record) idle() bool {
	return r == record{uid: r.uid, generation: r.generation, hurried: r.hurried}
}

// records holds a record of each object. It is safe for concurrent use; the
// record of one object is used by one worker at a time.
type records struct {
	minBackoff, maxBackoff time.Duration
	now                    func() time.Time

	mu sync.Mutex
	of map[types.NamespacedName]record
}

func newRecords(o Options) *records {
	return &records{minBackoff: o.MinBackoff, maxBackoff: o.MaxBackoff, now: time.Now, of: map[types.NamespacedName]record{}}
}

// get returns the record of an object as it is now, without what the cache has
// caught up with.
func (r *records) get(o *v1alpha1.SealedSecret) record {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.of[keyOf(o)]
	switch {
	case rec.uid != o.UID:
		rec = record{uid: o.UID, generation: o.Generation}
	case rec.generation < o.Generation:
		// A new document gets a new chance.
		rec = record{uid: o.UID, generation: o.Generation, wrote: rec.wrote, wroteAt: rec.wroteAt}
	case rec.status != nil && rec.version != "" && !older(o.ResourceVersion, rec.version):
		rec.status, rec.version = nil, ""
	}
	r.of[keyOf(o)] = rec
	return rec
}

// older reports whether resourceVersion a is older than b. What can't be
// compared isn't.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

func (r *records) put(key types.NamespacedName, rec record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.of[key].hurried; now != rec.hurried { // since rec was read
		rec.hurried, rec.notBefore = now, time.Time{}
	}
	if rec.idle() {
		delete(r.of, key)
		return
	}
	r.of[key] = rec
}

func (r *records) forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, key)
}

// lost notes that the cache had a Secret of an object and has it no more: then
// it is not behind.
func (r *records) lost(key types.NamespacedName, secret types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, ok := r.of[key]; ok && rec.wrote.uid == secret {
		rec.wrote, rec.proved = secretVersion{}, false
		r.of[key] = rec
	}
}

// hurry lets the next look at an object try again at once. The failures are
// still counted: what keeps failing slows down all the same.
func (r *records) hurry(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, ok := r.of[key]; ok {
		rec.notBefore = time.Time{}
		rec.hurried++
		r.of[key] = rec
	}
}

// wait returns how long an object is to be left alone.
func (r *records) wait(rec record) time.Duration { return max(0, rec.notBefore.Sub(r.now())) }

// poll returns when to look again at what no watch tells about: after
// pollPeriod, and up to a half more.
func (r *records) poll() time.Duration {
	d := min(pollPeriod, r.maxBackoff)
	return d + rand.N(d/2+1)
}

// backoff counts a failure and says how long to wait: twice as long as the last
// time, less up to a half, so that what failed together doesn't come back
// together.
func (r *records) backoff(rec *record) time.Duration {
	d := r.maxBackoff
	if rec.failures < 30 {
		d = min(d, r.minBackoff<<rec.failures)
	}
	rec.failures++
	d -= rand.N(d/2 + 1)
	rec.notBefore = r.now().Add(d)
	return d
}
