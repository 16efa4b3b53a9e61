// SPDX-License-Identifier: Apache-2.0

// Package security tests what nobody may be able to do by way of the controller,
// and the merge policy, where most of that could go wrong, on a real API server
// with the install manifests, admission policies included.
//
// One controller serves all tests. What takes a controller of one's own, or a
// cluster without the policies, is in package noadmission beside this one.
package security

import (
	"context"
	"os"
	"testing"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testcluster"
)

var (
	// lab is shared by the tests: each has a namespace of its own.
	lab *controllertest.Lab
	// shared is the controller.
	shared *controllertest.Controller
)

func TestMain(m *testing.M) {
	options := controllertest.Options{Cluster: testcluster.Options{Audit: true}}
	os.Exit(controllertest.Main(m, options, func(l *controllertest.Lab) (err error) {
		lab = l
		ctx, cancel := context.WithTimeout(context.Background(), controllertest.Patience)
		defer cancel()
		shared, err = l.Run(ctx, "--log-level", "debug", "--min-backoff", "100ms", "--max-backoff", "2s")
		if err != nil {
			return err
		}
		return shared.WaitServing(ctx)
	}))
}

// showLog prints the log of the controller if the test fails.
func showLog(t *testing.T, namespace string) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the controller about %s:\n%s", namespace, shared.LogAbout(namespace))
		}
	})
}
