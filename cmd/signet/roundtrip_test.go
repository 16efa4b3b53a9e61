// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
)

// secretType is a type of Secret with the keys that Kubernetes wants in it.
type secretType struct {
	name string
	keys []string
}

// builtInTypes are those of Kubernetes that may be sealed (core/v1 types.go).
var builtInTypes = []secretType{
	{"", nil},
	{"Opaque", nil},
	{"kubernetes.io/basic-auth", []string{"username", "password"}},
	{"kubernetes.io/ssh-auth", []string{"ssh-privatekey"}},
	{"kubernetes.io/tls", []string{"tls.crt", "tls.key"}},
	{"kubernetes.io/dockercfg", []string{".dockercfg"}},
	{"kubernetes.io/dockerconfigjson", []string{".dockerconfigjson"}},
	{"example.org/own", nil},
}

// yamlLike are strings that one or another reader of YAML takes for something
// else, or that writers break.
var yamlLike = []string{
	"", " ", "  ", "\n", "\n\n", "\t", "\r", "\r\n", "a\rb", "a\r\nb\r\n", " a", "a ", "a\n", "a\n\n", "\na", "a\n b\n", " a\nb", "a \nb", "a\t\nb", "\ta\n",
	"null", "Null", "~", "true", "True", "yes", "no", "on", "off", "y", "n", "0", "1", "-1", "+1", "1.0", ".5", "5.", "1e3", "1E3", "0x1f", "0o17", "017", "0b1", "1_000",
	"1:30", "190:20:30", ".inf", "-.inf", ".nan", ".NaN", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "<<", "=", "-", "- a", "--", "---", "--- a", "...", "?", "? a", ":", ": a", "a: b", "a:",
	"#", "# a", "a #b", "a # b", "&a", "*a", "!a", "!!str a", "!", "|", "|-", ">", ">+", "%", "%YAML 1.2", "@", "`", "'", "\"", "''", "\"\"", "'a'", "\"a\"", "\\", "\\n", "\\x41", "[", "[]", "[a]", "{", "{}", "{a: b}", ",",
	"a\n---\nb", "---\na", "a\n...\nb", "key: |\n  text\n", "$x", "${x}", "$$", "{{ x }}", "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]", "sops", "signet", "\x00", "a\x00b", "\x01\x02\x1b[31m", "\x7f", "\u0080", "\u0085", "a\u0085b", "\u00a0", "\u2028", "a\u2029b", "\ufeff", "a\ufeff",
	"\ufffd", "\ufffe", "\uffff", "\ud7ff", "\ue000", "\U00010000", "\U0001F600", "\U0010ffff", "e\u0301", "\u200b", "\u202e", "한국어", "日本語", "🏴‍☠️",
	"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", `{"auths":{"r.example":{"auth":"eDp5"}}}`, strings.Repeat("long ", 100), strings.Repeat("x", 5000), strings.Repeat("a b\n", 300),
}

// generator makes Secrets from a seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator  { return generator{rand.New(rand.NewPCG(seed, 7))} }
func pick[T any](g generator, from []T) T { return from[g.IntN(len(from))] }

// length is 0 to most, short more often than long.
func (g generator) length(most int) int {
	return int(float64(most) * g.Float64() * g.Float64() * g.Float64())
}

// binary has every byte value if it is long enough.
func (g generator) binary(n int) []byte {
	b := make([]byte, n)
	shift := g.IntN(256)
	for i := range b {
		b[i] = byte(i + shift)
	}
	g.Shuffle(n, func(i, j int) { b[i], b[j] = b[j], b[i] })
	return b
}

// text has characters of all planes, at most n bytes.
func (g generator) text(n int) string {
	if n < 2000 && g.IntN(2) == 0 {
		return pick(g, yamlLike)
	}
	var b strings.Builder
	for b.Len() < n-4 {
		switch g.IntN(6) {
		case 0:
			b.WriteByte(byte(g.IntN(128)))
		case 1:
			b.WriteString(pick(g, []string{"\n", " ", "\t", ": ", " #", "\n  ", "\"", "\\"}))
		case 2:
			if r := rune(g.IntN(0x110000)); utf8.ValidRune(r) {
				b.WriteRune(r)
			}
		default:
			b.WriteByte(byte('a' + g.IntN(26)))
		}
	}
	return b.String()
}

