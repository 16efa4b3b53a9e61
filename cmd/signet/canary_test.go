// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/seal/manifest"
)

// The values that no output may hold: one in a Secret, one that YAML takes for
// a number, and, beside them, every identity.
const (
	canaryValue  = "Zq7Kestrel-Xw9Bramble-Vb3Kd8"
	canaryNumber = "8371946250917364"
)

// canaries finds secrets in output.
type canaries struct {
	values     []string // the key part of identities, too
	identities []keyFile
}

func newCanaries(ids ...keyFile) canaries {
	c := canaries{values: []string{canaryValue, canaryNumber}, identities: ids}
	for _, id := range ids {
		c.values = append(c.values, strings.TrimPrefix(id.identity.Reveal(), "AGE-SECRET-KEY-"))
	}
	return c
}

// in returns what of a canary a text holds, in any case or encoding, "" if
// nothing. Ten characters in a row are taken for a part of it.
func (c canaries) in(text string) string {
	lower := strings.ToLower(text)
	for _, value := range c.values {
		decimals := strings.Trim(fmt.Sprint([]byte(value)), "[]")
		for form, size := range map[string]int{value: 10, reversed(value): 10, hex.EncodeToString([]byte(value)): 20, decimals: 30} {
			if part := window(lower, strings.ToLower(form), size); part != "" {
				return part
			}
		}
		for pad := range 3 {
			encoded := base64.StdEncoding.EncodeToString(append(make([]byte, pad), value...))
			inner := strings.TrimRight(encoded, "=")
			if part := window(text, inner[4:len(inner)-2], 10); part != "" {
				return part
			}
			if part := window(text, swapCase(inner[4:len(inner)-2]), 10); part != "" {
				return part
			}
		}
	}
	return ""
}

func window(text, form string, size int) string {
	for i := 0; i+size <= len(form); i++ {
		if strings.Contains(text, form[i:i+size]) {
			return form[i : i+size]
		}
	}
	return ""
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// leak is a command line that fails, or has something to say, about a secret.
type leak struct {
	name  string
	args  []string
	stdin string
	files map[string]string
	env   map[string]string
	code  int
}

// TestCanary drives the paths on which a command fails and looks for secrets
// in all that it writes: stdout, stderr and files.
func TestCanary(t *testing.T) {
	isolate(t)
	alice, mallory := newKeyFile(t), newKeyFile(t)
	c := newCanaries(alice, mallory)
	rows := append(sealLeaks(alice), openLeaks(t, alice, mallory)...)
	rows = append(rows, identityLeaks(t, alice, mallory)...)
	rows = append(rows, gitLeaks(t, alice, mallory)...)
	rows = append(rows, valueLeaks(t, alice, mallory)...)
	base := t.TempDir()
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := filepath.Join(base, fmt.Sprint(i)) // t.TempDir would hold the name
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			for name, text := range row.files {
				writeTestFile(t, name, text)
			}
			for name, value := range row.env {
				t.Setenv(name, value)
			}
			o := runSignet(t, row.stdin, row.args...)
			if o.code != row.code && row.code != exitAny {
				t.Errorf("exit %d, want %d", o.code, row.code)
			}
			if o.code != 0 && o.stdout != "" && row.args[0] != "check" { // whose findings are its result
				t.Errorf("a failed command wrote %d bytes to stdout", len(o.stdout))
			}
			if part := c.in(o.stdout + o.stderr); part != "" {
				t.Errorf("the output holds %q:\n%.3000s%.3000s", part, o.stderr, o.stdout)
			}
			checkNewFiles(t, c, dir, row.files)
			if t.Failed() {
				t.Logf("signet %.300q\n%.3000s", row.args, o.stderr)
			}
		})
	}
	t.Logf("%d failing paths", len(rows))
}

