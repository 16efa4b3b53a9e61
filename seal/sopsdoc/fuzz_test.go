// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

func FuzzParseValue(f *testing.F) {
	const good = "ENC[AES256_GCM,data:AA==,iv:AAAAAAAAAAAAAAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"
	for _, s := range []string{"", good, good + "\n", strings.Replace(good, "AA==,iv", "AB==,iv", 1), strings.Replace(good, "type:str", "type:comment", 1), strings.ReplaceAll(good, "=", "")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseValue(s)
		if err == nil && (v.String() != s || !LooksEncrypted(s)) {
			t.Errorf("%q is written %q, or does not look encrypted", s, v.String())
		}
	})
}

// FuzzEnvelope protects the reader of envelopes: no panic, and what opens is
// what was sealed, so that sealing it again changes nothing.
func FuzzEnvelope(f *testing.F) {
	k := dataKeyFromHex(f, strings.TrimSpace(string(readFile(f, filepath.Join(vectors, "negative", "datakey.txt")))))
	e := sealForTest(f, tamperClear(), tamperContent(), k, keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, nil)
	f.Add(encodeYAML(f, e.Node()))
	asJSON, err := manifest.EncodeJSON(e.Node(), "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(asJSON)
	clear := tamperClear()
	clear.Merge = true
	f.Add(encodeYAML(f, sealForTest(f, clear, tamperContent(), k, keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, nil).Node()))
	addFiles(f, filepath.Join(vectors, "negative", "*.yaml"))
	addFiles(f, filepath.Join(vectors, "envelopes", "*", "sealed.yaml"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := manifest.Parse(data)
		if err != nil || n == nil {
			return
		}
		e, err := ParseEnvelope(manifest.Root(n))
		if err != nil {
			return
		}
		if again, err := ParseEnvelope(e.Node()); err != nil || !Sorted(again.Node()) {
			t.Errorf("what is written does not parse: %v", err)
		}
		content, err := e.Open(k)
		if err != nil {
			return
		}
		again, err := SealEnvelope(e.Clear, content, k, e.Metadata.Recipients, sealedAt, &Previous{Envelope: e, Content: content})
		if err != nil || again != e {
			t.Errorf("sealing it again changes it: %v", err)
		}
	})
}

// FuzzSealingKey protects the reader of SealingKeys: no panic, what is read is
// written as it was, and what opens is a key pair that was sealed.
func FuzzSealingKey(f *testing.F) {
	dk := dataKeyFromHex(f, strings.TrimSpace(string(readFile(f, filepath.Join(vectors, "negative-sealingkeys", "datakey.txt")))))
	clear, id := keyPair(f, classicKeyFile, "prod", "a", "b")
	k := sealKeyForTest(f, clear, id, dk, keys.Recipients{Groups: []keys.Group{{fakeKMS}}})
	f.Add(encodeYAML(f, k.Node()))
	asJSON, err := manifest.EncodeJSON(k.Node(), "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(asJSON)
	addFiles(f, filepath.Join(vectors, "negative-sealingkeys", "*.yaml"))
	addFiles(f, filepath.Join(vectors, "sealingkeys", "*", "sealingkey.yaml"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := manifest.Parse(data)
		if err != nil || n == nil {
			return
		}
		k, err := ParseSealingKey(manifest.Root(n))
		if err != nil {
			return
		}
		if err := k.check(); err != nil {
			t.Errorf("was read, but %v", err)
		}
		again, err := ParseSealingKey(k.Node())
		if err != nil || !Sorted(again.Node()) || !manifest.Equal(k.Node(), again.Node()) {
			t.Errorf("what is written does not parse as the same: %v", err)
		}
		_ = k.CheckContext()
		got, err := k.Open(dk)
		if err != nil {
			return
		}
		// In every genuine SealingKey of the corpus the two belong together.
		if pair, err := agekey.ParseIdentity(got.Reveal()); err != nil || pair.Recipient() != k.Recipient {
			t.Errorf("opens as a key pair that nobody has sealed: %s, %v", k.Recipient, err)
		}
	})
}

func addFiles(f *testing.F, pattern string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no files %s, %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// FuzzFile protects both directions of SOPS files: no panic on a document that
// claims to be encrypted, and every document that can be encrypted opens to the
// same data, and is then unchanged.
func FuzzFile(f *testing.F) {
	for i := range selectorRules {
		f.Add([]byte(newGenerator(uint64(i)).text()), uint8(i))
		f.Add(readFile(f, filepath.Join(vectors, "stock", selectorRules[i].name+".enc.yaml")), uint8(i))
	}
	f.Add(readFile(f, filepath.Join(vectors, "stock", "json.enc.json")), uint8(0))
	f.Add([]byte("a: !!null text\nb: !!int \"1\"\nc: !!float x\nd: !!timestamp 2\ne: !!str 1\n"), uint8(0))
	f.Add([]byte("signet:\n  # comment\n  a: {}\n\"signet:a\": 1\n"), uint8(1))
	k := dataKeyFromHex(f, strings.Repeat("42", 32))
	f.Fuzz(func(t *testing.T, data []byte, rule uint8) {
		docs := fuzzDocuments(data)
		if docs == nil {
			return
		}
		if encrypted, err := ParseFile(docs...); err == nil {
			_, _ = encrypted.Decrypt(k)
		}
		r := selectorRules[int(rule)%len(selectorRules)]
		s := FileSettings{Recipients: keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, Selector: r.selector, MACOnlyEncrypted: r.macOnly, Now: sealedAt}
		out, _, err := EncryptFile(docs, k, s, nil)
		if err != nil {
			return
		}
		checkFileRoundTrip(t, docs, out, k, s)
	})
}

func fuzzDocuments(data []byte) []*yaml.Node {
	stream, err := manifest.Split(data)
	if err != nil || len(data) > 1<<16 {
		return nil
	}
	var docs []*yaml.Node
	for _, d := range stream.Documents {
		n, err := d.Node()
		if err != nil {
			return nil
		}
		if n != nil {
			docs = append(docs, n)
		}
	}
	return docs
}

func checkFileRoundTrip(t *testing.T, docs, out []*yaml.Node, k keys.DataKey, s FileSettings) {
	file, err := ParseFile(out...)
	if err != nil {
		t.Fatalf("what was encrypted does not parse: %v", err)
	}
	plain, err := file.Decrypt(k)
	if err != nil {
		t.Fatalf("what was encrypted does not open: %v", err)
	}
	if diff := cmp.Diff(flatten(t, docs), flatten(t, plain)); diff != "" {
		t.Errorf("other data (-want +got):\n%s", diff)
	}
	again, unchanged, err := EncryptFile(docs, k, s, &PreviousFile{File: file, DataKey: k})
	if err != nil || !unchanged || again != nil {
		t.Errorf("encrypting it again: unchanged %v, %v", unchanged, err)
	}
}

// FuzzCanonicalJSON compares with encoding/json, whose maps are sorted
// bytewise too, and which differs only in how it escapes.
func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"b":1,"a":[true,"x",{"z":{},"y":-2}]}`, `{"é":"\u2028\u0000\n\t\"\\\/<>&\u007f","e":"🔑"}`, `{"":{"":""}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if !utf8.Valid(data) || json.Unmarshal(data, &v) != nil {
			return
		}
		v = withoutNumbers(v)
		got := canonicalJSON(nodeOf(v))
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		if want := longEscapes(bytes.TrimSuffix(b.Bytes(), []byte("\n"))); !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
		var back any
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if diff := cmp.Diff(v, back); diff != "" {
			t.Errorf("reads back differently:\n%s", diff)
		}
	})
}

