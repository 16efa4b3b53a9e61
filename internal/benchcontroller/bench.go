// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/figures"
	"github.com/signet-secrets/signet/internal/kmstest"
)

// kmsLatency is how long the KMS takes for an answer, as the real one does
// within a Region.
const kmsLatency = 15 * time.Millisecond

// bench is one run: the programs, and what they are measured with.
type bench struct {
	options
	lab           *controllertest.Lab // its cluster is another one for each measurement
	signet        *signet
	sealedSecrets *sealedSecrets
}

// newBench builds the programs and seals the documents.
func newBench(ctx context.Context, o options) (*bench, error) {
	log.SetLogger(logr.Discard())
	say("building the programs")
	lab, err := controllertest.Open(ctx, controllertest.Options{Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, lab: lab}
	lab.KMS.SetFaults(kmstest.Faults{Latency: kmsLatency})
	if err = lab.Cluster.Close(); err != nil { // each measurement has its own
		return nil, errors.Join(err, b.close())
	}
	if b.signet, err = newSignet(ctx, lab); err == nil {
		b.sealedSecrets, err = newSealedSecrets(ctx, lab.Dir)
	}
	if err == nil {
		say("sealing %d documents for Signet, %d for Sealed Secrets", max(o.objects, o.big), o.objects)
		err = b.signet.seal(ctx, max(o.objects, o.big))
	}
	if err == nil {
		err = b.sealedSecrets.seal(ctx, o.objects)
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error { return b.lab.Close() }

// say tells on stderr what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

// printMachine prints what the numbers depend on and how they were taken.
func (b *bench) printMachine(ctx context.Context, w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %d cores, %s/%s, %s\n", time.Now().Format(time.DateOnly), figures.CPUModel(ctx),
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fmt.Fprintf(w, "Medians of %d rounds in which the programs take turns, each on a fresh control plane on the same machine;\n", b.rounds)
	fmt.Fprintln(w, "a ratio is how many times as much the other one took, that of the median round.")
	fmt.Fprintf(w, "Signet: 3 values per object, all sealed for one hybrid SealingKey, AWS KMS at %v. Sealed Secrets %s: RSA 4096,\n", kmsLatency, b.sealedSecrets.version)
	fmt.Fprintf(w, "without a limit of queries. API server: %d clients that POST a Secret and PATCH a status as Signet does.\n", workers)
	fmt.Fprint(w, "Every Secret was compared with what went in.\n\n")
}
