// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// verify asks the API server whether every document is ready, and compares the
// Secrets with what was sealed. It is not timed.
func (s *site) verify(ctx context.Context, c contender, documents []document) error {
	secrets, ready := map[string]map[string]string{}, map[string]bool{}
	err := s.list(ctx, "/api/v1/namespaces/"+namespace+"/secrets", func(o object) {
		values := map[string]string{}
		for key, value := range o.Data {
			values[key] = string(value)
		}
		secrets[o.Metadata.Name] = values
	})
	if err != nil {
		return err
	}
	err = s.list(ctx, c.collection(), func(o object) {
		for _, condition := range o.Status.Conditions {
			ready[o.Metadata.Name] = ready[o.Metadata.Name] || condition.Type == c.condition() && condition.Status == metav1.ConditionTrue
		}
	})
	if err != nil {
		return err
	}
	for _, d := range documents {
		if !ready[d.name] {
			return fmt.Errorf("%s calls %s done, and its condition %s is not True", c.name(), d.name, c.condition())
		}
		if !maps.Equal(secrets[d.name], d.values) {
			return fmt.Errorf("%s calls %s done, and its Secret is not what was sealed", c.name(), d.name)
		}
	}
	return nil
}

// object is what verify looks at of a Secret and of a document.
type object struct {
	Metadata struct{ Name, UID, ResourceVersion string }
	Data     map[string][]byte
	Status   struct {
		Conditions []struct {
			Type   string
			Status metav1.ConditionStatus
		}
	}
}

// list reads objects in portions.
func (s *site) list(ctx context.Context, path string, each func(object)) error {
	for next := ""; ; {
		text, err := s.admin.Get().AbsPath(path).Param("limit", "500").Param("continue", next).SetHeader("Accept", "application/json").DoRaw(ctx)
		if err != nil {
			return err
		}
		var page struct {
			Metadata struct{ Continue string }
			Items    []object
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return err
		}
		for _, o := range page.Items {
			each(o)
		}
		if next = page.Metadata.Continue; next == "" {
			return nil
		}
	}
}
