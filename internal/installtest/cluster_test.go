// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/signet-secrets/signet/internal/testcluster"
)

// lab is a cluster with the administrator's client.
type lab struct {
	*testcluster.Cluster
	admin    client.Client
	warnings *warnings
}

func newLab(tb testing.TB) *lab {
	tb.Helper()
	c := testcluster.Start(tb, testcluster.Options{})
	w := &warnings{}
	cfg := c.Admin()
	cfg.WarningHandler = w
	return &lab{Cluster: c, admin: connect(tb, cfg), warnings: w}
}

func connect(tb testing.TB, cfg *rest.Config) client.Client {
	tb.Helper()
	kube, err := client.New(cfg, client.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return kube
}

// warnings collects those of the API server. It is safe for concurrent use.
type warnings struct {
	mu   sync.Mutex
	text []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text)
}

// take returns what was collected, and forgets it.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.text
	w.text = nil
	return text
}

func (l *lab) apply(tb testing.TB, manifests []byte) {
	tb.Helper()
	if err := l.Apply(tb.Context(), manifests); err != nil {
		tb.Fatal(err)
	}
}

// object reads one object.
func object(tb testing.TB, text string) *unstructured.Unstructured {
	tb.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(text), &o.Object); err != nil {
		tb.Fatal(err)
	}
	return o
}

// try creates an object in a dry run. It returns what the API server says
// against it, "" for nothing.
func (l *lab) try(ctx context.Context, o *unstructured.Unstructured) string {
	return complaint(l.admin.Create(ctx, o.DeepCopy(), client.DryRunAll, client.FieldValidation("Strict")))
}

func complaint(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// expect compares what the API server said with what it should: a part of it, or
// "" for no complaint.
func expect(tb testing.TB, got, want string) {
	tb.Helper()
	switch {
	case want == "" && got != "":
		tb.Errorf("refused: %s", got)
	case want != "" && got == "":
		tb.Errorf("accepted, want refused: %s", want)
	case !strings.Contains(got, want):
		tb.Errorf("refused: %s\nwant: %s", got, want)
	}
}

// await tries until check returns true. Policies take effect a moment after they
// were made.
func await(tb testing.TB, what string, check func(context.Context) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	for !check(ctx) {
		select {
		case <-ctx.Done():
			tb.Fatalf("no sign of this within a minute: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func namespaces(names ...string) []byte {
	var b bytes.Buffer
	for _, name := range names {
		b.WriteString("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + name + "\n")
	}
	return b.Bytes()
}

// TestInCluster runs everything that needs a cluster in one, in the order in
// which an administrator would meet it: objects that were there before, the
// policies, and the whole installation.
func TestInCluster(t *testing.T) {
	l := newLab(t)
	l.apply(t, namespaces("prod", "other", "team-a", "team-b"))
	l.apply(t, withoutSchema(t))
	l.makeOldObjects(t)
	l.apply(t, buildConfig(t, "admission"))
	l.awaitPolicy(t)
	t.Run("policy on documents", l.testScopes)
	t.Run("policy and program deny the same", l.testDenied)
	t.Run("policy on changes", l.testChanges)

	l.apply(t, buildConfig(t, "default"))
	t.Run("dry run", l.testDryRun)
	t.Run("definitions", l.testDefinitions)
	t.Run("rules of the definitions", l.testRules)
	t.Run("documents are kept as they are", l.testKept)
	t.Run("new objects", l.testNewObjects)
	t.Run("old objects can go", l.testOldObjectsGo)
	t.Run("pod security", l.testPod)
	t.Run("types of the policies", l.testPolicyTypes)
	t.Run("account of the controller", l.testAccount)
}