// checkNewFiles looks for secrets in files that were not there before.
func checkNewFiles(t *testing.T, c canaries, dir string, before map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || d.IsDir() {
			return err
		}
		text := readTestFile(t, path)
		if was, ok := before[name]; ok && was == text {
			return nil
		}
		if part := c.in(text); part != "" {
			t.Errorf("file %s holds %q", name, part)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// canarySecret is a Secret with the canary and what else is given.
func canarySecret(metadata, rest string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod" + metadata + "}\nstringData: {password: " + canaryValue + "}\n" + rest
}

// sealLeaks fail before or while sealing.
func sealLeaks(alice keyFile) []leak {
	v, b64 := canaryValue, base64.StdEncoding.EncodeToString([]byte(canaryValue))
	var rows []leak
	add := func(name, secret string, args ...string) {
		rows = append(rows, leak{name: "seal: " + name, stdin: secret, args: append([]string{"seal", "-", "-a", alice.recipient}, args...), code: exitcode.Failed})
	}
	plain := func(line string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\n" + line + "\n"
	}
	for _, line := range []string{
		"stringData: {a: \"" + v, "stringData: {a: " + v, "stringData:\n  a: b: " + v, "stringData:\n\ta: " + v, "stringData:\n  a: *" + v, "stringData:\n  a: &" + v + " x",
		"stringData:\n  a: !" + v + " x", "stringData:\n  a: @" + v, "stringData:\n  a: `" + v, "stringData:\n  a:\n  " + v, "stringData:\n  a: |x" + v, "stringData:\n  a: \"\\q" + v + "\"",
		"stringData:\n  a: %" + v + "\n%" + v, "stringData:\n  a: \"x\" " + v, "stringData:\n  a: \x01" + v, "stringData:\n  a: \xff" + v, "stringData: [" + v + "]", "stringData: " + v,
		"stringData: {a: [" + v + "]}", "stringData: {a: {b: " + v + "}}", "stringData: {a: " + canaryNumber + "}", "data: {a: " + v + "}", "data: {a: " + canaryNumber + "}", "data: [" + v + "]", "data: " + b64,
		"data: {a: " + b64 + "x}", "data: {a: !!binary " + b64 + "}", "data: {a: " + b64 + "}\nstringData: {a: " + v + "}", "stringData: {a: " + v + ", a: " + v + "}", "stringData: {a b: " + v + "}", "immutable: " + v, "type: [" + v + "]",
		"stringData: {a: " + v + "}\nsops: " + v, "stringData: {a: " + v + "}\nmore: " + v, "stringData: {a: " + v + "}\n---\nkind: [Secret, " + v, "stringData: {a: " + strings.Repeat(v, 50_000) + "}", "data: {a: " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(v, 35_000))) + "}",
		"type: kubernetes.io/service-account-token\nstringData: {token: " + v + "}",
	} {
		add(fmt.Sprintf("%.30q", line), plain(line))
	}
	for _, metadata := range []string{
		", labels: {a: " + v + "}", ", labels: {x/" + v + ": a}", ", annotations: {a: 'the password is " + v + "'}", ", annotations: {a: " + b64 + "}", ", annotations: {" + v + ": a}", ", annotations: {helm.sh/hook: " + v + "}",
		", labels: {a: [" + v + "]}", ", annotations: {meta.helm.sh/release-name: " + v + "}", ", labels: " + v, ", annotations: {signet: " + v + "}", ", generateName: " + v, ", labels: {a: " + canaryNumber + "}", ", clusterName: " + v,
	} {
		add("metadata "+metadata, canarySecret(metadata, ""))
	}
	add("comment above", "# "+v+"\n"+canarySecret("", ""))
	add("comment beside the name", "apiVersion: v1 # "+v+"\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData: {a: "+v+"}\n")
	add("another namespace", canarySecret("", ""), "-n", "test")
	add("no namespace", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {a: "+v+"}\n")
	add("second Secret bad", canarySecret("", "---\n")+"apiVersion: v1\nkind: Secret\nmetadata: {name: X}\nstringData: {a: "+v+"}\n")
	add("output in a missing folder", canarySecret("", ""), "-o", "missing/out.yaml")
	add("output over a device", canarySecret("", ""), "-o", "/dev/full")
	add("sops beside other objects", canarySecret("", "---\nkind: Service\n"), "--as", "sops")
	rows = append(rows, leak{name: "seal: a note about comments", stdin: canarySecret("", "# "+v+"\n"), args: []string{"seal", "-", "-a", alice.recipient}})
	rows = append(rows, leak{name: "seal: last applied", stdin: canarySecret(", annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"a\":\""+v+"\"}'}", ""), args: []string{"seal", "-", "-a", alice.recipient}})
	rows = append(rows, ruleLeaks(alice)...)
	return append(rows, literalLeaks(alice)...)
}