// withoutNumbers leaves what canonical JSON has: no null, no fractions.
func withoutNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = withoutNumbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = withoutNumbers(v[i])
		}
	case nil, float64:
		return "number"
	}
	return v
}

func nodeOf(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := manifest.Mapping()
		for key := range v {
			n.Content = append(n.Content, manifest.String(key), nodeOf(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, nodeOf(item))
		}
		return n
	case bool:
		return manifest.Bool(v)
	default:
		return scalar(v.(string))
	}
}

// longEscapes turns the escapes of encoding/json into those of canonical JSON.
func longEscapes(in []byte) []byte {
	long := map[byte]string{'b': `\u0008`, 'f': `\u000c`, 'n': `\u000a`, 'r': `\u000d`, 't': `\u0009`}
	var out []byte
	for i := 0; i < len(in); i++ {
		switch {
		case in[i] != '\\':
			out = append(out, in[i])
			continue
		case long[in[i+1]] != "":
			out = append(out, long[in[i+1]]...)
		case slices.Contains([]string{`\u2028`, `\u2029`}, string(in[i:min(i+6, len(in))])):
			out = append(out, map[byte]string{'8': "\u2028", '9': "\u2029"}[in[i+5]]...)
			i += 4
		default:
			out = append(out, in[i], in[i+1])
		}
		i++
	}
	return out
}
