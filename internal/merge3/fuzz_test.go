// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// What is parsed is written and parsed again without a change, and nothing that
// can be parsed begins with a YAML document.
func FuzzParseConflict(f *testing.F) {
	good := &ConflictFile{Notes: []string{"conflict in prod/db"}, Base: []byte("b\n"), Ours: []byte("o\n=======\n"), Theirs: []byte("t")}
	f.Add(good.Bytes(7))
	f.Add(good.Bytes(12))
	f.Add(bytes.ReplaceAll(good.Bytes(7), []byte("\n"), []byte("\r\n")))
	f.Add([]byte("# signet: x\n<<<<<<< ours: @signet\n||||||| base\n=======\n>>>>>>> theirs\n"))
	f.Add([]byte("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		want := data
		if len(data) > 0 && data[len(data)-1] != '\n' {
			want = append(bytes.Clone(data), '\n')
		}
		file, ok := ParseConflict((&ConflictFile{Notes: []string{string(data)}, Base: data, Ours: data, Theirs: data}).Bytes(7))
		if !ok || !bytes.Equal(file.Base, want) || !bytes.Equal(file.Ours, want) || !bytes.Equal(file.Theirs, want) {
			t.Fatalf("%q does not come back: %v %+v", data, ok, file)
		}
		file, ok = ParseConflict(data)
		if !ok {
			return
		}
		again, ok := ParseConflict(file.Bytes(7))
		if !ok || !bytes.Equal(again.Base, file.Base) || !bytes.Equal(again.Ours, file.Ours) || !bytes.Equal(again.Theirs, file.Theirs) {
			t.Errorf("not the same again: %+v, %+v", file, again)
		}
		if stream, err := manifest.Split(data); err == nil {
			if _, err := stream.Documents[0].Node(); err == nil {
				t.Errorf("the first document can be read: %q", data)
			}
		}
	})
}

// Trees and Secrets keep their rules for whatever can be parsed.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(around), []byte(strings.Replace(around, "app: db", "app: x", 1)), []byte(strings.Replace(around, "prod", "test", 1)))
	f.Add([]byte("a: 1\nb: {c: 1}\n"), []byte("# c\na: 2\nb: {}\n"), []byte("b: {c: [1]}\na: 1 # x\n"))
	f.Add([]byte(secretHead+"data: {a: eA==}\n"), []byte(secretHead+"stringData: {a: x}\n"), []byte(secretHead))
	f.Add([]byte("a"), []byte("[]"), []byte("{}"))
	f.Fuzz(func(t *testing.T, b, o, th []byte) {
		base, err1 := manifest.Parse(b)
		ours, err2 := manifest.Parse(o)
		theirs, err3 := manifest.Parse(th)
		if err1 != nil || err2 != nil || err3 != nil {
			return
		}
		merged, conflicts := Trees(base, ours, theirs)
		other, swapped := Trees(base, theirs, ours)
		if diff := cmp.Diff(conflicts, swapped); diff != "" {
			t.Errorf("conflicts with the sides swapped:\n%s", diff)
		}
		if merged != nil && manifest.Check(merged) != nil {
			t.Errorf("merged: %v", manifest.Check(merged))
		}
		if x, c := Trees(base, ours, base); !identical(rootOf(x), rootOf(ours)) || len(c) > 0 {
			t.Errorf("over its base: %v", shown(c))
		}
		if x, c := Trees(base, base, ours); !identical(rootOf(x), rootOf(ours)) || len(c) > 0 {
			t.Errorf("over its base, swapped: %v", shown(c))
		}
		if x, c := Trees(base, ours, ours); !identical(rootOf(x), rootOf(ours)) || len(c) > 0 {
			t.Errorf("with itself: %v", shown(c))
		}
		for _, c := range conflicts {
			merged = c.TakeNode(merged, theirs)
		}
		if !same(rootOf(merged), rootOf(other)) {
			t.Error("all conflicts taken from theirs is not what swapped sides give")
		}
		_ = Describe(conflicts)
		fuzzSecrets(t, fuzzVersion(b, base), fuzzVersion(o, ours), fuzzVersion(th, theirs))
	})
}

