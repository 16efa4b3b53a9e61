// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/report"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// counted is a Function in the process of the test.
type counted struct {
	kustomizeplugin.Function
	options int            // how often Options was called
	notes   bytes.Buffer   // Stderr
	before  func() error   // of each unwrapping
	calls   atomic.Int32   // unwrappings
	under   keys.Unwrapper // what unwraps
}

func (l *lab) function() *counted {
	c := &counted{under: keys.Unwrappers{keys.Age: agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{l.identity}})}}
	c.Function = kustomizeplugin.Function{Root: l.dir, Stderr: &c.notes, Options: func(root string) (unseal.Options, error) {
		c.options++
		if root != l.dir {
			return unseal.Options{}, errors.New("another root")
		}
		return unseal.Options{Unwrapper: c}, nil
	}}
	return c
}

func (c *counted) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	c.calls.Add(1)
	if c.before != nil {
		if err := c.before(); err != nil {
			return nil, err
		}
	}
	return c.under.Unwrap(ctx, e)
}

// writes counts how often something is written.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.Buffer.Write(p)
}

func (c *counted) mustRun(t *testing.T, in string) string {
	t.Helper()
	var out writes
	if err := c.Run(context.Background(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if out.n != 1 {
		t.Errorf("%d writes", out.n)
	}
	return out.String()
}

// resourceList writes what kustomize sends.
func resourceList(config string, items ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
	for _, item := range items {
		b.WriteString("- " + strings.TrimSuffix(strings.ReplaceAll(item, "\n", "\n  "), "  "))
	}
	b.WriteString("functionConfig:\n  " + strings.TrimSuffix(strings.ReplaceAll(config, "\n", "\n  "), "  "))
	return b.String()
}

// odd is a resource that a YAML writer would change.
const odd = `apiVersion: v1   # a comment
kind:   ConfigMap
metadata:
    name: odd # another
    # and a third
data:
    on: yes
    block: |2-
          more

        - not an item
        # no comment
    folded: >+
      a

      b

    ? [a]
    : {b: "c
     d", e: 'it''s'}
    1: 2
`

// TestPassesThrough wants everything that is not sealed byte for byte, with
// comments, in its place.
func TestPassesThrough(t *testing.T) {
	l := newLab(t)
	c := l.function()
	in := resourceList(unsealing(), odd, l.sealed(t, "prod", "db"), odd, odd)
	out := c.mustRun(t, in)
	want := resourceList("", odd, "SECRET\n", odd, odd)
	want = want[:strings.Index(want, "functionConfig")]
	secret := "apiVersion: v1\n  kind: Secret\n  metadata:\n    name: db\n    namespace: prod\n  type: Opaque\n  data:\n    password: " + inClear()
	if diff := cmp.Diff(strings.Replace(want, "SECRET", secret, 1), out); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if c.options != 1 {
		t.Errorf("Options was called %d times", c.options)
	}
}

// TestNothingToOpen does not look for keys.
func TestNothingToOpen(t *testing.T) {
	c := newLab(t).function()
	c.mustRun(t, resourceList(unsealing(), odd, odd))
	if c.options != 0 {
		t.Errorf("Options was called %d times", c.options)
	}
	if want := "signet-kustomize: note: resources: nothing in them is sealed\n"; c.notes.String() != want {
		t.Errorf("notes %q, want %q", c.notes.String(), want)
	}
}

// TestOwnConfiguration is what kustomize sends to a generator as a resource: it
// does not come out, and a single other resource does.
func TestOwnConfiguration(t *testing.T) {
	l := newLab(t)
	l.write(t, "db.yaml", l.sealed(t, "prod", "db"))
	config := unsealing("db.yaml")
	own := strings.Replace(config, "    config.kubernetes.io/function", "    config.kubernetes.io/local-config: 'true'\n    config.kubernetes.io/function", 1)
	other := strings.Replace(own, "name: all", "name: other", 1)
	if out := l.function().mustRun(t, resourceList(own, own)); strings.Contains(out, "Unseal") || !strings.Contains(out, inClear()) {
		t.Errorf("for a generator:\n%s", out)
	}
	// Of the resources, one may have local-config and be of the same kind.
	sealedToo := strings.Replace(l.sealed(t, "prod", "db2"), "  name: db2", "  name: db2\n  annotations: {config.kubernetes.io/local-config: 'true'}", 1)
	if out := l.function().mustRun(t, resourceList(own, sealedToo)); !strings.Contains(out, "name: db2") || !strings.Contains(out, inClear()) {
		t.Errorf("for a transformer:\n%s", out)
	}
	var out bytes.Buffer
	if err := l.function().Run(context.Background(), strings.NewReader(resourceList(own, other)), &out); err != nil || !strings.Contains(out.String(), "name: other") {
		t.Errorf("error %v for another configuration as a resource:\n%s", err, out.String())
	}
}

func repeated(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestEndlessInput(t *testing.T) {
	var out bytes.Buffer
	if err := newLab(t).function().Run(context.Background(), endless{}, &out); err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("error %v", err)
	}
}

// TestOpensAtOnce wants documents to be opened concurrently, but not without
// limit.
func TestOpensAtOnce(t *testing.T) {
	l := newLab(t)
	var items []string
	for i := range 60 {
		items = append(items, l.sealed(t, "prod", fmt.Sprintf("s%d", i)))
	}
	c := l.function()
	var now atomic.Int32
	enough, tooMany := make(chan struct{}), make(chan struct{})
	reached, exceeded := sync.OnceFunc(func() { close(enough) }), sync.OnceFunc(func() { close(tooMany) })
	c.before = func() error {
		switch n := now.Add(1); {
		case n == 32:
			reached()
		case n > 32:
			exceeded()
		}
		defer now.Add(-1)
		select {
		case <-enough:
			return nil
		case <-time.After(30 * time.Second):
			return errors.New("they wait for each other")
		}
	}
	if out := c.mustRun(t, resourceList(unsealing(), items...)); strings.Count(out, inClear()) != 60 {
		t.Error("not all were opened")
	}
	select {
	case <-tooMany:
		t.Error("more than 32 at once")
	default:
	}
	if c.options != 1 {
		t.Errorf("Options was called %d times", c.options)
	}
}

// TestStopsAfterFailures does not ask a key service that refuses for each of
// 200 documents.
func TestStopsAfterFailures(t *testing.T) {
	l := newLab(t)
	document := l.sealed(t, "prod", "db")
	c := l.function()
	c.before = func() error { return errors.New("refused") }
	var out bytes.Buffer
	err := c.Run(context.Background(), strings.NewReader(resourceList(unsealing(), repeated(document, 200)...)), &out)
	untried, _ := report.As[*kustomizeplugin.UntriedError](err)
	if untried == nil || untried.Count < 200-20-32 || untried.Count+int(c.calls.Load()) != 200 || out.Len() > 0 {
		t.Errorf("untried %v, calls %d, output %d", untried, c.calls.Load(), out.Len())
	}
	if n := len(report.Split(err)); n != int(c.calls.Load())+1 {
		t.Errorf("%d errors for %d calls", n, c.calls.Load())
	}
}

// TestInterrupted ends without output, and asks for no more keys.
func TestInterrupted(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(context.Background())
	c := l.function()
	c.before = func() error { cancel(); return ctx.Err() }
	var out bytes.Buffer
	err := c.Run(ctx, strings.NewReader(resourceList(unsealing(), repeated(l.sealed(t, "prod", "db"), 100)...)), &out)
	untried, _ := report.As[*kustomizeplugin.UntriedError](err)
	if untried == nil || untried.Count != 100 || len(report.Split(err)) != 1 || out.Len() > 0 {
		t.Errorf("error %v, %d bytes", err, out.Len())
	}
	if n := c.calls.Load(); n > 32 {
		t.Errorf("%d calls", n)
	}
}

// TestPanics become errors that hold nothing of what was in memory.
func TestPanics(t *testing.T) {
	l := newLab(t)
	in := resourceList(unsealing(), l.sealed(t, "prod", "db"))
	opening := l.function()
	opening.under = panicking{}
	options := l.function()
	options.Options = func(string) (unseal.Options, error) { panic(canary) }
	for name, test := range map[string]struct {
		f  *counted
		in io.Reader
	}{
		"while opening":       {opening, strings.NewReader(in)},
		"while finding keys":  {options, strings.NewReader(in)},
		"while reading input": {l.function(), panickingReader{}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := test.f.Run(context.Background(), test.in, &out)
			if err == nil || !strings.Contains(err.Error(), "internal error: a panic in kustomize-plugin") || out.Len() > 0 {
				t.Fatalf("error %v, %d bytes", err, out.Len())
			}
			hides(t, fmt.Sprintf("%v %+v %#v", err, err, err))
		})
	}
}

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic(canary) }