// ruleLeaks have rules that cannot be used, some with a key in them.
func ruleLeaks(alice keyFile) []leak {
	v, private := canaryValue, alice.identity.Reveal()
	var rows []leak
	for _, rules := range []string{
		"", "creation_rules: [", "creation_rules: " + v, "creation_rules:\n - age: " + v, "creation_rules:\n - age: " + private, "creation_rules:\n - age: " + strings.ToLower(private), "creation_rules:\n - age: [" + private + "]",
		"creation_rules:\n - pgp: " + private, "creation_rules:\n - kms: " + private, private, "age: " + private, "creation_rules:\n - path_regex: (" + private + "\n   age: x", "creation_rules:\n - path_regex: nothing\n   age: " + alice.recipient,
		"creation_rules:\n - age: " + alice.recipient + "," + private, "creation_rules:\n - age: " + alice.recipient + "\n   encrypted_regex: nothing", "creation_rules:\n - age: " + alice.recipient + "\n   encrypted_regex: (" + private,
		"creation_rules:\n - age: " + alice.recipient + "\n   typo: " + v, "creation_rules:\n - age: " + alice.recipient + "\n   unencrypted_regex: password", "creation_rules:\n - key_groups: [{age: [" + private + "]}]", "creation_rules:\n - age: age1yubikey1" + private,
	} {
		for _, as := range []string{"sealedsecret", "sops"} {
			code := exitcode.Failed
			if as == "sealedsecret" && strings.Contains(rules, "crypted_regex: nothing") || as == "sealedsecret" && strings.Contains(rules, "unencrypted_regex: password") {
				code = 0 // the selector plays no part
			}
			rows = append(rows, leak{name: fmt.Sprintf("rules, %s: %.40q", as, rules), files: map[string]string{".sops.yaml": rules, "s.yaml": canarySecret("", "")}, args: []string{"seal", "s.yaml", "--as", as}, code: code})
		}
	}
	for _, recipient := range []string{v, private, strings.ToLower(private), alice.recipient + "," + private, "AGE-PLUGIN-" + v, "age1" + private, "ssh-rsa " + private} {
		rows = append(rows, leak{name: fmt.Sprintf("recipient %.30q", recipient), stdin: canarySecret("", ""), args: []string{"seal", "-", "-a", recipient}, code: exitcode.Usage})
	}
	return rows
}

// literalLeaks build a Secret on the command line, or have it wrong.
func literalLeaks(alice keyFile) []leak {
	v, private := canaryValue, alice.identity.Reveal()
	var rows []leak
	add := func(code int, args ...string) {
		rows = append(rows, leak{name: fmt.Sprintf("command line %.60q", args), args: append([]string{"seal", "-a", alice.recipient, "--name", "db", "-n", "prod"}, args...), code: code,
			stdin: "x=" + v + "\n" + v + "\n", files: map[string]string{"values.env": "a=" + v + "\n" + v + "\n", "bad.env": v + " = x\n", "twice.env": "a=" + v + "\na=" + v + "\n", "large": strings.Repeat(v, 50_000), "not valid!": v}})
	}
	add(exitcode.Usage, "--from-literal", v)
	add(exitcode.Usage, "--from-literal", "pass word="+v)
	add(exitcode.Usage, "--from-literal", v+"!=x")
	add(exitcode.Usage, "--from-literal", "="+v)
	add(exitcode.Failed, "--from-literal", "a="+v, "--from-literal", "a="+v)
	add(exitcode.Failed, "--from-literal", "token="+v, "--type", "kubernetes.io/service-account-token")
	add(exitcode.Failed, "--from-env-file", "values.env")
	add(exitcode.Failed, "--from-env-file", "bad.env")
	add(exitcode.Failed, "--from-env-file", "twice.env")
	add(exitcode.Failed, "--from-env-file", "-")
	add(exitcode.Failed, "--from-file", "large")
	add(exitcode.Failed, "--from-file", "a=large")
	add(exitcode.Usage, "--from-literal", "a="+v, "-i")
	add(exitcode.Usage, "--from-literal", "a="+v, "--scope", "x")
	add(exitcode.Usage, "--from-literal="+v, "--unknown="+v)
	add(exitcode.Usage, "--password="+v)
	add(exitcode.Usage, "-p"+v)
	rows = append(rows, leak{name: "identity as a file to seal", args: []string{"seal", "-a", alice.recipient, private}, code: exitcode.Failed})
	return append(rows, leak{name: "identity as an argument", args: []string{"version", private}, code: exitcode.Usage})
}

