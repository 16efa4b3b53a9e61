// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// hostileEnv names the hostile input that a child process of this test binary
// reads instead of running tests: memory is a matter of the whole process.
const hostileEnv = "MANIFEST_HOSTILE"

func TestMain(m *testing.M) {
	if name := os.Getenv(hostileEnv); name != "" {
		for _, h := range hostile {
			if h.name == name {
				os.Exit(h.run())
			}
		}
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// repeated is unit again and again until size bytes.
type repeated struct {
	unit string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.left > 0 {
		p[n] = r.unit[r.at]
		r.at = (r.at + 1) % len(r.unit)
		r.left--
		n++
	}
	return n, nil
}

// upTo repeats unit as often as its structure allows: head and tail included,
// the result is just within the limits of Parse.
func upTo(head, unit, tail string) string {
	budget := maxStructure - structure([]byte(head+tail))
	n := (MaxDocumentBytes - len(head) - len(tail)) / len(unit)
	if s := structure([]byte(unit)); s > 0 {
		n = min(n, budget/s)
	}
	return head + strings.Repeat(unit, n) + tail
}

// hostile inputs near the limits, with what a program does to them.
var hostile = []struct {
	name string
	run  func() int
	cpu  time.Duration // 0 is the default
}{
	{"flow list", parses(func() string { return upTo("a: [", "a,", "]") }), 0},
	{"flow list of lists", parses(func() string { return upTo("a: [", "[],", "]") }), 0},
	{"flow list of pairs", parses(func() string { return upTo("a: [", "a: b,", "]") }), 0},
	{"flow list, long items", parses(func() string { return upTo("a: [", strings.Repeat("x", 40)+",", "]") }), 0},
	{"flow mapping", parses(func() string { return upTo("{", "a,", "}") }), 0},
	{"flow mapping not closed", parses(func() string { return upTo("{", "a,", "") }), 0},
	{"block list", parses(func() string { return upTo("", "- a\n", "") }), 0},
	{"block list in one line", parses(func() string { return upTo("", "- ", "") }), 0},
	{"keys in one line", parses(func() string { return upTo("", "? ", "") }), 0},
	{"block mapping", parses(func() string { return upTo("", "a:\n", "") }), 0},
	{"block mapping, long keys", parses(func() string { return upTo("", "? "+strings.Repeat("k", 80)+"\n", "") }), 0},
	{"comments", parses(func() string { return upTo("", "# c\n", "a: 1\n") }), 0},
	{"comments with blank lines", parses(func() string { return upTo("a: 1\n", "# c\n\n", "") }), 0},
	{"comments at growing columns", parses(func() string { return columns(600) }), 0},
	{"comments in a list", parses(func() string { return upTo("a:\n", "# h\n- a # l\n# f\n\n", "") }), 0},
	{"comments in a flow list", parses(func() string { return upTo("a: [\n", "a, # c\n", "]") }), 0},
	{"long comments", parses(func() string { return upTo("", "# "+strings.Repeat("c", 80)+"\n", "a: 1\n") }), 0},
	{"blank lines", parses(func() string { return upTo("a: 1", "\n", "b: 1\n") }), 0},
	{"lines of a plain scalar", parses(func() string { return upTo("a:", " x\n", "") }), 0},
	{"lines of a quoted scalar", parses(func() string { return upTo("a: \"", "x\n", "\"") }), 0},
	{"lines of a literal", parses(func() string { return upTo("a: |\n", " x\n", "") }), 0},
	{"lines of a folded scalar", parses(func() string { return upTo("a: >\n", " x\n\n", "") }), 0},
	{"old line breaks", parses(func() string { return upTo("a: |\n", " x\u2028", "") }), 0},
	{"quote not closed", parses(func() string { return upTo("a: 1\nb: \"", "x", "") }), 0},
	{"plain scalar", parses(func() string { return upTo("a: ", "x", "") }), 0},
	{"plain scalar of spaces", parses(func() string { return upTo("a: ", "x                                        ", "") }), 0},
	{"spaces", parses(func() string { return upTo("a:", " ", "1") }), 0},
	{"escapes", parses(func() string { return upTo("a: \"", `\U0001F600`, "\"") }), 0},
	{"one comment", parses(func() string { return upTo("a: 1 #", "x", "") }), 0},
	{"anchors", parses(func() string { return upTo("a: [", "&a a,", "]") }), 0},
	{"aliases", parses(func() string { return upTo("a: [&a a,", "*a,", "]") }), 0},
	{"tags", parses(func() string { return upTo("a: [", "!x a,", "]") }), 0},
	{"long tag", parses(func() string { return upTo("a: !", "x", " 1") }), 0},
	{"long anchor", parses(func() string { return upTo("a: &", "x", " 1") }), 0},
	{"%TAG directives", parses(func() string { return tagDirectives(maxTags) }), 0},
	{"deep blocks", parses(func() string { return deepYAML(3500) }), 0},
	{"deep flow", parses(func() string { return deepFlow(9_999) }), 0},
	{"deep JSON", parses(func() string { return deepJSON(9_999) }), 0},
	{"JSON list", parses(func() string { return upTo("[0", ",0", "]") }), 0},
	{"JSON object", parses(func() string { return jsonObject() }), 0},
	{"JSON string", parses(func() string { return upTo(`{"a":"`, "x", `"}`) }), 0},
	{"JSON string of surrogates", parses(func() string { return upTo(`{"a":"`, `\ud83d\ude00`, `"}`) }), 0},
	{"JSON numbers", parses(func() string { return upTo("[0", ","+strings.Repeat("9", 35), "]") }), 0},
	{"JSON that is none at the end", parses(func() string { return upTo("[", "0,", "") }), 0},

	{"full stream of text", reads("a: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", MaxStreamBytes), 0},
	{"full stream of comments", reads("# xxxxxxxxxxx\n", MaxStreamBytes), 0},
	{"full stream of markers", reads("---\n", MaxStreamBytes), 0},
	{"full stream of end markers", reads("...\n", MaxStreamBytes), 0},
	{"full stream, as many documents as may be", reads("---\na: "+strings.Repeat("x", 127)+"\n", MaxStreamBytes), 0},
	{"full stream of JSON objects", reads("{}", MaxStreamBytes), 0},
	{"full stream of open brackets", reads("[", MaxStreamBytes), 0},
	{"full stream of brackets after each other", reads("[1]", MaxStreamBytes), 0},
	{"full stream of quotes", reads(`["a",`, MaxStreamBytes), 0},
	{"full stream, one document replaced", replaces("---\na: "+strings.Repeat("x", 1<<20)+"\n", MaxStreamBytes), 0},
	// The YAML parser takes some 5 us a line.
	{"1,000,000 lines of documents", everyNode("---\nkind: A\nmetadata: {name: x}\nspec:\n", 250_000), 15 * time.Second},
}

func jsonObject() string {
	var b strings.Builder
	for i := range maxStructure/2 - 1 {
		fmt.Fprintf(&b, ",\"%d\":0", i)
	}
	return "{" + b.String()[1:] + "}"
}

// columns has comments that move to the right and back between keys.
func columns(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "# c\n")
	}
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n%s# c\n", i, strings.Repeat(" ", n-i))
	}
	return b.String()
}