func (g generator) key() string {
	const letters = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := []byte{letters[3+g.IntN(len(letters)-3)]} // never ".."
	for range g.length(252) {
		b = append(b, letters[g.IntN(len(letters))])
	}
	return string(b)
}

// secret makes a Secret that a cluster could hold, sealed: binary values take
// 1.78 times their size.
func (g generator) secret() *manifest.Secret {
	kind := pick(g, builtInTypes)
	s := &manifest.Secret{
		Name: fmt.Sprintf("s%d", g.IntN(1000)), Namespace: fmt.Sprintf("ns-%d", g.IntN(10)), Type: kind.name, Immutable: g.IntN(3) == 0,
		Labels: map[string]string{}, Annotations: map[string]string{}, Data: map[string][]byte{}, StringData: map[string]string{},
	}
	for range g.IntN(4) {
		s.Labels["example.org/"+fmt.Sprint(g.IntN(100))] = pick(g, []string{"", "true", "1", "null", "1e3", "on", "0x1", "~", "1:30", "a-b"})
		s.Annotations["example.org/"+fmt.Sprint(g.IntN(100))] = "note " + g.text(g.length(2000))
	}
	room := 700 << 10
	keys := kind.keys
	most := pick(g, []int{0, 100, 4000, 512 << 10})
	for range g.IntN(501) {
		keys = append(keys, g.key())
	}
	for _, key := range keys {
		if s.Data[key] != nil {
			continue
		}
		delete(s.StringData, key)
		room -= 200 + len(key)*3
		if room <= 0 {
			break
		}
		size := min(g.length(most), room)
		if g.IntN(2) == 0 {
			s.Data[key] = g.binary(size)
		} else {
			s.StringData[key] = g.text(size)
		}
		room -= size * 18 / 10
	}
	return s
}

// object is the Secret as any program would hold it.
func object(s *manifest.Secret) map[string]any {
	metadata := map[string]any{"name": s.Name}
	if s.Namespace != "" {
		metadata["namespace"] = s.Namespace
	}
	o := map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
	texts := func(to map[string]any, field string, m map[string]string) {
		if len(m) > 0 {
			to[field] = anyMap(m)
		}
	}
	texts(metadata, "labels", s.Labels)
	texts(metadata, "annotations", s.Annotations)
	texts(o, "data", s.Base64Data())
	texts(o, "stringData", s.StringData)
	if s.Type != "" {
		o["type"] = s.Type
	}
	if s.Immutable {
		o["immutable"] = true
	}
	return o
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// writeSecret writes with other libraries than Signet's where they can.
func writeSecret(t testing.TB, s *manifest.Secret, asJSON bool) string {
	t.Helper()
	if asJSON {
		out, err := json.Marshal(object(s))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	out, err := yaml.Marshal(object(s))
	var back any
	if err != nil || yaml.Unmarshal(out, &back) != nil || !cmp.Equal(back, any(object(s))) {
		// The library breaks some texts, such as "\ta\n".
		if out, err = manifest.EncodeYAML(s.Node()); err != nil {
			t.Fatal(err)
		}
	}
	return string(out)
}

// sameSecret compares what came out with what went in: as Signet reads it and
// as kubectl does.
func sameSecret(t testing.TB, out string, want *manifest.Secret) {
	t.Helper()
	expected := *want
	if expected.Type == "" {
		expected.Type = "Opaque"
	}
	got, _, err := manifest.ParseSecret(parseDocument(t, out))
	if err != nil {
		t.Fatalf("%v in:\n%.2000s", err, out)
	}
	if diff := cmp.Diff(&expected, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(manifest.Secret{}, "Data")); diff != "" {
		t.Errorf("(-sealed +unsealed):\n%.4000s", diff)
	}
	if !maps.EqualFunc(expected.Data, got.Data, bytes.Equal) { // cmp takes minutes for it
		t.Error("data differs")
	}
	if diff := cmp.Diff(object(&expected), asKubectl(t, out)); diff != "" {
		t.Errorf("for kubectl (-sealed +unsealed):\n%.4000s", diff)
	}
}

// asKubectl reads a manifest as kubectl does: as JSON if it begins so
// (k8s.io/apimachinery: util/yaml, YAMLOrJSONDecoder).
func asKubectl(t testing.TB, text string) (object map[string]any) {
	t.Helper()
	read := func(data []byte, to any) error { return kyaml.UnmarshalStrict(data, to) }
	if strings.HasPrefix(text, "{") {
		read = json.Unmarshal
	}
	if err := read([]byte(text), &object); err != nil {
		t.Fatalf("kubectl cannot read it: %v in:\n%.2000s", err, text)
	}
	return object
}

// What is unsealed is what was sealed, byte for byte.
func TestRoundTrip(t *testing.T) {
	isolate(t)
	key := newKeyFile(t)
	n := 60
	keys := 0
	if raceEnabled { // 20 times slower
		n = 6
	}
	for seed := range uint64(n) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			g := newGenerator(seed)
			s := g.secret()
			keys += len(s.Data) + len(s.StringData)
			in := writeSecret(t, s, seed%3 == 0)
			scope := pick(g, []string{"strict", "namespace", "cluster"})
			var allow []string // short texts stand in annotations, too
			for name := range maps.Keys(s.StringData) {
				allow = append(allow, "--allow-clear", name)
			}
			sealed := mustRun(t, in, append([]string{"seal", "-", "-a", key.recipient, "--scope", scope}, allow...)...)
			sameSecret(t, mustRun(t, sealed, "unseal", "--age-key-file", key.path, "-"), s)
			if want := map[string]string{"strict": s.Namespace + "/" + s.Name, "namespace": s.Namespace + "/*", "cluster": "*/*"}[scope]; !strings.Contains(sealed, want) {
				t.Errorf("scope %s is not %s", scope, want)
			}
			if seed%4 == 0 && s.Type != "" { // to which SOPS adds none
				sops := mustRun(t, in, append([]string{"seal", "-", "-a", key.recipient, "--as", "sops"}, allow...)...)
				sameSecret(t, mustRun(t, sops, "unseal", "--age-key-file", key.path, "-"), s)
			}
		})
	}
	t.Logf("%d Secrets with %d keys", n, keys)
}

