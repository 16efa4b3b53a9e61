// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/manifest"
)

// The limits of the program for any input. The worst takes 2 s of processor time on
// an idle machine, and more where others have their share of it; what the limit is
// there to find, time that grows with the square of the input, takes minutes.
const (
	hostileMemory = 200 << 20
	hostileCPU    = 20 * time.Second
)

// hostile is input made to exhaust or to confuse. An empty expectation means
// that the command may succeed or fail, as long as it behaves.
type hostile struct {
	name                  string
	input                 func() string
	seal, unseal, inspect string // what stderr must contain
}

// same is a hostile input that all commands refuse alike.
func same(name, want string, input func() string) hostile {
	return hostile{name, input, want, want, want}
}

const (
	secretHead = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nsops: {}\n"
	sealedHead = "apiVersion: signet.dev/v1alpha1\nkind: SealedSecret\nmetadata: {name: a, namespace: b}\n"
)

// repeatTo repeats a unit up to a size in bytes.
func repeatTo(unit string, size int) string { return strings.Repeat(unit, size/len(unit)) }

func constant(s string) func() string { return func() string { return s } }

// hostileHead begins what all commands look into.
const hostileHead = "apiVersion: signet.dev/v1alpha1\nkind: Secret\nsops: "

// shapes are hostile as YAML or JSON, whatever they are about. Each names what
// all commands look for, so that none can pass it over.
func shapes() []hostile {
	const both = hostileHead
	deep := func(open, end string, n int) func() string {
		return func() string { return both + strings.Repeat(open, n) + strings.Repeat(end, n) + "\n" }
	}
	blocks := func() string {
		var b strings.Builder
		b.WriteString("apiVersion: signet.dev/v1alpha1\nkind: Secret\n")
		for i := range 3000 {
			b.WriteString(strings.Repeat(" ", i) + "sops:\n")
		}
		return b.String()
	}
	return []hostile{
		same("alias", "anchors are not supported", constant(both+"&a x\nb: *a\n")),
		same("alias in another document", ", document 2: read: not valid YAML: an alias without its anchor", constant("a: 1\n---\n# Secret signet.dev sops\na: {}\nb: *x\n")),
		same("alias that contains itself", "anchors are not supported", constant(both+"&a [*a]\n")),
		same("alias as a key", "anchors are not supported", constant(both+"&a x\n*a : y\n")),
		same("merge key", "merge keys (<<) are not supported", constant(both+"{<<: {a: b}}\n")),
		same("billion laughs", "anchors are not supported", func() string {
			s := both + "\n  - &l0 lol\n"
			for i := 1; i < 30; i++ {
				s += fmt.Sprintf("  - &l%d [%s]\n", i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d,", i-1), 10), ","))
			}
			return s
		}),
		same("deep blocks", "nested deeper than 100 levels", blocks),
		same("deep flow lists", "nested deeper than 100 levels", deep("[", "]", 9_000)),
		same("deep flow mappings", "nested deeper than 100 levels", deep("{a: ", "}", 9_000)),
		same("flow lists deeper than the parser goes", "not valid YAML", deep("[", "]", 90_000)),
		same("lists in one line", "nested deeper than 100 levels", func() string { return both + "\n " + strings.Repeat("- ", 9_000) + "a\n" }),
		same("deep JSON lists", "nested deeper than 100 levels", func() string {
			return `{"apiVersion":"signet.dev/v1alpha1","kind":"Secret","sops":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "}"
		}),
		same("deep JSON objects", "nested deeper than 100 levels", func() string {
			return `{"apiVersion":"signet.dev/v1alpha1","kind":"Secret","sops":` + strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000) + "}"
		}),
		same("JSON deeper than the standard library goes", "", func() string {
			return `{"kind":"Secret","sops":` + strings.Repeat("[", 5_000_000) + strings.Repeat("]", 5_000_000) + "}"
		}),
		same("open brackets", "", func() string { return strings.Repeat("[", 8<<20) }),
		same("open braces", "", func() string { return "Secret: " + strings.Repeat("{", 8<<20-10) }),
	}
}

// syntaxes are about what may stand in a document at all.
func syntaxes() []hostile {
	const both = hostileHead
	return []hostile{
		same("duplicate keys", "duplicate key \"kind\"", constant(both+"{}\nkind: Secret\n")),
		same("duplicate keys in JSON", "duplicate key \"kind\"", constant(`{"kind":"Secret","apiVersion":"signet.dev/v1","kind":"Secret","sops":{}}`)),
		same("duplicate keys further down", "x: duplicate key \"a\"", constant(both+"{}\nx: {a: 1, a: 2}\n")),
		same("key that is a number", "a key that is not a string", constant(both+"{1: x}\n")),
		same("key that is null", "a key that is not a string", constant(both+"{~: x}\n")),
		same("key that is a list", "a key that is not a string", constant(both+"{[a]: x}\n")),
		same("unknown tag", "unsupported tag", constant(both+"!!python/object x\n")),
		same("names of 2 MiB", "", func() string {
			return "apiVersion: signet.dev/" + strings.Repeat("v", 2<<20) + "\nkind: Secret" + strings.Repeat("x", 2<<20) + "\nmetadata: {name: a, namespace: " + strings.Repeat("n", 2<<20) + "}\nsops: {}\n"
		}),
		same("NUL byte", "control characters are not allowed", constant(both+"a\x00b\n")),
		same("NUL bytes only", "control characters are not allowed", func() string { return strings.Repeat("\x00", 1<<20) + "Secret signet.dev" }),
		same("UTF-16", "text is UTF-16, save it as UTF-8", func() string {
			var b strings.Builder
			b.WriteString("\xff\xfe")
			for _, c := range both {
				b.WriteString(string([]byte{byte(c), 0}))
			}
			return b.String()
		}),
		same("not UTF-8", "line 3: not valid UTF-8", constant(both+"\xff\n")),
		same("tabs", "found character that cannot start any token", constant(both+"\n\ta: b\n")),
		same("not closed", "not valid YAML", constant(both+"\"x\n")),
		same("%TAG directives", "%TAG", func() string {
			s := ""
			for i := range 20_000 {
				s += fmt.Sprintf("%%TAG !t%d! tag:x,2000:\n", i)
			}
			return s + "---\n" + both + "x\n"
		}),
		same("item without kind", "an item without kind", constant("apiVersion: v1\nkind: SecretList # signet.dev sops\nitems: [{a: b}]\n")),
		same("List in a List", "a List inside a List", constant("kind: List # Secret signet.dev sops\nitems: [{kind: List, items: []}]\n")),
	}
}

// sizes are large in one way or another.
func sizes() []hostile {
	return []hostile{
		same("65 MiB stream", "input is larger than 64 MiB", func() string { return repeatTo("# a comment\n", 65<<20) }),
		same("9 MiB document", "document has", func() string {
			return "kind: Secret # signet.dev sops\na: |\n" + repeatTo("  some line of text that is not so short\n", 9<<20)
		}),
		same("8 MiB scalar", "", func() string { return "kind: Secret # signet.dev sops\na: " + strings.Repeat("x", 8<<20-100) + "\n" }),
		same("9 MiB scalar", "document has", func() string { return "kind: Secret # signet.dev sops\na: " + strings.Repeat("x", 9<<20) + "\n" }),
		same("8 MiB of escapes", "", func() string {
			return "kind: Secret # signet.dev sops\na: \"" + repeatTo(`\U0001F600`, 8<<20-200) + "\"\n"
		}),
		same("8 MiB of flow", "nodes, the limit is", func() string { return "kind: Secret # signet.dev sops\na: [" + repeatTo("a,", 8<<20-200) + "]\n" }),
		same("8 MiB of empty flow mappings", "nodes, the limit is", func() string { return "kind: Secret # signet.dev sops\na: [" + repeatTo("{},", 8<<20-200) + "]\n" }),
		same("as many nodes as may be", "", func() string { return "kind: Secret # signet.dev sops\na: [" + repeatTo("a,", 390_000) + "]\n" }),
		same("8 MiB of block keys", "nodes, the limit is", func() string { return "kind: Secret # signet.dev sops\n" + repeatTo("? a\n", 8<<20-200) }),
		same("8 MiB of comments", "", func() string {
			return "kind: Secret # signet.dev sops\n" + repeatTo("# a comment of some length, to stay below\n", 8<<20-200) + "a: b\n"
		}),
		same("64 MiB in one line", "document has", func() string { return "a: Secret signet.dev sops" + strings.Repeat("x", 64<<20-100) }),
		same("64 MiB of text that is no concern", "", func() string { return repeatTo("some text without any structure\n", 64<<20) }),
		same("16 MiB of JSON objects", "", func() string { return repeatTo(`{"kind":"Secret","sops":1}`+"\n", 8_000_000) }),
		same("64 MiB of JSON strings", "", func() string { return "[" + repeatTo(`"Secret signet.dev sops",`, 64<<20-10) + "1]" }),
	}
}

// streams have a million lines.
func streams() []hostile {
	const n = 1_000_000
	return []hostile{
		same("a million lines, small documents", "documents", func() string { return strings.Repeat("---\na: 1\n", n/2) }),
		same("a million lines, one document", "", func() string { return "kind: Secret # signet.dev sops\n" + strings.Repeat("a: 1\n", n) }),
		same("a million lines, one document that is no concern", "", func() string { return strings.Repeat("a: 1\n", n) }),
		same("a million lines, comments", "", func() string { return strings.Repeat("# Secret signet.dev sops\n", n) }),
		same("a million lines, blank", "", func() string { return strings.Repeat("\n", n) }),
		same("a million lines, markers", "", func() string { return strings.Repeat("---\n", n) }),
		same("a million lines, documents to look into", "", func() string { return strings.Repeat("---\nkind: x # Secret sops\na: '\\x'\nb: 2\n", n/4) }),
		{"a million lines, SealedSecrets", func() string {
			return strings.Repeat("---\n"+sealedHead+"spec: {sealed: {}}\n", n/5)
		}, "", "has to be parsed", "has to be parsed"},
		{"a million lines, unknown objects", func() string { return strings.Repeat("---\napiVersion: signet.dev/v9\nkind: Secret\nx: y\n", n/4) }, "has to be parsed", "has to be parsed", "has to be parsed"},
		{"a million lines, SOPS Secrets", func() string { return strings.Repeat("---\n"+secretHead, n/5) }, "has to be parsed", "has to be parsed", "has to be parsed"},
		{"a million lines, Secrets", func() string {
			return strings.Repeat("---\napiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData: {a: b}\n", n/5)
		}, "has to be parsed", "", ""},
		{"a million lines, items of a List", func() string {
			return "kind: List # sops signet.dev\napiVersion: v1\nitems:\n" + strings.Repeat("- apiVersion: v1\n  kind: Secret\n", n/2)
		}, "limit", "limit", "limit"},
	}
}

// full repeats a document as often as a stream may hold it to be parsed.
func full(t *testing.T, unit string) func() string {
	stream, err := manifest.Split([]byte(unit))
	if err != nil {
		t.Fatal(err)
	}
	return constant(strings.Repeat(unit, manifest.MaxParsedNodes/stream.Documents[0].Nodes()))
}

// fullStreams are as much as may be parsed.
func fullStreams(t *testing.T) []hostile {
	return []hostile{
		{"as many unknown objects as may be", full(t, "---\n{apiVersion: signet.dev/v9, kind: Secret}\n"), "holds no Secret", "unknown object", "unknown object"},
		same("as many broken SOPS Secrets as may be", "", full(t, "---\n"+secretHead)),
		same("as many broken SealedSecrets as may be", "", full(t, "---\n"+sealedHead+"spec: {sealed: {}} # Secret\n")),
		same("as many documents to look into as may be", "", full(t, "---\nkind: x # Secret sops\n")),
		same("as many syntax errors as may be", "found character that cannot start any token", full(t, "---\n@ # Secret sops\n")),
	}
}

// TestHostile runs every command on hostile input as a program of its own and
// measures it.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program some 200 times on large input")
	}
	program := buildSignet(t)
	dir := isolate(t)
	key := newKeyFile(t)
	commands := map[string][]string{
		"seal":    {"seal", "-a", key.recipient},
		"unseal":  {"unseal", "--age-key-file", key.path},
		"inspect": {"inspect"},
		"check":   {"check", "--rendered"},
	}
	var worst measured
	for _, h := range slices.Concat(shapes(), syntaxes(), sizes(), streams(), fullStreams(t), crypto(t, key)) {
		t.Run(h.name, func(t *testing.T) {
			path := filepath.Join(dir, "input.yaml")
			writeTestFile(t, path, h.input())
			for name, want := range map[string]string{"seal": h.seal, "unseal": h.unseal, "inspect": h.inspect, "check": ""} {
				r := runMeasured(t, testtool.Cmd{Path: program, Args: append(commands[name], path), Dir: dir})
				worst.add(h.name+", "+name, r)
				checkHostile(t, name, r, want)
			}
		})
	}
	t.Logf("most memory: %d MiB (%s); most CPU time: %v (%s)", worst.memory>>20, worst.memoryOf, worst.cpu.Round(time.Millisecond), worst.cpuOf)
}

// runMeasured runs a program, and again if it took too long or was gone before
// its memory could be looked at: both happen on a machine with much else to do.
// It returns the quickest run whose memory is known.
func runMeasured(t *testing.T, c testtool.Cmd) testtool.Result {
	t.Helper()
	best := testtool.Run(t, c)
	for range 6 {
		if best.User+best.System <= hostileCPU && best.MaxRSSBytes > 0 {
			break
		}
		r := testtool.Run(t, c)
		if best.MaxRSSBytes == 0 || r.MaxRSSBytes > 0 && r.User+r.System < best.User+best.System {
			best = r
		}
	}
	return best
}

// measured is the most that any run took.
type measured struct {
	memory          int64
	cpu             time.Duration
	memoryOf, cpuOf string
}

func (m *measured) add(name string, r testtool.Result) {
	if r.MaxRSSBytes > m.memory {
		m.memory, m.memoryOf = r.MaxRSSBytes, name
	}
	if cpu := r.User + r.System; cpu > m.cpu {
		m.cpu, m.cpuOf = cpu, name
	}
}

func checkHostile(t *testing.T, name string, r testtool.Result, want string) {
	t.Helper()
	stderr := string(r.Stderr)
	if len(stderr) > 20_000 {
		t.Errorf("%s: %d bytes on stderr", name, len(stderr))
		stderr = stderr[:2000]
	}
	if r.ExitCode < 0 || r.ExitCode > 3 || r.ExitCode == exitcode.Usage {
		t.Errorf("%s: exit %d", name, r.ExitCode)
	}
	found := name == "check" && strings.Contains(stderr, " finding") // which are on stdout
	if r.ExitCode != 0 && (len(r.Stdout) != 0 && !found || !strings.Contains(stderr, "signet: error: ")) {
		t.Errorf("%s: exit %d with %d bytes on stdout and the error %.200q", name, r.ExitCode, len(r.Stdout), stderr)
	}
	if want != "" && (r.ExitCode == 0 || !strings.Contains(stderr, want)) {
		t.Errorf("%s: exit %d, stderr must contain %q:\n%.2000s", name, r.ExitCode, want, stderr)
	}
	for _, trace := range []string{"panic", "goroutine", "runtime error", "fatal error", ".go:", "0xc0"} {
		if strings.Contains(stderr, trace) {
			t.Errorf("%s: stderr holds %q:\n%.2000s", name, trace, stderr)
		}
	}
	if cpu := r.User + r.System; cpu > hostileCPU {
		t.Errorf("%s: %v of CPU time, the limit is %v", name, cpu.Round(time.Millisecond), hostileCPU)
	}
	if r.MaxRSSBytes > hostileMemory || r.MaxRSSBytes == 0 {
		t.Errorf("%s: %d MiB of memory, the limit is %d MiB", name, r.MaxRSSBytes>>20, hostileMemory>>20)
	}
}

// randomBytes are from a seeded generator: the same in every run.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return b
}

// Random bytes and real documents cut off anywhere give an error or are passed
// on, and nothing else.
func TestHostileCutOff(t *testing.T) {
	isolate(t)
	key := newKeyFile(t)
	sealed := mustRun(t, victimSecret, "seal", "-", "-a", key.recipient)
	asJSON := mustRun(t, toJSON(t, victimSecret), "seal", "-", "-a", key.recipient)
	sops := mustRun(t, victimSecret, "seal", "-", "--as", "sops", "-a", key.recipient)
	for name, document := range map[string]string{"SealedSecret": sealed, "JSON": asJSON, "SOPS": sops, "Secret": victimSecret} {
		for cut := 0; cut < len(document)-1; cut += 50 {
			for _, args := range [][]string{{"unseal", "--age-key-file", key.path, "-"}, {"inspect", "-"}, {"check", "--print", "-"}, {"seal", "-a", key.recipient, "-"}} {
				o := runSignet(t, document[:cut], args...)
				if o.code != 0 && (o.stdout != "" || !strings.Contains(o.stderr, "signet: error: ")) {
					t.Errorf("%s, %s, cut at %d: exit %d\n%s%s", name, args[0], cut, o.code, o.stderr, o.stdout)
				}
				if o.code == 0 && strings.Contains(o.stdout, "plaintext-of-the") && args[0] == "unseal" && name != "Secret" {
					t.Errorf("%s cut at %d opens", name, cut)
				}
			}
		}
	}
	for i := range 300 {
		b := randomBytes(64 * i)[32*i:]
		if i%2 == 0 {
			b = bytes.ToValidUTF8(b, []byte("Secret sops "))
		}
		for _, args := range [][]string{{"unseal", "--age-key-file", key.path, "-"}, {"inspect", "-"}, {"check", "--print", "-"}, {"seal", "-a", key.recipient, "-"}} {
			o := runSignet(t, string(b), args...)
			if o.code != 0 && (o.stdout != "" || !strings.Contains(o.stderr, "signet: error: ")) {
				t.Errorf("%s of random bytes: exit %d\n%s", args[0], o.code, o.stderr)
			}
		}
	}
}

// Files that are no files are refused or read to their end.
func TestHostileFiles(t *testing.T) {
	program := buildSignet(t)
	dir := isolate(t)
	key := newKeyFile(t)
	sealed := mustRun(t, victimSecret, "seal", "-", "-a", key.recipient)
	if err := os.Mkdir("folder.yaml", 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"loop.yaml": "loop.yaml", "nowhere.yaml": "missing", "zero.yaml": "/dev/zero", "tty.yaml": "/dev/null"} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name, want string
		args       []string
	}{
		{"endless device", "input is larger than 64 MiB", []string{"unseal", "/dev/zero"}},
		{"link to an endless device", "input is larger than 64 MiB", []string{"inspect", "zero.yaml"}},
		{"endless device to seal", "input is larger than 64 MiB", []string{"seal", "-a", key.recipient, "/dev/zero"}},
		{"endless command", "run yes", []string{"unseal", "--", "yes"}},
		{"endless value", "larger than 1 MiB", []string{"seal", "-a", key.recipient, "--name", "a", "-n", "b", "--from-file=x=/dev/zero"}},
		{"endless rules", "not a regular file", []string{"seal", "--config", "/dev/zero", "-n", "b", "--name", "a", "--from-literal=x=y"}},
		{"endless identities", "longer than", []string{"unseal", "--age-key-file", "/dev/zero", "sealed.yaml"}},
		{"empty device", "the input is empty", []string{"unseal", "/dev/null"}},
		{"loop of links", "too many levels", []string{"unseal", "loop.yaml"}},
		{"link to nothing", "no such file", []string{"unseal", "nowhere.yaml"}},
		{"a socket's place", "no such", []string{"unseal", "/proc/self/fd/99"}},
		{"output to a directory", "is a directory", []string{"seal", "-a", key.recipient, "secret.yaml", "-o", "folder.yaml"}},
		{"output of a Secret to a directory", "is a directory", []string{"unseal", "--age-key-file", key.path, "sealed.yaml", "-o", "folder.yaml"}},
		{"in place on a device", ": write: is ", []string{"seal", "-a", key.recipient, "-i", "/dev/stdin"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			writeTestFile(t, "sealed.yaml", sealed)
			writeTestFile(t, "secret.yaml", victimSecret)
			r := testtool.Run(t, testtool.Cmd{Path: program, Args: row.args, Dir: dir, Stdin: []byte(victimSecret), Timeout: 20 * time.Second})
			if r.ExitCode == 0 {
				t.Errorf("exit 0")
			}
			checkHostile(t, row.args[0], r, row.want)
		})
	}
}