// fuzzVersion makes a version of the bytes, three for each item.
func fuzzVersion(data []byte, around *yaml.Node) Version {
	f := flat{"type": "Opaque", "scope": "prod/db", "immutable": "false", "merge": "false"}
	for ; len(data) >= 3; data = data[3:] {
		key, value := string('a'+data[1]%4), string('a'+data[2]%4)
		switch data[0] % 8 {
		case 0, 1, 2:
			f["key "+key] = "text " + value
		case 3:
			f["key "+key] = "binary " + value
		case 4:
			f["label "+key] = value
		case 5:
			f["annotation "+key] = value
		case 6:
			f["type"] = value
		default:
			f["immutable"], f["merge"] = fmt.Sprint(data[1]%3 == 0), fmt.Sprint(data[1]%3 == 1)
		}
	}
	v := f.version()
	v.Around = around
	return v
}

func fuzzSecrets(t *testing.T, base, ours, theirs Version) {
	merged, conflicts := Secrets(&base, ours, theirs)
	other, swapped := Secrets(&base, theirs, ours)
	if diff := cmp.Diff(conflicts, swapped); diff != "" {
		t.Errorf("conflicts with the sides swapped:\n%s", diff)
	}
	if x, c := Secrets(&base, ours, base); !maps.Equal(flatten(x), flatten(ours)) || !same(rootOf(x.Around), rootOf(ours.Around)) || len(c) > 0 {
		t.Errorf("over its base: %v", shown(c))
	}
	if x, c := Secrets(&base, ours, ours); !maps.Equal(flatten(x), flatten(ours)) || !same(rootOf(x.Around), rootOf(ours.Around)) || len(c) > 0 {
		t.Errorf("with itself: %v", shown(c))
	}
	for _, c := range conflicts {
		c.Take(&merged, theirs)
	}
	if !maps.Equal(flatten(merged), flatten(other)) {
		t.Error("all conflicts taken from theirs is not what swapped sides give")
	}
}

// A file that both sides changed alike comes back as it is, and nothing else
// that a merge of lines could make goes wrong silently.
func FuzzStreams(f *testing.F) {
	a, b := sealedDoc("a", "1"), sealedDoc("b", "2")
	s, m := sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")
	f.Add([]byte(a), []byte(file(a, b)), []byte(file(b, a)))
	f.Add([]byte(file(s, m)), []byte(file(s, configMap("c", "1"), m)), []byte(s))
	f.Add([]byte("{\"apiVersion\":\"signet.dev/v1alpha1\",\"kind\":\"SealedSecret\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"sealed\":{}}}"), []byte("--- # x\n"+a+"...\n"), []byte(crlf(file(a, s))))
	f.Add([]byte("\ufeff"+a), []byte("%YAML 1.1\n---\n"+a+"\n\n"), []byte("---\n---\n"+a+"# end"))
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		alike, err := NewStreams(base, ours, ours)
		if err != nil {
			return
		}
		fuzzAlike(t, alike, ours)
		s, err := NewStreams(base, ours, theirs)
		if err != nil {
			return
		}
		for _, text := range [][]byte{s.Ours, s.Theirs, s.Base, ours, append(bytes.Clone(s.Ours), s.Theirs...)} {
			m, err := s.Merge(text)
			if err != nil {
				continue
			}
			for _, j := range m.Jobs {
				for _, d := range j.Documents {
					if !j.Settled && d.Ours != nil {
						d.Keep(d.Ours)
					} else if !j.Settled {
						d.Keep(d.Theirs)
					}
				}
			}
			if out, err := m.Bytes(); err != nil || bytes.Contains(out, []byte(tokenWord+": ")) && !bytes.Contains(slices.Concat(base, ours, theirs), []byte(tokenWord)) {
				t.Errorf("%v in %q", err, out)
			}
		}
	})
}

func fuzzAlike(t *testing.T, s *Streams, ours []byte) {
	m, err := s.Merge(s.Ours)
	if err != nil {
		t.Fatalf("%v in %q", err, s.Ours)
	}
	for _, j := range m.Jobs {
		if !j.Settled {
			t.Errorf("%v is not settled", summary(m))
		}
	}
	out, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	// Only what stands on the line of a separator may get a line of its own.
	if normal := func(b []byte) string { return strings.Join(strings.Fields(string(b)), " ") }; normal(out) != normal(ours) || !bytes.Equal(out, ours) && !bytes.Contains(ours, []byte("--- ")) && !bytes.Contains(ours, []byte("---\t")) {
		t.Errorf("%q became %q", ours, out)
	}
}
