// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

func TestConflictFileBytes(t *testing.T) {
	f := &ConflictFile{
		Notes:  []string{"conflict in prod/db: password (changed on both sides)", "finish with: signet edit db.yaml"},
		Base:   []byte("a: 1\n"),
		Ours:   []byte("a: 2\n"),
		Theirs: []byte("a: 3"),
	}
	const want = `# signet: conflict in prod/db: password (changed on both sides)
# signet: finish with: signet edit db.yaml
<<<<<<< ours: @signet
a: 2
||||||| base
a: 1
=======
a: 3
>>>>>>> theirs
`
	if diff := cmp.Diff(want, string(f.Bytes(7))); diff != "" {
		t.Error(diff)
	}
}

func TestConflictFileRoundTrip(t *testing.T) {
	markers := "<<<<<<< ours: @signet\n||||||| base\n=======\n>>>>>>> theirs\n"
	nested := (&ConflictFile{Base: []byte("b\n"), Ours: []byte("o\n"), Theirs: []byte("t\n")}).Bytes(7)
	tests := []struct {
		name               string
		size               int
		base, ours, theirs string
		wantSize           int
	}{
		{"plain", 7, "b\n", "o\n", "t\n", 7},
		{"no base", 7, "", "o\n", "t\n", 7},
		{"all empty", 7, "", "", "", 7},
		{"size of Git", 12, "b\n", "o\n", "t\n", 12},
		{"size too small", 0, "b\n", "o\n", "t\n", 7},
		{"size too large", 1 << 30, "b\n", "o\n", "t\n", maxMarker / 2},
		{"negative size", -1, "b\n", "o\n", "t\n", 7},
		{"documents", 7, "---\na: 1\n---\nb: 1\n", "---\na: 2\n", "...\n---\n", 7},
		{"markers in the versions", 7, "b\n", markers, "t\n", 8},
		{"longer markers in the versions", 7, "========\nb\n", markers, "t\n>>>>>>>>>\n", 10},
		{"markers with a gap", 7, "=======\n", "o\n", "=========\n", 8},
		{"a conflict file in a conflict file", 7, "b\n", string(nested), "t\n", 8},
		{"CRLF", 7, "b\r\n", "o\r\n", "t\r\n", 7},
		{"notes in the versions", 7, "b\n", "# signet: conflict\no\n", "# signet: x\n", 7},
		{"not UTF-8", 7, "\xff\n", "\x00\n", "\xfe\n", 7},
		{"blank lines", 7, "\n\n", "\n", "\n\n\n", 7},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := &ConflictFile{Notes: []string{"conflict"}, Base: []byte(test.base), Ours: []byte(test.ours), Theirs: []byte(test.theirs)}
			data := want.Bytes(test.size)
			got, ok := ParseConflict(data)
			if !ok {
				t.Fatalf("not parsed:\n%s", data)
			}
			if diff := cmp.Diff(want, got, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
				t.Error(diff)
			}
			if first := strings.Split(string(data), "\n")[1]; strings.Count(first, "<") != test.wantSize {
				t.Errorf("the first marker is %q, want %d characters", first, test.wantSize)
			}
			if again := got.Bytes(test.size); !bytes.Equal(data, again) {
				t.Errorf("written again:\n%s", again)
			}
			crlf := bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
			if got, ok = ParseConflict(crlf); !ok || string(got.Ours) != strings.ReplaceAll(strings.ReplaceAll(test.ours, "\r\n", "\n"), "\n", "\r\n") {
				t.Errorf("with CRLF: %v, %+v", ok, got)
			}
		})
	}
}

// Nobody who reads YAML or JSON takes anything from a conflict file, not even
// who stops at the first document or skips what is no mapping.
func TestConflictFileIsNoYAML(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
	for name, text := range map[string]string{
		"plain":              secret,
		"with a separator":   "---\n" + secret,
		"ended":              secret + "---\n",
		"two documents":      "---\n" + secret + "---\n" + secret + "---\n",
		"end marker":         secret + "...\n",
		"JSON":               `{"apiVersion":"v1","kind":"Secret"}` + "\n",
		"empty":              "",
		"a comment":          "# a\n",
		"directive":          "%YAML 1.2\n---\n" + secret,
		"quote":              "\"\n",
		"block scalar":       "|\n  a\n",
		"no final new line":  "a: 1",
		"continues the line": " x\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := &ConflictFile{Notes: []string{"a", "b"}, Base: []byte(text), Ours: []byte(text), Theirs: []byte(text)}
			data := f.Bytes(7)
			d := yaml.NewDecoder(bytes.NewReader(data))
			var n yaml.Node
			if err := d.Decode(&n); err == nil {
				t.Errorf("the first document is YAML:\n%s", data)
			}
			stream, err := manifest.Split(data)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Documents[0].Node(); err == nil {
				t.Errorf("the first document can be read:\n%s", data)
			}
		})
	}
}

