// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// TestEmptyRoot runs the program where there is nothing else, as in its image:
// no libraries, no /etc, no /proc, no certificates, no time zones.
func TestEmptyRoot(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ns := lab.Namespace(t)
	lab.LaunchController(t, controllertest.Launch{Args: alone(nil, ns), Root: dir})
	arn := lab.KMS.CreateKey(kmstest.Key{})
	for name, recipient := range map[string]keys.Entry{"age": keys.AgeEntry{Recipient: lab.Recipient}, "kms": keys.KMSEntry{ARN: arn}} {
		lab.Create(t, lab.MustSeal(t, controllertest.Secret{
			Namespace: ns, Name: name, Data: map[string]string{"value": name}, For: []keys.Entry{recipient},
		}))
		lab.WaitReady(t, ns, name)
		lab.WaitData(t, ns, name, map[string]string{"value": name})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 { // the program, the kubeconfig and the identity
		t.Errorf("there is more in the root than was put there, or less: %v", entries)
	}
}
