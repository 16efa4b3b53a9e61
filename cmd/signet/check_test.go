// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/exitcode"
)

// begun is an input that tells when it is read, and never ends.
type begun struct {
	io.Reader
	tell func()
}

func (b begun) Read(p []byte) (int, error) {
	b.tell()
	return b.Reader.Read(p)
}

// A signal ends a check at once, whatever it is waiting for.
func TestCheckInterrupted(t *testing.T) {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	reading := make(chan struct{})
	in := begun{r, sync.OnceFunc(func() { close(reading) })}
	var out, errs bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"check", "-"}, console{in: in, out: &out, err: &errs}) }()
	<-reading
	cancel()
	select {
	case code := <-code:
		if code != exitcode.Failed || out.Len() > 0 || errs.String() != "signet: error: interrupted\n" {
			t.Errorf("exit %d, %q, %q", code, out.String(), errs.String())
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on reading")
	}
}

// Nothing is looked for in a kustomization when the signal has come.
func TestKustomizationInterrupted(t *testing.T) {
	isolate(t)
	writeTestFile(t, "kustomization.yaml", "generators: [unseal.yaml]\n")
	writeTestFile(t, "unseal.yaml", "apiVersion: signet.dev/v1alpha1\nkind: Unseal\nmetadata: {name: a}\nfiles: ['*.json']\n")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := readBuild(ctx, io.Discard, "."); err == nil || !strings.Contains(err.Error(), "no file matches") {
		t.Fatalf("it is not read: %v", err)
	}
	cancel()
	if found, err := readBuild(ctx, io.Discard, "."); err != context.Canceled || found != nil {
		t.Errorf("%v, %v", found, err)
	}
}