func tagDirectives(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%%TAG !%d! %s\n", i, strings.Repeat("x", 80_000))
	}
	return b.String() + "---\na: 1\n"
}

// parses gives text to the parser and looks for objects.
func parses(text func() string) func() int {
	return func() int {
		n, err := Parse([]byte(text()))
		if err != nil {
			return 0
		}
		if _, err := Objects(n); err != nil {
			return 0
		}
		return 0
	}
}

func reads(unit string, size int) func() int {
	return func() int {
		s, err := Read(&repeated{unit: unit, left: size})
		if err == nil && len(s.Bytes()) != size {
			return 1
		}
		return 0
	}
}

func replaces(unit string, size int) func() int {
	return func() int {
		s, err := Read(&repeated{unit: unit, left: size})
		if err != nil || s.Documents[0].Replace(Mapping(String("a"), String("b"))) != nil || len(s.Bytes()) > size {
			return 1
		}
		return 0
	}
}

func everyNode(unit string, n int) func() int {
	return func() int {
		s, err := Read(&repeated{unit: unit, left: n * len(unit)})
		if err != nil || len(s.Documents) != n {
			return 1
		}
		for _, d := range s.Documents {
			if node, err := d.Node(); err != nil || node == nil {
				return 1
			}
			d.Forget()
		}
		return 0
	}
}

// No input takes more memory or time than the package promises.
func TestHostileInputIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for each input")
	}
	if raceEnabled {
		t.Skip("limits mean nothing under the race detector; make test runs this once more without it")
	}
	const documentCPU = 2 * time.Second
	const parseBytes = 150 << 20           // for one document
	const streamBytes = 4 * MaxStreamBytes // for a full stream: read, joined and some more
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			c := testtool.Cmd{Path: self, Env: []string{hostileEnv + "=" + h.name}, Timeout: 5 * time.Minute}
			r := testtool.Run(t, c)
			for range 6 { // on a busy machine it can be gone before its memory was looked at
				if r.MaxRSSBytes > 0 {
					break
				}
				r = testtool.Run(t, c)
			}
			if r.ExitCode != 0 {
				t.Fatalf("exit code %d: %s", r.ExitCode, bytes.TrimSpace(r.Stderr))
			}
			cpu := r.User + r.System
			t.Logf("%d MiB, %v", r.MaxRSSBytes>>20, cpu.Round(time.Millisecond))
			if raceEnabled {
				return
			}
			limit, maxCPU := int64(parseBytes), max(documentCPU, h.cpu)
			if strings.HasPrefix(h.name, "full stream") {
				limit, maxCPU = streamBytes, 5*time.Second
			}
			if r.MaxRSSBytes > limit || r.MaxRSSBytes == 0 {
				t.Errorf("peak memory %d MiB, want at most %d", r.MaxRSSBytes>>20, limit>>20)
			}
			if cpu > maxCPU {
				t.Errorf("CPU time %v, want at most %v", cpu, maxCPU)
			}
		})
	}
}
