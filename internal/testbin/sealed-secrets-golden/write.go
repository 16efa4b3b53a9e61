// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
)

// write fills DIR/keys with key files and DIR with documents. NAME.yaml is a
// SealedSecret, NAME.json the Secret that Sealed Secrets makes of it with the
// key rsa2048 or rsa4096 (the name says which), NAME.error what it says if it
// makes none.
func write(dir string) error {
	keys := filepath.Join(dir, "keys")
	if err := os.MkdirAll(keys, 0o755); err != nil {
		return err
	}
	other, err := newPair("other", 2048)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(keys, "other-pkcs1.pem"), other.pkcs1()); err != nil {
		return err
	}
	for _, bits := range []int{2048, 4096} {
		p, err := newPair(map[int]string{2048: "rsa2048", 4096: "rsa4096"}[bits], bits)
		if err != nil {
			return err
		}
		if err := writeKeys(keys, p, other); err != nil {
			return err
		}
		w := writer{dir: dir, pair: p, other: other}
		w.formats()
		if bits == 2048 {
			w.annotations()
			w.wrong()
			w.broken()
			w.templates()
		}
		if w.err != nil {
			return w.err
		}
	}
	return nil
}

type writer struct {
	dir         string
	pair, other *pair
	err         error // the first
}

// add writes a document and what becomes of it. Changes are made to the sealed
// document as an object of JSON, so that it can be anything.
func (w *writer) add(name string, sealed *v1alpha1.SealedSecret, changes ...func(object map[string]any)) {
	if w.err != nil {
		return
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(sealed)
	if err != nil {
		w.err = err
		return
	}
	clean(object)
	for _, change := range changes {
		change(object)
	}
	base := filepath.Join(w.dir, w.pair.name+"-"+name)
	w.err = writeFile(base+".yaml", object)
	if w.err == nil {
		w.err = w.expect(base, object)
	}
}

func (w *writer) expect(base string, object map[string]any) error {
	secret, err := w.open(object)
	if err != nil {
		return writeFile(base+".error", []byte(err.Error()+"\n"))
	}
	return writeFile(base+".json", secret)
}

func (w *writer) open(object map[string]any) (any, error) {
	var sealed v1alpha1.SealedSecret
	if err := decode(object, &sealed); err != nil {
		return nil, err
	}
	secret, err := unseal(&sealed, w.pair.key)
	return secret, err
}

// clean removes what kubeseal doesn't print, empty fields of the type.
func clean(object map[string]any) {
	delete(object, "status")
	spec := object["spec"].(map[string]any)
	if spec["encryptedData"] == nil {
		delete(spec, "encryptedData")
	}
	if t, ok := spec["template"].(map[string]any); ok && len(t) == 0 {
		delete(spec, "template")
	}
	delete(object["metadata"].(map[string]any), "creationTimestamp")
}