// openLeaks fail while opening or looking at documents.
func openLeaks(t *testing.T, alice, mallory keyFile) []leak {
	sealed := mustRun(t, canarySecret("", ""), "seal", "-", "-a", alice.recipient)
	sops := mustRun(t, canarySecret("", ""), "seal", "-", "-a", alice.recipient, "--as", "sops")
	var rows []leak
	add := func(name, document string, code int, args ...string) {
		for _, command := range []string{"unseal", "inspect", "check"} {
			row := leak{name: command + ": " + name, args: append([]string{command, "-"}, args...), stdin: document, code: code, env: map[string]string{"SOPS_AGE_KEY_FILE": alice.path}}
			if command != "unseal" {
				row.args, row.code = row.args[:2], exitAny
			}
			rows = append(rows, row)
			if command == "check" { // once more, as a source
				row.name, row.args = row.name+", not rendered", []string{"check", "--rendered=false", "-"}
				rows = append(rows, row)
			}
		}
	}
	edited := func(document string, edits ...change) string {
		root := manifest.Root(parseDocument(t, document))
		all(edits...)(root)
		return encodeLoose(t, root)
	}
	const s, password = "spec/sealed/", "spec/sealed/signet/stringData/password"
	for name, edit := range map[string]change{
		"value in clear": putText(password, canaryValue), "value half in clear": putText(password, "ENC[AES256_GCM,data:"+canaryValue+"]"), "value a number": putYAML(password, canaryNumber), "value a list": putYAML(password, "["+canaryValue+"]"),
		"changed value": flipBit(password, "data"), "changed tag": flipBit(password, "tag"), "renamed": rename(password, "passwort"), "changed mac": flipBit(s+"sops/mac", "tag"), "changed binding": flipBit(s+"signet/binding", "tag"),
		"changed time": putText(s+"sops/lastmodified", "2020-01-01T00:00:00Z"), "changed scope": putText(s+"scope", "test/db"), "scope": putText(s+"scope", canaryValue), "time": putText(s+"sops/lastmodified", canaryValue), "mac": putText(s+"sops/mac", canaryValue),
		"wrapped key": putText(s+"sops/age/0/enc", canaryValue), "identity as the recipient": putText(s+"sops/age/0/recipient", alice.identity.Reveal()), "identity as the recipient in small letters": putText(s+"sops/age/0/recipient", strings.ToLower(alice.identity.Reveal())),
		"identity as the wrapped key": putText(s+"sops/age/0/enc", alice.identity.Reveal()), "identity as a KMS key": putYAML(s+"sops/kms", "[{arn: "+alice.identity.Reveal()+", created_at: '2026-01-01T00:00:00Z', enc: eA==, context: {kubernetes-namespace: prod, kubernetes-name: db}}]"),
		"selector": putText(s+"sops/encrypted_regex", canaryValue), "immutable": putText(s+"immutable", canaryValue), "policy": putText("spec/creationPolicy", canaryValue), "label": putYAML(s+"labels/a", "["+canaryValue+"]"), "kind": putYAML("kind", "["+canaryValue+"]"),
	} {
		add(name, edited(sealed, edit), exitcode.NotOpened)
	}
	for name, edit := range map[string]change{
		"sops: value in clear": putText("stringData/password", canaryValue), "sops: another value in clear": putText("stringData/other", canaryValue), "sops: changed": flipBit("stringData/password", "data"),
		"sops: number": replaced("stringData/password", "type:str", "type:int"), "sops: boolean": replaced("stringData/password", "type:str", "type:bool"), "sops: time": replaced("stringData/password", "type:str", "type:time"), "sops: float": replaced("stringData/password", "type:str", "type:float"),
		"sops: comment": replaced("stringData/password", "type:str", "type:comment"), "sops: selector": putText("sops/encrypted_regex", "("+alice.identity.Reveal()), "sops: all selected": putText("sops/encrypted_regex", "."), "sops: mac": flipBit("sops/mac", "data"),
		"sops: label": putText("metadata/labels", canaryValue), "sops: no kind of Kubernetes": remove("apiVersion"), "sops: block": putText("sops", canaryValue), "sops: version": putYAML("sops/version", "["+canaryValue+"]"),
	} {
		add(name, edited(sops, edit), exitcode.NotOpened)
	}
	bad := edited(sealed, flipBit(password, "data"))
	add("after a Secret in clear", canarySecret("", "---\n")+bad, exitcode.NotOpened)
	add("before a document that is not YAML", sealed+"---\nsops: \""+canaryValue, exitcode.NotOpened)
	add("another namespace", sealed, exitcode.NotOpened, "-n", "test")
	add("unwritable output", sealed, exitcode.Failed, "-o", "missing/out.yaml")
	add("output over a device", sealed, exitcode.Failed, "-o", "/dev/full")
	rows = append(rows, leak{name: "unseal: another key", args: []string{"unseal", "-"}, stdin: sealed, code: exitcode.NotOpened, env: map[string]string{"SOPS_AGE_KEY_FILE": mallory.path}})
	for name, script := range map[string]string{"fails after it wrote a Secret": "cat; exit 7", "is killed": "cat; kill -9 $$", "writes what is not YAML": "cat; echo 'sops: \"'"} {
		code := exitcode.Failed
		if strings.Contains(script, "echo") {
			code = exitcode.NotOpened
		}
		rows = append(rows, leak{name: "unseal: command " + name, args: []string{"unseal", "--", "sh", "-c", script}, stdin: canarySecret("", "---\n") + sealed, code: code, env: map[string]string{"SOPS_AGE_KEY_FILE": alice.path}})
	}
	return rows
}

