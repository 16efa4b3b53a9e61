// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// hostileDocument builds a document under k and a selector that was never
// encrypted: what an attacker makes who knows a recipient.
func hostileDocument(tb testing.TB, k keys.DataKey, s keys.Selector, body *yaml.Node) *yaml.Node {
	tb.Helper()
	c, err := NewCipher(k)
	if err != nil {
		tb.Fatal(err)
	}
	md := &Metadata{Recipients: keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, LastModified: lastModified(sealedAt), Selector: s, Version: Version}
	md.mac = c.Encrypt([]byte("x"), TypeString, md.macAAD())
	manifest.Set(body, MetadataKey, md.node())
	return body
}

// TestHostileFiles protects against documents that keep a reader busy: work
// must grow with the size of the document only.
func TestHostileFiles(t *testing.T) {
	k := keys.GenerateDataKey()
	comment := func(kind keys.SelectorKind, pattern string) keys.Selector {
		return keys.Selector{Kind: kind, Pattern: pattern}
	}
	many := func(key string, n int) *yaml.Node {
		below := manifest.Mapping()
		for i := range n {
			below.Content = append(below.Content, manifest.String("k"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+time.Duration(i).String()), manifest.String(""))
		}
		return manifest.Mapping(manifest.String(key), below)
	}
	withComment := func(text string) *yaml.Node {
		n := manifest.Mapping(manifest.String("a"), manifest.String("b"))
		n.Content[0].HeadComment = text
		return n
	}
	c, err := NewCipher(k)
	if err != nil {
		t.Fatal(err)
	}
	items := manifest.Mapping(manifest.String("a"), &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"})
	item := c.Encrypt([]byte(strings.Repeat("x", 50)), TypeComment, "a:").String()
	for range 30_000 {
		items.Content[1].Content = append(items.Content[1].Content, manifest.String(item))
	}
	tests := []struct {
		name     string
		selector keys.Selector
		body     *yaml.Node
	}{
		{"many comments", comment(keys.UnencryptedCommentRegex, "x+y"), withComment(strings.Repeat("#xxx\n", 150_000))},
		{"many comments that ask", comment(keys.EncryptedCommentRegex, "x+y"), withComment(strings.Repeat("#xxx\n", 150_000))},
		{"long key", keys.Selector{}, many(strings.Repeat("k", 4<<20), 50_000)},
		{"many keys below a long one", comment(keys.EncryptedRegex, "k{0,300}k{0,300}z"), many(strings.Repeat("k", 4000), 50_000)},
		{"many long keys", comment(keys.EncryptedRegex, ".*a.*b.*c.*d.*e.*f.*g"), many("k", 100_000)},
		{"many comments as items", keys.Selector{}, items},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			if _, err := openFileTree(k, hostileDocument(t, k, test.selector, test.body)); err == nil {
				t.Error("it opens")
			}
			if took := time.Since(start); took > 2*time.Minute { // 0.7 s alone; quadratic work takes hours
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestSelectorBudget protects the bound on regular expressions that fit alone
// but not together with the text.
func TestSelectorBudget(t *testing.T) {
	k := keys.GenerateDataKey()
	body := manifest.Mapping()
	for i := range 2000 {
		body.Content = append(body.Content, manifest.String(strings.Repeat("a", 2000)+time.Duration(i).String()), manifest.String(""))
	}
	doc := hostileDocument(t, k, keys.Selector{Kind: keys.EncryptedRegex, Pattern: "a{0,450}x"}, body)
	start := time.Now()
	_, err := openFileTree(k, doc)
	if kind, _ := errorAt(err); kind != "InvalidError" || !strings.Contains(err.Error(), "too much text") {
		t.Errorf("got %v", err)
	}
	t.Logf("refused after %v", time.Since(start))
}

// TestMovedComments protects comments around the metadata: the stock sops takes
// those before its block for the document's own.
func TestMovedComments(t *testing.T) {
	const before = "# before the metadata"
	k := keys.GenerateDataKey()
	for name, text := range map[string]string{
		"metadata last":  "a: x\nz: y\n",
		"metadata first": "z: y\n",
	} {
		t.Run(name, func(t *testing.T) {
			docs := parseDocuments(t, []byte(text))
			s := FileSettings{Recipients: keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, Now: sealedAt}
			out, _, err := EncryptFile(docs, k, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			root := manifest.Root(out[0])
			if name == "metadata first" {
				sortKeys(root)
			}
			for i := 0; i < len(root.Content); i += 2 {
				if root.Content[i].Value == MetadataKey {
					root.Content[i].HeadComment = before
				}
			}
			plain, err := openFileTree(k, out...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{before}, sortedComments(plain)); diff != "" {
				t.Errorf("comments (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCommentLines protects against comments whose plaintext would leave its
// line and become YAML.
func TestCommentLines(t *testing.T) {
	k := keys.GenerateDataKey()
	c, err := NewCipher(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a\nb: c", "a\rb: c", "a\u0085b: c", "a\u2028b: c", "a\u2029b: c", "a\xffb"} {
		docs := parseDocuments(t, []byte("a: x\nl: [y]\n"))
		out, _, err := EncryptFile(docs, k, FileSettings{Recipients: keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, Now: sealedAt}, nil)
		if err != nil {
			t.Fatal(err)
		}
		root := manifest.Root(out[0])
		root.Content[0].HeadComment = "#" + c.Encrypt([]byte(text), TypeComment, ":").String()
		list := get(root, "l")
		list.Content = append(list.Content, manifest.String(c.Encrypt([]byte(text), TypeComment, "l:").String()))
		plain, err := openFileTree(k, out...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"#", "#"}, sortedComments(plain)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		if diff := cmp.Diff(flatten(t, docs), flatten(t, plain)); diff != "" {
			t.Errorf("%q: data (-want +got):\n%s", text, diff)
		}
	}
}

// TestRefusesOddInput protects callers that hand over what a parser gave for
// nothing, or a tree that no parser made.
func TestRefusesOddInput(t *testing.T) {
	k := keys.GenerateDataKey()
	s := FileSettings{Recipients: keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, Now: sealedAt}
	loop := manifest.Mapping(manifest.String("a"), &yaml.Node{Kind: yaml.AliasNode})
	loop.Content[1].Alias = loop
	for name, doc := range map[string]*yaml.Node{
		"nil":            nil,
		"zero":           {},
		"empty document": {Kind: yaml.DocumentNode},
		"scalar":         manifest.String("x"),
		"null":           {Kind: yaml.ScalarNode, Tag: "!!null"},
		"list":           {Kind: yaml.SequenceNode, Tag: "!!seq"},
		"alias":          loop,
		"odd mapping":    {Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{manifest.String("sops")}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseFile(doc); err == nil {
				t.Error("ParseFile takes it")
			}
			if _, err := ParseEnvelope(doc); err == nil {
				t.Error("ParseEnvelope takes it")
			}
			if _, _, err := EncryptFile([]*yaml.Node{doc}, k, s, nil); err == nil {
				t.Error("EncryptFile takes it")
			}
		})
	}
	if _, err := ParseFile(); err == nil {
		t.Error("ParseFile takes nothing")
	}
	if _, err := NewCipher(keys.DataKey{}); err == nil {
		t.Error("NewCipher takes the zero key")
	}
}

// TestSealEnvelopeRefuses protects against sealing what could not be read.
func TestSealEnvelopeRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Clear, *Content)
		path string
	}{
		{"scope", func(c *Clear, _ *Content) { c.Scope.Namespace = "Prod" }, "scope"},
		{"type", func(c *Clear, _ *Content) { c.Type = "" }, "type"},
		{"label", func(c *Clear, _ *Content) { c.Labels["app"] = "\xff" }, "labels.app"},
		{"annotation key", func(c *Clear, _ *Content) { c.Annotations["\xff"] = "x" }, `annotations["\xff"]`},
		{"key", func(_ *Clear, c *Content) { c.StringData["a:b"] = "x" }, `["a:b"]`},
		{"key that leads up", func(_ *Clear, c *Content) { c.Data["..x"] = "" }, `["..x"]`},
		{"key in both", func(_ *Clear, c *Content) { c.StringData["cert"] = "x" }, "stringData.cert"},
		{"text", func(_ *Clear, c *Content) { c.StringData["password"] = canary + "\xff" }, "signet.stringData.password"},
		{"base64", func(_ *Clear, c *Content) { c.Data["cert"] = canary }, "signet.data.cert"},
		{"base64 with line break", func(_ *Clear, c *Content) { c.Data["cert"] = "AAAA\n" }, "signet.data.cert"},
		{"base64 with stray bits", func(_ *Clear, c *Content) { c.Data["cert"] = "AB==" }, "signet.data.cert"},
	}
	k := keys.GenerateDataKey()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clear, content := tamperClear(), tamperContent()
			test.edit(&clear, &content)
			_, err := SealEnvelope(clear, content, k, keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, sealedAt, nil)
			if kind, path := errorAt(err); kind != "InvalidError" || path != test.path {
				t.Errorf("got %s at %q, want InvalidError at %q: %v", kind, path, test.path, err)
			}
			checkNoLeak(t, err)
		})
	}
}
