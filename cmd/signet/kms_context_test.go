// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/manifest"
)

// place is where a document is, and what it says of itself: everything that
// takes part in the decision whether KMS is asked.
type place struct {
	namespace, secretName string
	scope                 string
	context               map[string]string
}

// The document that is copied and forged was sealed for prod/db, with a pair of
// the encryption context that a rule added.
func (p place) edit(root *yaml.Node) {
	putText("metadata/namespace", p.namespace)(root)
	putText("spec/secretName", p.secretName)(root)
	putText("spec/sealed/scope", p.scope)(root)
	context := manifest.Mapping()
	for k, v := range p.context {
		manifest.Set(context, k, doubleQuoted(v))
	}
	put("spec/sealed/sops/kms/0/context", context)(root)
}

// matches is the rule for each half of a scope.
func matches(pattern, name string) bool { return pattern == "*" || pattern == name }

// asked tells, by the rules and not by the code, whether KMS may be called.
func (p place) asked() bool {
	namespace, name, _ := strings.Cut(p.scope, "/")
	if !matches(namespace, p.namespace) || !matches(name, p.secretName) {
		return false
	}
	if p.context["kubernetes-namespace"] != namespace || p.context["kubernetes-name"] != name {
		return false
	}
	for k := range p.context {
		if strings.HasPrefix(k, "signet-") || strings.HasPrefix(k, "kubernetes-") && k != "kubernetes-namespace" && k != "kubernetes-name" {
			return false
		}
	}
	return true
}

// forgedContexts are what an attacker could write into the context of a
// document of which they have rewritten the scope.
func forgedContexts(sealed map[string]string, scope string) map[string]map[string]string {
	namespace, name, _ := strings.Cut(scope, "/")
	pairs := func(changes ...string) map[string]string {
		c := map[string]string{"kubernetes-namespace": namespace, "kubernetes-name": name, "team": "blue"}
		for i := 0; i < len(changes); i += 2 {
			if delete(c, changes[i]); changes[i+1] != "" {
				c[changes[i]] = changes[i+1]
			}
		}
		return c
	}
	return map[string]map[string]string{
		"as sealed":                 sealed,
		"of the scope":              pairs(),
		"no pairs":                  {},
		"without the namespace":     pairs("kubernetes-namespace", ""),
		"without the name":          pairs("kubernetes-name", ""),
		"another namespace":         pairs("kubernetes-namespace", "other"),
		"another name":              pairs("kubernetes-name", "other"),
		"namespace in capitals":     pairs("kubernetes-namespace", strings.ToUpper(namespace)+"X"),
		"without the extra pair":    pairs("team", ""),
		"another extra pair":        pairs("team", "red"),
		"one more extra pair":       pairs("stage", "test"),
		"a reserved pair":           pairs("kubernetes-cluster", "a"),
		"a reserved pair of Signet": pairs("signet-sealing-key", "prod"),
	}
}

// forgeries are all combinations of where a document is and what it claims.
func forgeries(sealed place) map[string]place {
	all := map[string]place{}
	for _, namespace := range []string{"prod", "test"} {
		for _, name := range []string{"db", "cache"} {
			for _, scope := range []string{"prod/db", "test/db", "test/cache", "prod/*", "test/*", "*/db", "*/*"} {
				for what, context := range forgedContexts(sealed.context, scope) {
					all[fmt.Sprintf("%s/%s claims %s, context %s", namespace, name, scope, what)] = place{namespace, name, scope, context}
				}
			}
		}
	}
	return all
}

// A document opens where it was sealed for and nowhere else, whatever is
// rewritten in it. KMS is asked only if scope, place and encryption context
// agree, once; and then it has the last word, because the data key is bound to
// the context.
func TestForgedContext(t *testing.T) {
	srv, arn := newKMS(t)
	writeTestFile(t, ".sops.yaml", "creation_rules:\n  - key_groups: [{kms: [{arn: "+arn+", context: {team: blue}}]}]\n")
	for _, flag := range []string{"strict", "namespace", "cluster"} {
		t.Run(flag, func(t *testing.T) {
			if raceEnabled && flag != "namespace" {
				t.SkipNow() // one is enough to find races
			}
			sealedText := mustRun(t, victimSecret, "seal", "-", "--scope", flag)
			document := manifest.Root(parseDocument(t, sealedText))
			sealed := place{"prod", "db", step(document, "spec/sealed/scope").Value, srv.Calls()[len(srv.Calls())-1].Context}
			if sealed.context["team"] != "blue" || len(sealed.context) != 3 {
				t.Fatalf("sealed with the context %v", sealed.context)
			}
			opened, asked, total := 0, 0, 0
			for name, forged := range forgeries(sealed) {
				total++
				if forged.asked() {
					asked++
				}
				root := cloneNode(document)
				forged.edit(root)
				if checkForged(t, srv, name, sealed, forged, encodeLoose(t, root)) {
					opened++
				}
			}
			t.Logf("%d documents: %d refused without a call, %d by KMS, %d opened in their scope", total, total-asked, asked-opened, opened)
			if opened == 0 || asked == opened {
				t.Error("the table does not hold every outcome")
			}
		})
	}
}

