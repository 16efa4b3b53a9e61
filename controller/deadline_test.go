// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// hanging is a key service that refuses the first calls. All others hang.
type hanging struct {
	refuses int32
	calls   atomic.Int32
}

// Unwrap implements keys.Unwrapper.
func (h *hanging) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	if h.calls.Add(1) <= h.refuses {
		return nil, &keys.CallError{Operation: keys.Unwrapping, Entry: e, Err: errors.New("connection refused")}
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// sealed returns SealedSecret prod/db, which n keys open, with more of data.
func sealed(t *testing.T, n int, data map[string]string) *v1alpha1.SealedSecret {
	t.Helper()
	var group keys.Group
	for range n {
		id, err := agekey.GenerateClassicIdentity()
		if err != nil {
			t.Fatal(err)
		}
		group = append(group, keys.AgeEntry{Recipient: id.Recipient()})
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]string{"name": "db", "namespace": "prod"}, "stringData": data,
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := manifest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	result, err := seal.Seal(t.Context(), manifest.Root(doc), nil, seal.Options{
		Recipients: keys.Recipients{Groups: []keys.Group{group}}, Wrapper: keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var spec any
	if err := manifest.Get(manifest.Root(result.Node), "spec").Decode(&spec); err != nil {
		t.Fatal(err)
	}
	s := &v1alpha1.SealedSecret{}
	s.Namespace, s.Name = "prod", "db"
	if s.Spec.Raw, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	return s
}

// A document may take no longer than its time however many of its keys hang, and
// says what came of those that were tried, so that it is woken by them.
func TestKeysOfADocumentShareItsTime(t *testing.T) {
	service := &hanging{refuses: 2}
	doc := newDocument(sealed(t, 8, map[string]string{"password": "correct horse battery staple"}))
	var err error
	synctest.Test(t, func(t *testing.T) {
		o := &opener{unwrapper: service, timeout: 100 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err = o.open(ctx, doc); ctx.Err() != nil {
			t.Fatal("the document took as long as it was let")
		}
	})
	if got := reasonOf(err); got != KeyUnavailable {
		t.Errorf("reason %s, want %s", got, KeyUnavailable)
	}
	for _, want := range []string{"took more than 100ms", "connection refused", errLate.Error()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if n := service.calls.Load(); n != 3 {
		t.Errorf("%d keys were tried, want 3", n)
	}
	if n := len(calledKeys(err)); n != 3 {
		t.Errorf("%d keys wake the object, want 3", n)
	}
}

// The end of the process is no lack of time.
func TestStoppedWhileKeysHang(t *testing.T) {
	doc := newDocument(sealed(t, 2, map[string]string{"a": "b"}))
	var err error
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = (&opener{unwrapper: &hanging{}}).open(ctx, doc)
	})
	if got := reasonOf(err); got != KeyUnavailable || strings.Contains(err.Error(), "took more than") {
		t.Errorf("%s: %v", got, err)
	}
}

// What has more parts than the controller takes is refused with both numbers, and
// no key is tried; a Secret that is large as Secrets go is not.
func TestDocumentOfManyParts(t *testing.T) {
	for _, test := range []struct {
		name         string
		count, bytes int
		want         Reason
		says         string
	}{
		{"1,000 keys", 1_000, 100, KeyUnavailable, "connection refused"},
		{"a few keys of 1 MiB together", 4, 1 << 18, KeyUnavailable, "connection refused"},
		{"too many keys", maxNodes / 2, 0, InvalidDocument, fmt.Sprintf("the controller takes %d", maxNodes)},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := map[string]string{}
			for i := range test.count {
				data[fmt.Sprintf("key-%d", i)] = strings.Repeat("x", test.bytes)
			}
			s := sealed(t, 1, data)
			service := &hanging{refuses: 1}
			_, err := (&opener{unwrapper: service}).open(t.Context(), newDocument(s))
			if got := reasonOf(err); got != test.want || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %.300v", got, err)
			}
			said := fmt.Sprintf("has %d keys, values and lists", manifest.JSONNodes(s.Spec.Raw))
			if test.want == InvalidDocument && !strings.Contains(err.Error(), said) {
				t.Errorf("the error does not say %q: %.300v", said, err)
			}
			if calls, want := service.calls.Load() > 0, test.want != InvalidDocument; calls != want {
				t.Errorf("a key was tried: %v, want %v", calls, want)
			}
		})
	}
}
