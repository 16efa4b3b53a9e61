// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// newStockKey returns a key, and what gives it to the stock sops.
func newStockKey(t *testing.T) (key, string) {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return key{id.Recipient(), agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}})}, id.Reveal()
}

// stockDecrypt opens a document with the stock sops and nothing else of the
// machine.
func stockDecrypt(t *testing.T, identity, text string) string {
	t.Helper()
	dir := t.TempDir()
	r := testtool.Run(t, testtool.Cmd{
		Path: testtool.Path(t, "sops"), Dir: dir, Stdin: []byte(text),
		Args: []string{"decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin"},
		Env:  []string{"SOPS_AGE_KEY=" + identity, "HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "SOPS_DISABLE_VERSION_CHECK=1"},
	})
	if r.ExitCode != 0 {
		t.Fatalf("sops decrypt: %s\n%s", r.Stderr, text)
	}
	return string(r.Stdout)
}

// stockOpens compares what the stock sops makes of a SealedSecret's envelope.
func stockOpens(t *testing.T, identity string, object *yaml.Node, c seal.Change) {
	t.Helper()
	text, err := manifest.EncodeYAML(manifest.Get(manifest.Root(reparsed(t, object)), "spec", "sealed"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := manifest.Parse([]byte(stockDecrypt(t, identity, string(text))))
	if err != nil {
		t.Fatal(err)
	}
	got := leaves(plain, "", map[string]string{})
	for name, want := range map[string]map[string]string{
		"/signet/data": c.Content.Data, "/signet/stringData": c.Content.StringData, "/labels": c.Clear.Labels, "/annotations": c.Clear.Annotations,
	} {
		for key, value := range want {
			if got[name+"/"+key] != value {
				t.Errorf("sops: %s/%s is %q, want %q", name, key, got[name+"/"+key], value)
			}
			delete(got, name+"/"+key)
		}
	}
	for path := range got {
		if strings.Count(path, "/") > 1 && path != "/signet/binding" {
			t.Errorf("sops: %s is there too", path)
		}
	}
}

// mutate makes a random edit.
func mutate(r *rand.Rand, c *seal.Change) {
	names := []string{"a", "b", "c", "password", "user", "keystore"}
	texts := []string{"", "x", "correct horse", "ENC[", "line one\nline two\n", "한국어", "true", "0777", "\t"}
	key, text := names[r.IntN(len(names))], texts[r.IntN(len(texts))]
	if c.Content.Data == nil {
		c.Content.Data = map[string]string{}
	}
	switch r.IntN(8) {
	case 0, 1, 2:
		delete(c.Content.Data, key)
		c.Content.StringData[key] = text
	case 3:
		delete(c.Content.StringData, key)
		c.Content.Data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	case 4:
		delete(c.Content.Data, key)
		delete(c.Content.StringData, key)
	case 5:
		c.Clear.Labels["l"+key] = fmt.Sprint(r.IntN(3))
	case 6:
		delete(c.Clear.Labels, "l"+key)
	case 7:
		c.Clear.Annotations["note"] = fmt.Sprint("n", r.IntN(3))
	}
}

// TestAmendRandomly protects documents over a long life: what an edit does not
// touch keeps its ciphertext, an edit that is undone leaves the rest, no nonce
// serves two texts, and the stock sops opens every tenth version.
func TestAmendRandomly(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3, 4} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			k, identity := newStockKey(t)
			prev := k.open(t, oddDocument(t, k))
			uses := map[string]string{} // nonce to path and text
			o := k.options()
			o.AllowClear = []string{"a", "b", "c", "password", "user", "keystore"}
			for step := range 40 {
				o.Now = o.Now.Add(time.Minute)
				c := changeOf(prev)
				for range r.IntN(4) {
					mutate(r, &c)
				}
				result := mustAmend(t, prev, c, o)
				checkOpens(t, k, result, c)
				checkStep(t, prev, result, c, uses)
				if step%10 == 0 {
					stockOpens(t, identity, result.Node, c)
				}
				prev = k.open(t, reparsed(t, result.Node))
			}
		})
	}
}

// checkStep compares two versions of a document value by value.
func checkStep(t *testing.T, prev *seal.Previous, result *seal.Result, c seal.Change, uses map[string]string) {
	t.Helper()
	before, after := leaves(prev.Object, "", map[string]string{}), leaves(result.Node, "", map[string]string{})
	same := func(path string) bool {
		name := path[strings.LastIndex(path, "/")+1:]
		old, now := prev.Sealed.Content.StringData, c.Content.StringData
		if strings.Contains(path, "/signet/data/") {
			old, now = prev.Sealed.Content.Data, c.Content.Data
		}
		was, ok := old[name]
		return ok && was == now[name]
	}
	for path, text := range after {
		v, err := sopsdoc.ParseValue(text)
		if err != nil {
			continue
		}
		use := path + "=" + text
		if old, seen := uses[string(v.Nonce)]; seen && old != use {
			t.Errorf("one nonce for %s and %s", old, use)
		}
		uses[string(v.Nonce)] = use
		if strings.Count(path, "/") == 5 && same(path) != (before[path] == text) {
			t.Errorf("%s: kept %v, the same %v", path, before[path] == text, same(path))
		}
	}
	if unchanged := len(changed(before, after)) == 0; unchanged != result.Unchanged || unchanged != (prev.Sealed.Content.Equal(c.Content) && cmp.Equal(prev.Sealed.Envelope.Clear, c.Clear)) {
		t.Errorf("unchanged: %v by what is written, %v by what is said", unchanged, result.Unchanged)
	}
}

// TestStockOpensAmended protects users of sops: it opens what any of the four
// functions makes.
func TestStockOpensAmended(t *testing.T) {
	k, identity := newStockKey(t)
	more, otherIdentity := newStockKey(t)
	prev := k.open(t, oddDocument(t, k))
	c := changeOf(prev)
	c.Content.StringData["password"], c.Clear.Labels["tier"] = "battery staple", "back"
	both, _ := k.forBoth(more)
	stockOpens(t, identity, mustAmend(t, prev, c, later(k.options())).Node, c)
	fresh := later(k.options())
	fresh.FreshKey = true
	stockOpens(t, identity, mustAmend(t, prev, c, fresh).Node, c)
	for _, all := range []bool{false, true} {
		both.WrapAll = all
		added, err := seal.AddRecipients(t.Context(), prev, both)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{identity, otherIdentity} {
			stockOpens(t, id, added.Node, changeOf(prev))
		}
	}
	for _, macOnly := range []bool{false, true} {
		file := encryptOdd(t, k, macOnly)
		docs := decrypted(t, file)
		setValue(docs, "password", "battery staple")
		o := sopsOptions(both)
		o.WrapAll = false
		amended, err := seal.AmendFile(t.Context(), file, docs, sopsOptions(k.options()))
		if err != nil {
			t.Fatal(err)
		}
		added, err := seal.AddFileRecipients(t.Context(), k.openFile(t, amended.Nodes), o)
		if err != nil {
			t.Fatal(err)
		}
		for id, nodes := range map[string][]*yaml.Node{identity: amended.Nodes, otherIdentity: added.Nodes} {
			if got := stockDecrypt(t, id, fileText(t, nodes)); !strings.Contains(got, "password: battery staple\n") || !strings.Contains(got, "a: one\n") {
				t.Errorf("sops gives\n%s", got)
			}
		}
	}
}