// checkForged opens one document and reports whether it had to open.
func checkForged(t *testing.T, srv *kmstest.Server, name string, sealed, forged place, document string) bool {
	t.Helper()
	srv.ResetCounts()
	o := runSignet(t, document, "unseal", "-")
	got := srv.Calls()
	same := forged.scope == sealed.scope && maps.Equal(forged.context, sealed.context)
	switch {
	case !forged.asked():
		if o.code != exitcode.NotOpened || o.stdout != "" || len(got) != 0 {
			t.Errorf("%s: exit %d, %d bytes on stdout, calls %+v; want a refusal without a call\n%s", name, o.code, len(o.stdout), got, o.stderr)
		}
	case same:
		if o.code != 0 || len(got) != 1 || !strings.Contains(o.stdout, "namespace: "+forged.namespace+"\n") || !strings.Contains(o.stdout, "name: "+forged.secretName+"\n") {
			t.Errorf("%s: exit %d, calls %+v; want it to open\n%s%s", name, o.code, got, o.stdout, o.stderr)
		}
		return true
	default:
		if o.code != exitcode.NotOpened || o.stdout != "" || len(got) != 1 || got[0].Error != "InvalidCiphertextException" || !maps.Equal(got[0].Context, forged.context) {
			t.Errorf("%s: exit %d, %d bytes on stdout, calls %+v; want one call, which KMS refuses\n%s", name, o.code, len(o.stdout), got, o.stderr)
		}
	}
	for _, plain := range victimPlain {
		if strings.Contains(o.stdout+o.stderr, plain) {
			t.Errorf("%s: plaintext in the output", name)
		}
	}
	return false
}

// A SealingKey cannot be passed off as another one, and opens no documents of
// namespaces that are not on its list; no call is made to find that out.
func TestForgedSealingKey(t *testing.T) {
	srv, arn := newKMS(t)
	recipient := newSealingKey(t, "team-a", arn, "--namespaces", "prod")
	const file = ".signet/keys/team-a.yaml"
	key := manifest.Root(parseDocument(t, readTestFile(t, file)))
	sealed := mustRun(t, victimSecret, "seal", "-", "-a", recipient)
	const context = "spec/sealed/sops/kms/0/context"
	own := map[string]string{"signet-sealing-key": "team-a"}
	for _, row := range []struct {
		name     string
		edit     change
		document string
		call     *kmstest.Call // nil: none
		want     string        // "": it opens
	}{
		{"untouched", func(*yaml.Node) {}, sealed, &kmstest.Call{Context: own}, ""},
		{"one more pair of the context", putText(context+"/team", "blue"), sealed,
			&kmstest.Call{Context: map[string]string{"signet-sealing-key": "team-a", "team": "blue"}, Error: "InvalidCiphertextException"}, "InvalidCiphertextException"},
		{"renamed", putText("metadata/name", "team-b"), sealed, nil, "is not that of the SealingKey team-b"},
		{"renamed, with the context", all(putText("metadata/name", "team-b"), putText(context+"/signet-sealing-key", "team-b")), sealed,
			&kmstest.Call{Context: map[string]string{"signet-sealing-key": "team-b"}, Error: "InvalidCiphertextException"}, "InvalidCiphertextException"},
		{"without a context", remove(context), sealed, nil, "is not that of the SealingKey team-a"},
		{"with the context of a document", all(putText(context+"/kubernetes-namespace", "prod"), putText(context+"/kubernetes-name", "db")), sealed, nil, `holds the reserved name "kubernetes-name"`},
		{"another namespace", func(*yaml.Node) {}, strings.ReplaceAll(sealed, "prod", "test"), nil, "namespaces"},
		{"another list of namespaces", putYAML("spec/namespaces", "[test]"), sealed, nil, "namespaces"},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := cloneNode(key)
			row.edit(root)
			writeTestFile(t, file, encodeLoose(t, root))
			srv.ResetCounts()
			o := runSignet(t, row.document, "unseal", "-")
			if row.want != "" {
				failsClosed(t, o, row.want)
			} else if o.code != 0 {
				t.Errorf("exit %d\n%s", o.code, o.stderr)
			}
			var want []kmstest.Call
			if row.call != nil {
				want = []kmstest.Call{{Operation: "Decrypt", Context: row.call.Context, Error: row.call.Error}}
			}
			var got []kmstest.Call
			for _, c := range srv.Calls() {
				got = append(got, kmstest.Call{Operation: c.Operation, Context: c.Context, Error: c.Error})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}