// exitAny is for commands that may fail or not.
const exitAny = -1

// identityLeaks have identities where they cannot be used.
func identityLeaks(t *testing.T, alice, mallory keyFile) []leak {
	sealed := mustRun(t, canarySecret("", ""), "seal", "-", "-a", alice.recipient)
	private := mallory.identity.Reveal()
	broken := private[:30] + "b" + private[31:]
	var rows []leak
	for name, text := range map[string]string{
		"broken": broken, "two in a line": private + private, "with a comma": private + "," + private, "in small letters": strings.ToLower(private), "assigned": "SOPS_AGE_KEY=" + private, "in quotes": `"` + private + `"`, "of a plugin": "AGE-PLUGIN-" + private,
		"of another": private, "cut off": private[:40], "not UTF-8": private + "\xff", "in YAML": "key: " + private, "as PEM": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + private + "\n-----END OPENSSH PRIVATE KEY-----\n", "armored": "-----BEGIN AGE ENCRYPTED FILE-----\n" + private + "\n-----END AGE ENCRYPTED FILE-----\n",
	} {
		for _, at := range []string{"SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_FILE", "file in SOPS_AGE_KEY_FILE", "output of SOPS_AGE_KEY_CMD", "--age-key-file", "file in --age-key-file"} {
			row := leak{name: "identity " + name + ", " + at, args: []string{"unseal", "-"}, stdin: sealed, code: exitcode.NotOpened, files: map[string]string{"keys": text}, env: map[string]string{}}
			switch at {
			case "file in SOPS_AGE_KEY_FILE":
				row.env["SOPS_AGE_KEY_FILE"] = "keys"
			case "output of SOPS_AGE_KEY_CMD":
				row.env["SOPS_AGE_KEY_CMD"] = "cat keys"
			case "--age-key-file":
				row.args, row.code = append(row.args, at, text), exitcode.Usage
			case "file in --age-key-file":
				row.args = append(row.args, "--age-key-file", "keys")
			default:
				row.env[at] = text
			}
			rows = append(rows, row)
		}
	}
	return append(rows,
		leak{name: "key file over another", args: []string{"key", "generate", "-o", "keys"}, files: map[string]string{"keys": private}, code: exitcode.Failed},
		leak{name: "key file in a file", args: []string{"key", "generate", "-o", "keys/keys"}, files: map[string]string{"keys": private}, code: exitcode.Failed},
		leak{name: "identity as an input", args: []string{"unseal", private}, code: exitcode.Failed},
		leak{name: "identity as a program", args: []string{"unseal", "--", private}, code: exitcode.Failed},
		leak{name: "identity as a command", args: []string{private}, code: exitcode.Usage},
		leak{name: "identity as a namespace", args: []string{"unseal", "-n", private, "-"}, stdin: sealed, code: exitcode.NotOpened},
		leak{name: "identity as an output", args: []string{"unseal", "-", "-o", private + "/x", "--age-key-file", alice.path}, stdin: sealed, code: exitcode.Failed},
	)
}
