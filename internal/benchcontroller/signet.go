// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

const keyName = "bench"

// signet is signet-controller with the rights of the install manifests.
type signet struct {
	lab    *controllertest.Lab
	key    *unstructured.Unstructured // the SealingKey
	entry  keys.Entry
	sealed []document
}

var _ contender = (*signet)(nil)

func newSignet(ctx context.Context, lab *controllertest.Lab) (*signet, error) {
	key, entry, err := lab.SealingKey(ctx, keyName, lab.KMS.CreateKey(kmstest.Key{}), namespace)
	return &signet{lab: lab, key: key, entry: entry}, err
}

// seal makes the documents for the SealingKey, and the one to warm up with for
// another key, so that the SealingKey is still to be opened after it.
func (c *signet) seal(ctx context.Context, n int) (err error) {
	c.sealed, err = sealAll(ctx, n, func(ctx context.Context, name string, values map[string]string, warm bool) ([]byte, error) {
		s := controllertest.Secret{Namespace: namespace, Name: name, Data: values}
		if !warm {
			s.For = []keys.Entry{c.entry}
		}
		o, err := c.lab.Seal(ctx, s)
		if err != nil {
			return nil, err
		}
		return o.MarshalJSON()
	})
	return err
}

// randomValues is what a Secret holds.
func randomValues() map[string]string {
	return map[string]string{"username": rand.Text(), "password": rand.Text(), "url": rand.Text()}
}

func (c *signet) name() string               { return "signet" }
func (c *signet) manifests() ([]byte, error) { return c.lab.Parts() }
func (c *signet) collection() string {
	return "/apis/signet.dev/v1alpha1/namespaces/" + namespace + "/sealedsecrets"
}
func (c *signet) condition() string { return "Ready" }

func (c *signet) documents(n int) ([]document, document) {
	return c.sealed[:n], c.sealed[len(c.sealed)-1]
}

func (c *signet) prepare(ctx context.Context, s *site) error {
	c.lab.Cluster = s.Cluster
	text, err := c.key.MarshalJSON()
	if err != nil {
		return err
	}
	return s.Apply(ctx, text)
}

func (c *signet) start(ctx context.Context) (process, error) {
	running, err := c.lab.Run(ctx)
	return &signetProcess{running}, err
}

// signetProcess is a signet-controller that runs.
type signetProcess struct{ *controllertest.Controller }

var _ process = (*signetProcess)(nil)

func (p *signetProcess) pid() int                          { return p.PID() }
func (p *signetProcess) serving(ctx context.Context) error { return p.WaitServing(ctx) }
func (p *signetProcess) ended() <-chan struct{}            { return p.Done() }
func (p *signetProcess) log() string                       { return p.Log() }
func (p *signetProcess) stop() error                       { return p.Stop() }

func (p *signetProcess) done(ctx context.Context) (int, error) {
	text, err := p.Metrics(ctx)
	return int(sumSeries(text, "signet_controller_objects", `ready="True"`)), err
}
