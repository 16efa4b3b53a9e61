// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/signet-secrets/signet/seal/manifest"
)

func fuzzFiles(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// checkText demands what every error and note holds to: one line of text that
// can be printed.
func checkText(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) || len(text) > 4000 {
		t.Errorf("text is %q", text)
	}
}

// FuzzKeys: any file gives keys, each of which works, or an error.
func FuzzKeys(f *testing.F) {
	fuzzFiles(f, golden+"/keys/*")
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ParseKeys(data)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%d keys and error %v", len(keys), err)
		}
		if err != nil {
			checkText(t, err.Error())
		}
		for _, key := range keys {
			if err := key.Validate(); err != nil {
				t.Errorf("a key that is not valid: %v", err)
			}
		}
	})
}

// FuzzUnseal: any document opens or is an error of one of the documented types,
// and opening doesn't change it.
func FuzzUnseal(f *testing.F) {
	fuzzFiles(f, golden+"/rsa2048-*.yaml")
	keys := testKeys(f, "rsa2048-pkcs1.pem")
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := manifest.Parse(data)
		if err != nil {
			return
		}
		before := n
		if n != nil {
			before = manifest.Clone(n)
		}
		r, err := Unseal(n, Options{Keys: keys})
		if n != nil && !manifest.Equal(before, n) {
			t.Error("the document has changed")
		}
		var (
			syntax   *manifest.SyntaxError
			open     *OpenError
			template *TemplateError
		)
		switch {
		case err == nil:
			if r.Secret.Name == "" {
				t.Error("a Secret without a name")
			}
			for _, note := range r.Notes {
				checkText(t, note)
			}
		case !errors.As(err, &syntax) && !errors.As(err, &open) && !errors.As(err, &template):
			t.Errorf("error is %#v", err)
		default:
			checkText(t, err.Error())
		}
	})
}

// FuzzTemplate: any template renders within the limits or is a *TemplateError,
// and the same every time.
func FuzzTemplate(f *testing.F) {
	for _, template := range templateCases() {
		f.Add(template)
	}
	for _, template := range hostileTemplates() {
		if len(template) < 10_000 {
			f.Add(template)
		}
	}
	data := templateContext()
	f.Fuzz(func(t *testing.T, template string) {
		out, err := renderOurs(template, data)
		if e := new(TemplateError); err != nil && (!errors.As(err, &e) || e.Reason == "" || out != "") {
			t.Errorf("rendered %d bytes, error is %#v", len(out), err)
		}
		if err != nil {
			checkText(t, err.Error())
		}
		if len(out) > maxOutputBytes {
			t.Errorf("rendered %d bytes", len(out))
		}
		if again, _ := renderOurs(template, data); again != out {
			t.Error("rendered otherwise the second time")
		}
	})
}
