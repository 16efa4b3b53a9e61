// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"errors"
	"fmt"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// TestWritesHavePreconditions has the controller do everything that it can do to
// Secrets and to statuses, and then looks at each request that it has made, for
// this test and for others: what changes or deletes something names the uid and
// the resourceVersion of what it means.
func TestWritesHavePreconditions(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	doEverything(t, ns)
	lab.Pass(t, ns)
	want := []string{
		"create secrets", "update secrets", "patch secrets", "delete secrets", "patch sealedsecrets/status", "patch sealingkeys/status",
	}
	var wrong []string
	controllertest.Until(t, "the requests are in the log", func(context.Context) error {
		requests, err := lab.Requests(shared)
		if err != nil {
			return err
		}
		wrong = nil
		kinds := map[string]int{}
		for _, r := range requests {
			if !controllertest.IsWrite(r) {
				continue
			}
			right, _ := controllertest.RightOf(r)
			kinds[r.Verb+" "+right.Resource]++
			if err := checkWrite(r, right); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s %s: %v", r.Verb, r.RequestURI, err))
			}
		}
		for _, kind := range want {
			if kinds[kind] == 0 {
				return fmt.Errorf("no %s among %v", kind, kinds)
			}
		}
		return nil
	})
	for _, text := range wrong {
		t.Error(text)
	}
}

// checkWrite returns what is wrong with a request that writes.
func checkWrite(r auditv1.Event, right controllertest.Right) error {
	switch right.Resource {
	case "secrets", "sealedsecrets/status", "sealingkeys/status":
		if r.Verb == "create" {
			return nil // fails if there is one already
		}
	case "events", "leases":
		return nil
	default:
		return errors.New("a write to something else")
	}
	p, err := controllertest.PreconditionOf(r)
	if err == nil && (p.UID == "" || p.ResourceVersion == "") {
		err = fmt.Errorf("%+v, want both", p)
	}
	return err
}

// doEverything drives the controller through all kinds of writes.
func doEverything(t *testing.T, ns string) {
	t.Helper()
	arn := lab.KMSKey()
	sealingKey, recipient, err := lab.SealingKey(t.Context(), ns, arn.ARN, ns)
	if err != nil {
		t.Fatal(err)
	}
	lab.Create(t, sealingKey)
	document := controllertest.Secret{Namespace: ns, Name: "app", Data: values{"a": "1"}, For: keysOf(recipient)}
	put := func() {
		t.Helper()
		lab.Replace(t, lab.MustSeal(t, document))
		lab.WaitReady(t, ns, "app")
	}
	lab.Create(t, lab.MustSeal(t, document))
	lab.WaitReady(t, ns, "app")
	document.Data = values{"a": "2"}
	document.Annotations = map[string]string{mergeMark: "extra,app"}
	put() // an update
	lab.Create(t, addition(t, ns, "extra", "app", values{"b": "1"}))
	lab.WaitReady(t, ns, "extra")
	document.Data = values{"a": "3"}
	put() // an update beside an addition
	lab.Delete(t, controllertest.NewSealedSecret(ns, "extra"))
	lab.WaitData(t, ns, "app", values{"a": "3"})
	document.Type = "example.com/other"
	put() // deleted and made anew
	document.Spec = map[string]any{"creationPolicy": "Merge"}
	put() // from updated to applied
	document.Spec = map[string]any{"creationPolicy": "Owner"}
	annotate(t, ns, "app", map[string]string{adoptMark: "app"})
	put() // and back
	old := lab.MustSecret(t, ns, "app")
	document.Name = "other"
	lab.Replace(t, controllertest.Named(lab.MustSeal(t, document), "app"))
	lab.WaitReady(t, ns, "app")
	lab.WaitGone(t, ns, "app", old.UID)
}
