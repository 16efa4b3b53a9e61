// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

func TestEventOfAWrite(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*view)
		wrote  written
		want   Reason
	}{
		{"drift", func(*view) {}, written{event: Updated}, Healed},
		{"opened anew for another reason", func(*view) {}, written{event: Updated, same: true}, ""},
		{"made anew", func(*view) {}, written{}, Healed},
		{"new document", func(v *view) { v.object.Generation = 3 }, written{event: Updated}, Updated},
		{"new document with the same content", func(v *view) { v.object.Generation = 3 }, written{event: Updated, same: true}, ""},
		{"after a failure", func(v *view) { v.failedAs(KeyUnavailable) }, written{event: Updated}, Updated},
		{"the first time", func(v *view) { v.status = &v1alpha1.SealedSecretStatus{} }, written{}, ""},
		{"another name", func(v *view) { v.status.Secret.Name = "old"; v.object.Generation = 3 }, written{}, Updated},
		{"adopted", func(v *view) { v.status = &v1alpha1.SealedSecretStatus{} }, written{event: Adopted}, Adopted},
		{"recreated", func(*view) {}, written{event: Recreated}, Recreated},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := settledView()
			c.change(v)
			c.wrote.secret = v.secret
			if got := v.event(&c.wrote); got != c.want {
				t.Errorf("event %q, want %q", got, c.want)
			}
		})
	}
}
