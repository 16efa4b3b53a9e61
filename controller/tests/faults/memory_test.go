// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
)

// Of the 256 MiB of config/manager the controller tells Go 85 %, and it is to
// stay well below them.
const (
	goMemoryLimit = "GOMEMLIMIT=217MiB"
	memoryLimit   = 200 << 20
)

// TestLargeDocumentsFitIntoMemory starts a controller where one tenant has put
// documents that are as large, or of as many parts, as the API server takes. They
// must neither take up the memory of the process nor hold others up.
func TestLargeDocumentsFitIntoMemory(t *testing.T) {
	for _, test := range []struct {
		name   string
		n      int
		spec   func(t *testing.T, namespace string) map[string]any
		reason string
	}{
		{"many keys", 8, sealedForNobody(30_000, 0), "InvalidDocument"},
		{"many nodes, and no document", 8, junk(ones(150_000)), "InvalidDocument"},
		{"large, and no document", 24, junk(strings.Repeat("x", 1_400_000)), "InvalidDocument"},
		{"as many keys and as large as may be", 16, sealedForNobody(3_000, 250), "KeyUnavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			hostile, other := lab.Namespace(t), lab.Namespace(t)
			createOf(t, hostile, test.n, test.spec(t, hostile))
			c := lab.LaunchController(t, controllertest.Launch{Args: alone([]string{"--min-backoff", "5m"}, hostile, other), Env: []string{goMemoryLimit}})
			if worst := servesAge(t, other, 3*time.Second); worst > 2*soon {
				t.Errorf("a document of another namespace took %v", worst)
			} else {
				t.Logf("a document of another namespace took %v at worst", worst)
			}
			for i := range test.n { // a list of them would be many megabytes
				lab.WaitReason(t, hostile, fmt.Sprintf("doc-%d", i), test.reason)
			}
			peak := peakMemory(t, c.PID())
			t.Logf("%d documents, at most %d MiB", test.n, peak>>20)
			if peak > memoryLimit {
				t.Errorf("%d documents took %d MiB of memory", test.n, peak>>20)
			}
			if n := reads(t, c, hostile); n != test.n {
				t.Errorf("%d documents were read %d times in one attempt at each", test.n, n)
			}
		})
	}
}

// reads is how often a controller has read a SealedSecret of a namespace by itself,
// not by its watch.
func reads(t *testing.T, c *controllertest.Controller, namespace string) int {
	t.Helper()
	n := 0
	for _, e := range requests(t, c) {
		if r := e.ObjectRef; r != nil && r.Resource == "sealedsecrets" && r.Namespace == namespace && e.Verb == "get" {
			n++
		}
	}
	return n
}

// createOf makes n SealedSecrets with a spec, one by one: each takes the API server
// some time. It removes them after the test: there are controllers in other tests
// that look at all namespaces.
func createOf(t *testing.T, namespace string, n int, spec map[string]any) {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := lab.Admin.DeleteAllOf(ctx, controllertest.NewSealedSecret(namespace, ""), client.InNamespace(namespace)); err != nil {
			t.Error(err)
		}
	})
	for i := range n {
		o := controllertest.NewSealedSecret(namespace, fmt.Sprintf("doc-%d", i))
		o.Object["spec"] = spec
		lab.Create(t, o)
	}
}

// sealedForNobody makes a document with a number of keys, and values of a length,
// for a recipient whose identity is gone.
func sealedForNobody(count, length int) func(*testing.T, string) map[string]any {
	return func(t *testing.T, namespace string) map[string]any {
		t.Helper()
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		data := map[string]string{}
		for i := range count {
			data[fmt.Sprintf("k%x", i)] = strings.Repeat("x", length)
		}
		return lab.MustSeal(t, controllertest.Secret{
			Namespace: namespace, Name: "doc", Data: data, Reach: seal.Namespace,
			For: []keys.Entry{keys.AgeEntry{Recipient: identity.Recipient().String()}},
		}).Object["spec"].(map[string]any)
	}
}

// junk makes something that is no document.
func junk(value any) func(*testing.T, string) map[string]any {
	return func(_ *testing.T, namespace string) map[string]any {
		return map[string]any{"secretName": "doc", "sealed": map[string]any{"scope": namespace + "/doc", "junk": value}}
	}
}

func ones(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = int64(1)
	}
	return list
}

// peakMemory returns how many bytes a process has had resident at most.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("only Linux tells the memory of a process: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no VmHWM in the status of process %d", pid)
	return 0
}
