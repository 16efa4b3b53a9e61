// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testcluster"
)

// What TestKilledTwentyTimes is made of.
const (
	killDocuments = 1000
	kills         = 20
)

// fate is what happens to a document while the controller is killed again and
// again.
type fate string

const (
	stays   fate = "stays"
	updated fate = "updated"
	deleted fate = "deleted"
	retyped fate = "retyped"
	renamed fate = "renamed"
	foreign fate = "foreign" // somebody else's Secret has the name
)

// fateOf deals the fates out: of ten documents five are updated.
func fateOf(i int) fate {
	return []fate{updated, updated, updated, updated, updated, deleted, retyped, renamed, foreign, stays}[i%10]
}

// population is documents that change.
type population struct {
	t         *testing.T
	lab       *controllertest.Lab
	namespace string
	changed   []*unstructured.Unstructured // what each becomes; nil: it is deleted, or stays
}

func documentName(i int) string { return fmt.Sprintf("doc-%d", i) }

// document is the i-th one, before or after its change.
func (p *population) document(i int, after bool) controllertest.Secret {
	s := controllertest.Secret{Namespace: p.namespace, Name: documentName(i), Data: map[string]string{"password": fmt.Sprint("before ", i)}}
	if !after {
		return s
	}
	switch fateOf(i) {
	case updated:
		s.Data = map[string]string{"password": fmt.Sprint("after ", i), "added": "key"}
	case retyped:
		s.Type = string(corev1.SecretTypeBasicAuth)
	case renamed:
		s.Name += "-renamed"
	}
	return s
}

// wanted is the Secret that should be there in the end, nil for none.
func (p *population) wanted(i int) *controllertest.Secret {
	if f := fateOf(i); f == deleted || f == foreign {
		return nil
	}
	s := p.document(i, true)
	if s.Type == "" {
		s.Type = string(corev1.SecretTypeOpaque)
	}
	return &s
}

// create makes all documents, and the Secrets of others.
func (p *population) create() {
	p.t.Helper()
	p.changed = make([]*unstructured.Unstructured, killDocuments)
	err := each(killDocuments, func(i int) error {
		ctx := p.t.Context()
		f := fateOf(i)
		if f == foreign {
			if err := p.lab.Admin.Create(ctx, p.theirs(documentName(i))); err != nil {
				return err
			}
		}
		o, err := p.lab.Seal(ctx, p.document(i, false))
		if err != nil {
			return err
		}
		if err := p.lab.Admin.Create(ctx, o); err != nil {
			return err
		}
		if f == stays || f == deleted {
			return nil
		}
		if o, err = p.lab.Seal(ctx, p.document(i, true)); err != nil {
			return err
		}
		p.changed[i] = controllertest.Named(o, documentName(i))
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *population) theirs(name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Data:       map[string][]byte{"theirs": []byte("theirs")},
	}
}

// change changes every document in some order.
func (p *population) change(ctx context.Context, order []int) error {
	return each(len(order), func(n int) error {
		i := order[n]
		if fateOf(i) == deleted {
			return p.lab.Admin.Delete(ctx, controllertest.NewSealedSecret(p.namespace, documentName(i)))
		}
		if p.changed[i] == nil {
			return nil
		}
		for {
			err := putIn(ctx, p.lab, p.changed[i])
			if err == nil || ctx.Err() != nil {
				return err
			} // else the controller has written the status meanwhile
		}
	})
}

// secrets are those of the namespace, as far as this test looks at them.
func (p *population) secrets(ctx context.Context) (map[string]controllertest.Secret, map[string]version, error) {
	list := &corev1.SecretList{}
	if err := p.lab.Admin.List(ctx, list, client.InNamespace(p.namespace)); err != nil {
		return nil, nil, err
	}
	ours, theirs := map[string]controllertest.Secret{}, map[string]version{}
	for _, s := range list.Items {
		if _, ok := s.Data["theirs"]; ok {
			theirs[s.Name] = version{s.UID, s.ResourceVersion}
			continue
		}
		found := controllertest.Secret{Namespace: s.Namespace, Name: s.Name, Type: string(s.Type), Data: map[string]string{}}
		for key, value := range s.Data {
			found.Data[key] = string(value)
		}
		ours[s.Name] = found
	}
	return ours, theirs, nil
}

// TestKilledTwentyTimes changes 1,000 documents while the controller is killed
// at random moments and started again, and wants every Secret right at the end,
// none lost and none of others touched. It has an API server that limits
// nothing.
func TestKilledTwentyTimes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*controllertest.Patience)
	defer cancel()
	l, err := controllertest.Open(ctx, controllertest.Options{Cluster: testcluster.Options{Throughput: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &population{t: t, lab: l, namespace: l.Namespace(t)}
	p.create()
	_, before, err := p.secrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.changeWhileKilling()
	last := l.RunController(t, alone(nil, p.namespace)...)
	began := time.Now()
	p.settles()
	t.Logf("all were right %.1f s after the last start", time.Since(began).Seconds())
	checkPanics(t, last)
	_, after, err := p.secrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("Secrets of others (-before +after):\n%s", diff)
	}
}

// changeWhileKilling spreads the changes over the lives of the controllers.
func (p *population) changeWhileKilling() {
	p.t.Helper()
	order := rand.Perm(killDocuments)
	for chunk := range slices.Chunk(order, killDocuments/kills) {
		c, err := p.lab.Run(p.t.Context(), alone([]string{"--min-backoff", "200ms"}, p.namespace)...)
		if err != nil {
			p.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(p.t.Context(), controllertest.Patience)
		err = c.WaitServing(ctx)
		changed := make(chan error, 1)
		go func() { changed <- p.change(ctx, chunk) }()
		<-time.After(rand.N(time.Second)) // the moment of the kill, which is nothing to wait for
		c.Kill()
		if err == nil {
			err = <-changed
		}
		cancel()
		if err != nil {
			p.t.Fatal(err)
		}
		checkPanics(p.t, c)
	}
}

// settles waits until exactly the Secrets are there that should be.
func (p *population) settles() {
	p.t.Helper()
	want := map[string]controllertest.Secret{}
	for i := range killDocuments {
		if s := p.wanted(i); s != nil {
			want[s.Name] = *s
		}
	}
	controllertest.UntilWithin(p.t, 2*controllertest.Patience, "every Secret is right", func(ctx context.Context) error {
		ours, _, err := p.secrets(ctx)
		if err != nil {
			return err
		}
		wrong := 0
		for name, s := range want {
			if !cmp.Equal(ours[name], s) {
				wrong++
			}
			delete(ours, name)
		}
		if wrong > 0 || len(ours) > 0 {
			return fmt.Errorf("%d are missing or wrong, %d should not be there", wrong, len(ours))
		}
		return nil
	})
	controllertest.UntilWithin(p.t, 2*controllertest.Patience, "every status is right", func(ctx context.Context) error {
		now, err := states(ctx, p.lab, p.namespace)
		if err != nil {
			return err
		}
		for i := range killDocuments {
			want, state := "", now[documentName(i)]
			if fateOf(i) == foreign {
				want = "SecretNotOwned"
			}
			if _, there := now[documentName(i)]; there == (fateOf(i) == deleted) || state != want {
				return fmt.Errorf("%s, which is %s: %q, want %q", documentName(i), fateOf(i), state, want)
			}
		}
		return nil
	})
}