// TestWriteFails reports what kustomize would not notice.
func TestWriteFails(t *testing.T) {
	l := newLab(t)
	r, w := io.Pipe()
	r.CloseWithError(syscall.EPIPE)
	if err := l.function().Run(context.Background(), strings.NewReader(resourceList(unsealing(), l.sealed(t, "prod", "db"))), w); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("error %v", err)
	}
}

// TestLegacyConfig gives files that are no configuration.
func TestLegacyConfig(t *testing.T) {
	l := newLab(t)
	l.write(t, "list.yaml", "[a]\n")
	l.write(t, "two.yaml", "a: b\n---\nc: d\n")
	l.write(t, "empty.yaml", "")
	l.write(t, "large.yaml", "")
	mustDo(t, os.Truncate(filepath.Join(l.dir, "large.yaml"), manifest.MaxDocumentBytes+1))
	mustDo(t, syscall.Mkfifo(filepath.Join(l.dir, "pipe"), 0o600))
	for name, want := range map[string]string{
		"list.yaml": "it is no configuration", "two.yaml": "more than one document", "empty.yaml": "it is no configuration",
		"pipe": "is not a regular file", ".": "is a directory", "gone": "no such file", "large.yaml": "read: has more than 8388608 bytes",
	} {
		var out bytes.Buffer
		err := l.function().RunLegacy(context.Background(), filepath.Join(l.dir, name), strings.NewReader(""), &out)
		if err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

// TestRoot must be known.
func TestRoot(t *testing.T) {
	l := newLab(t)
	for _, root := range []string{"", filepath.Join(l.dir, "gone")} {
		c := l.function()
		c.Root = root
		if err := c.Run(context.Background(), strings.NewReader(resourceList(unsealing("db.yaml"))), io.Discard); err == nil {
			t.Errorf("root %q: no error", root)
		}
	}
}