// Every string that YAML is known for stands every way of writing it.
func TestRoundTripStrings(t *testing.T) {
	isolate(t)
	key := newKeyFile(t)
	s := &manifest.Secret{Name: "s", Namespace: "n", Data: map[string][]byte{}, StringData: map[string]string{}, Labels: map[string]string{}, Annotations: map[string]string{}}
	var allow []string
	for i, text := range yamlLike {
		name := fmt.Sprintf("k%d", i)
		s.StringData[name], s.Data["b-"+name], s.Annotations["example.org/"+name] = text, []byte(text), text
		allow = append(allow, "--allow-clear", name, "--allow-clear", "b-"+name)
	}
	for _, asJSON := range []bool{false, true} {
		sealed := mustRun(t, writeSecret(t, s, asJSON), append([]string{"seal", "-", "-a", key.recipient}, allow...)...)
		sameSecret(t, mustRun(t, sealed, "unseal", "--age-key-file", key.path, "-"), s)
		// Through a cluster, which sorts keys.
		again, err := json.Marshal(asKubectl(t, sealed))
		if err != nil {
			t.Fatal(err)
		}
		sameSecret(t, mustRun(t, string(again), "unseal", "--age-key-file", key.path, "-"), s)
	}
}

// A document opens where its scope says, and comes out with that namespace.
func TestRoundTripScopes(t *testing.T) {
	isolate(t)
	key := newKeyFile(t)
	for _, row := range []struct {
		name, scope, namespace string
		unseal                 []string
		want                   string // namespace, or an error
		code                   int
	}{
		{"strict", "strict", "prod", nil, "prod", 0},
		{"strict, same namespace given", "strict", "prod", []string{"-n", "prod"}, "prod", 0},
		{"strict, another namespace given", "strict", "prod", []string{"-n", "test"}, `metadata.namespace is "prod", but "test" was asked for`, exitcode.NotOpened},
		{"namespace", "namespace", "prod", nil, "prod", 0},
		{"cluster", "cluster", "prod", nil, "prod", 0},
		{"cluster, no namespace", "cluster", "", []string{"-n", "test"}, "test", 0},
		{"cluster, no namespace at all", "cluster", "", nil, "nothing says in which namespace it is", exitcode.NotOpened},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &manifest.Secret{Name: "db", Namespace: row.namespace, StringData: map[string]string{"a": "b"}}
			sealed := mustRun(t, writeSecret(t, s, false), "seal", "-", "-a", key.recipient, "--scope", row.scope)
			o := runSignet(t, sealed, append([]string{"unseal", "--age-key-file", key.path, "-"}, row.unseal...)...)
			if o.code != row.code {
				t.Fatalf("exit %d\n%s", o.code, o.stderr)
			}
			if row.code != 0 && (o.stdout != "" || !strings.Contains(o.stderr, row.want)) {
				t.Errorf("stderr must contain %q:\n%s", row.want, o.stderr)
			}
			if row.code == 0 {
				s.Namespace = row.want
				sameSecret(t, o.stdout, s)
			}
		})
	}
}