func TestConflictNotes(t *testing.T) {
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprint("note ", i))
	}
	tests := []struct {
		name  string
		notes []string
		want  []string
	}{
		{"none", nil, []string{"conflict"}},
		{"line breaks", []string{"a\nb\r\nc\u2028d\u0085e"}, []string{"a?b??c?d?e"}},
		{"controls", []string{"a\x1b[31mb\x00\u202e"}, []string{"a?[31mb??"}},
		{"long", []string{strings.Repeat("ä", 600)}, []string{strings.Repeat("ä", 499) + "…"}},
		{"many", many, append(append([]string{}, many[:19]...), "11 more")},
		{"just enough", many[:20], many[:20]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := (&ConflictFile{Notes: test.notes}).Bytes(7)
			f, ok := ParseConflict(data)
			if !ok {
				t.Fatalf("not parsed:\n%s", data)
			}
			if diff := cmp.Diff(test.want, f.Notes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseConflictRefuses(t *testing.T) {
	good := string((&ConflictFile{Base: []byte("b\n"), Ours: []byte("o\n"), Theirs: []byte("t\n")}).Bytes(7))
	if _, ok := ParseConflict([]byte(good)); !ok {
		t.Fatal("the good one is refused")
	}
	replaced := replacer(t, good)
	for name, text := range map[string]string{
		"nothing":               "",
		"notes alone":           "# signet: conflict\n",
		"no notes":              replaced("# signet: conflict\n", ""),
		"another comment":       "# x\n" + good,
		"text before":           replaced("<<<<<<<", "x\n<<<<<<<"),
		"text after":            good + "x\n",
		"Git's own":             "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n",
		"Git's own, with notes": "# signet: conflict\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n",
		"no base":               replaced("||||||| base\nb\n", ""),
		"no theirs":             replaced(">>>>>>> theirs\n", ""),
		"another label":         replaced(" base", " bass"),
		"more in a label":       replaced(">>>>>>> theirs", ">>>>>>> theirs x"),
		"another size":          replaced("||||||| base", "|||||||| base"),
		"short markers":         replaced("<<<<<<<", "<<<<<<", "|||||||", "||||||", "=======", "======", ">>>>>>>", ">>>>>>"),
		"a marker twice":        replaced("=======\n", "=======\n=======\n"),
		"other order":           replaced("||||||| base", "=======", "=======", "||||||| base"),
		"two conflict files":    good + good,
		"too many notes":        strings.Repeat("# signet: x\n", 21) + replaced("# signet: conflict\n", ""),
		"too long notes":        "# signet: " + strings.Repeat("x", maxHeaderBytes) + "\n" + good,
		"markers too large":     replaced("<<<<<<<", strings.Repeat("<", maxMarker+1)),
		"a sealed document":     around,
	} {
		t.Run(name, func(t *testing.T) {
			if f, ok := ParseConflict([]byte(text)); ok {
				t.Errorf("parsed as %+v", f)
			}
		})
	}
}

// Whatever the versions hold, markers stay short: to take a size a version has
// to have a line of it.
func TestMarkerSizeBounded(t *testing.T) {
	var b bytes.Buffer
	for size := 1; b.Len() < 4<<20; size++ {
		b.WriteString(strings.Repeat("=", size) + "\n")
	}
	long := bytes.Repeat([]byte("<"), 4<<20)
	f := &ConflictFile{Base: b.Bytes(), Ours: append(long, '\n'), Theirs: []byte("t\n")}
	data := f.Bytes(7)
	if extra := len(data) - len(f.Base) - len(f.Ours) - len(f.Theirs); extra > 4*4000 {
		t.Errorf("%d bytes of markers", extra)
	}
	got, ok := ParseConflict(data)
	if !ok || !bytes.Equal(got.Base, f.Base) || !bytes.Equal(got.Ours, f.Ours) || !bytes.Equal(got.Theirs, f.Theirs) {
		t.Error("does not read back")
	}
}
