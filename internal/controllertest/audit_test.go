// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

func TestPreconditionOf(t *testing.T) {
	for _, test := range []struct {
		name, verb, body string
		want             Precondition
	}{
		{"object", "update", `{"metadata":{"uid":"u","resourceVersion":"7"}}`, Precondition{"u", "7"}},
		{"merge patch", "patch", `{"metadata":{"uid":"u"},"status":{}}`, Precondition{UID: "u"}},
		{"JSON patch", "patch", `[{"op":"test","path":"/metadata/uid","value":"u"},` +
			`{"op":"replace","path":"/metadata/resourceVersion","value":"7"},{"op":"remove","path":"/data"}]`, Precondition{"u", "7"}},
		{"options of a deletion", "delete", `{"preconditions":{"uid":"u","resourceVersion":"7"}}`, Precondition{"u", "7"}},
		{"object in a deletion", "delete", `{"metadata":{"uid":"u","resourceVersion":"7"}}`, Precondition{}},
		{"of another type", "update", `{"metadata":{"uid":5,"resourceVersion":null}}`, Precondition{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := PreconditionOf(auditv1.Event{Verb: test.verb, RequestObject: &runtime.Unknown{Raw: []byte(test.body)}})
			if err != nil || got != test.want {
				t.Errorf("%+v, error %v, want %+v", got, err, test.want)
			}
		})
	}
	for name, e := range map[string]auditv1.Event{
		"no body": {Verb: "update"}, "no JSON": {Verb: "update", RequestObject: &runtime.Unknown{Raw: []byte("{")}},
	} {
		if got, err := PreconditionOf(e); err == nil {
			t.Errorf("%s: %+v and no error", name, got)
		}
	}
}