// Up to its limits a Secret is sealed, beyond them there is a clear error.
func TestRoundTripLimits(t *testing.T) {
	isolate(t)
	key := newKeyFile(t)
	text := func(n int) *manifest.Secret {
		return &manifest.Secret{Name: "s", Namespace: "n", StringData: map[string]string{"a": strings.Repeat("x", n/2), "b": strings.Repeat("y", n-n/2)}}
	}
	binary := func(n int) *manifest.Secret {
		return &manifest.Secret{Name: "s", Namespace: "n", Data: map[string][]byte{"a": newGenerator(1).binary(n)}}
	}
	most := (seal.MaxDocumentBytes - 2000) * 9 / 16
	for _, row := range []struct {
		name   string
		secret *manifest.Secret
		want   string
	}{
		{"empty", text(0), ""},
		{"1 MiB of text", text(seal.MaxDataBytes), ""},
		{"1 MiB of text and a byte", text(seal.MaxDataBytes + 1), "s: seal: the decoded data of the Secret has 1048577 bytes, the limit is 1048576"},
		{"as much binary data as may be", binary(most), ""},
		{"more binary data than may be", binary(most + 2000), "s: seal: the sealed document has"},
		{"1 MiB of binary data", binary(1 << 20), "s: seal: the sealed document has"},
		{"4 MiB of binary data", binary(4 << 20), "s: seal: the decoded data of the Secret has 4194304 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := runSignet(t, writeSecret(t, row.secret, true), "seal", "-", "-a", key.recipient)
			if row.want != "" {
				if o.code != exitcode.Failed || o.stdout != "" || !strings.Contains(o.stderr, row.want) || !strings.Contains(o.stderr, "hint: split the Secret") {
					t.Errorf("exit %d, %d bytes on stdout, stderr must contain %q:\n%s", o.code, len(o.stdout), row.want, o.stderr)
				}
				return
			}
			if o.code != 0 {
				t.Fatalf("exit %d\n%s", o.code, o.stderr)
			}
			if large := len(o.stdout) > 300<<10; large != strings.Contains(o.stderr, "--server-side") {
				t.Errorf("%d bytes, notes:\n%s", len(o.stdout), o.stderr)
			}
			sameSecret(t, mustRun(t, o.stdout, "unseal", "--age-key-file", key.path, "-"), row.secret)
		})
	}
}

// FuzzRoundTrip seals and opens a Secret of given texts.
func FuzzRoundTrip(f *testing.F) {
	for i, text := range yamlLike {
		f.Add(text, []byte(text), yamlLike[(i+7)%len(yamlLike)], i%2 == 0)
	}
	f.Add(strings.Repeat("x", 1<<16), newGenerator(1).binary(1<<12), "", true)
	key := newKeyFile(f)
	f.Fuzz(func(t *testing.T, text string, binary []byte, annotation string, asJSON bool) {
		if !utf8.ValidString(text) || !utf8.ValidString(annotation) || len(text)+len(binary)+len(annotation) > 200<<10 {
			t.Skip("not text that a Secret can hold, or too much of it for many runs a second")
		}
		s := &manifest.Secret{Name: "s", Namespace: "n", Type: "Opaque",
			Data: map[string][]byte{"binary": binary}, StringData: map[string]string{"text": text}, Annotations: map[string]string{"example.org/a": annotation}}
		in, err := manifest.EncodeYAML(s.Node())
		if asJSON {
			in, err = json.Marshal(object(s))
		}
		if err != nil {
			t.Fatal(err)
		}
		sealed := mustRun(t, string(in), "seal", "-", "-a", key.recipient, "--allow-clear", "text", "--allow-clear", "binary")
		if len(binary) > 8 && strings.Contains(sealed, base64.StdEncoding.EncodeToString(binary)) && !strings.Contains(annotation, base64.StdEncoding.EncodeToString(binary)) {
			t.Error("plaintext in the sealed document")
		}
		sameSecret(t, mustRun(t, sealed, "unseal", "--age-key-file", key.path, "-"), s)
	})
}
