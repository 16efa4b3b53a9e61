// SPDX-License-Identifier: Apache-2.0

package fluxtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/kustomize-controller/internal/decryptor"
	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"
)

// keySecret is the Secret that holds Flux's age key, and all that there is in
// the cluster.
type keySecret struct {
	client.Client
	data map[string][]byte
}

func (k keySecret) Get(_ context.Context, _ types.NamespacedName, o client.Object, _ ...client.GetOption) error {
	o.(*corev1.Secret).Data = k.data
	return nil
}

// flux is Flux's decryption with a file of age keys.
func flux(t *testing.T, keyFile string) *decryptor.Decryptor {
	t.Helper()
	identity, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	d, cleanUp, err := decryptor.New(keySecret{data: map[string][]byte{"key.agekey": identity}}, &kustomizev1.Kustomization{
		ObjectMeta: metav1.ObjectMeta{Name: "billing", Namespace: "flux-system"},
		Spec: kustomizev1.KustomizationSpec{Decryption: &kustomizev1.Decryption{
			Provider: "sops", SecretRef: &meta.LocalObjectReference{Name: "sops-age"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cleanUp)
	if err := d.ImportKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// resources are the objects of a stream, as Flux has them after its build.
func resources(t *testing.T, stream string) []*resource.Resource {
	t.Helper()
	all, err := provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes([]byte(stream))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func asJSON(t *testing.T, r *resource.Resource) string {
	t.Helper()
	text, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What `seal --as sops` writes, Flux decrypts to exactly what was sealed.
func TestFluxDecrypts(t *testing.T) {
	s := atHome(t)
	for _, kind := range []string{"classic", "hybrid"} {
		t.Run(kind, func(t *testing.T) {
			file := kind + ".agekey"
			recipient := s.key(t, file, map[string][]string{"classic": {"--classic"}}[kind]...)
			plain := secrets(rand.New(rand.NewPCG(11, 13)), 20)
			sealed := s.must(t, plain, "seal", "-", "--as", "sops", "--age", recipient)
			d := flux(t, filepath.Join(s.dir, file))
			want := resources(t, plain)
			for i, r := range resources(t, sealed) {
				got, err := d.DecryptResource(r)
				if err != nil {
					t.Fatal(err)
				}
				if got == nil {
					t.Fatalf("object %d is nothing to decrypt to Flux", i)
				}
				same(t, want[i], got)
			}
		})
	}
}

// same compares two objects, without empty maps.
func same(t *testing.T, want, got *resource.Resource) {
	t.Helper()
	var texts [2]string
	for i, r := range []*resource.Resource{want, got} {
		var o map[string]any
		if err := json.Unmarshal([]byte(asJSON(t, r)), &o); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"data", "stringData"} {
			if m, _ := o[key].(map[string]any); len(m) == 0 {
				delete(o, key)
			}
		}
		texts[i] = fmt.Sprintf("%q", o)
	}
	if texts[0] != texts[1] {
		t.Errorf("decrypted to\n%.3000s\nwant\n%.3000s", texts[1], texts[0])
	}
}

// A SealedSecret is nothing to decrypt, even with a key that opens it: it has no
// .sops at the top level. Neither is what is annotated so.
func TestFluxLeavesAlone(t *testing.T) {
	s := atHome(t)
	recipient := s.key(t, "key.agekey", "--classic")
	d := flux(t, filepath.Join(s.dir, "key.agekey"))
	const plain = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"prod"},"stringData":{"password":"correct horse battery"}}`
	annotated := strings.Replace(plain, `"namespace"`, `"annotations":{"kustomize.toolkit.fluxcd.io/decrypt":"disabled"},"namespace"`, 1)
	tests := []struct {
		name, plain string
		args        []string
	}{
		{"SealedSecret", plain, nil},
		{"SealedSecret that is annotated", annotated, nil},
		{"SOPS-encrypted Secret that is annotated", annotated, []string{"--as", "sops"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sealed := s.must(t, test.plain, append([]string{"seal", "-", "--age", recipient}, test.args...)...)
			if strings.Contains(test.name, "annotated") && !strings.Contains(sealed, "kustomize.toolkit.fluxcd.io/decrypt") {
				t.Errorf("sealing lost the annotation:\n%s", sealed)
			}
			r := resources(t, sealed)[0]
			before := asJSON(t, r)
			got, err := d.DecryptResource(r)
			if got != nil || err != nil || asJSON(t, r) != before {
				t.Errorf("DecryptResource = %v, %v, or it changed the object", got, err)
			}
		})
	}
}

// What the README warns of: Flux takes a document that was changed and moved,
// which signet refuses, and substitutes after it has decrypted.
func TestWhatFluxDoesNotNotice(t *testing.T) {
	s := atHome(t)
	recipient := s.key(t, "key.agekey", "--classic")
	sealed := s.must(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"prod"},"stringData":{"password":"a ${VAR} b"}}`,
		"seal", "-", "--as", "sops", "--age", recipient)
	moved := strings.NewReplacer("prod", "elsewhere").Replace(sealed)
	if moved == sealed {
		t.Fatal("nothing to change")
	}
	if out, err := s.run(moved, "unseal", "--age-key-file", "key.agekey", "-"); err == nil || out != "" {
		t.Errorf("signet opened it")
	}
	got, err := flux(t, filepath.Join(s.dir, "key.agekey")).DecryptResource(resources(t, moved)[0])
	if err != nil {
		t.Fatal(err)
	}
	if got.GetNamespace() != "elsewhere" {
		t.Errorf("namespace %q", got.GetNamespace())
	}
	text, err := got.AsYAML()
	if err != nil {
		t.Fatal(err)
	}
	after, err := substitute(string(text), false)
	if err != nil || !strings.Contains(after, "a SUBSTITUTED b") {
		t.Errorf("substituted to\n%s\n%v", after, err)
	}
}
