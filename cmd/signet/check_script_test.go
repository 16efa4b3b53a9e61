// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// A Secret in a here-document is told of with the line of the file on which it
// begins, wherever that is known.
func TestHereDocumentLines(t *testing.T) {
	const script = "set -e\n" +
		"cat <<'EOF' | kubectl apply -f -\n" +
		"# it\n" +
		"apiVersion: v1\n" +
		"kind: Secret\n" +
		"metadata: {name: a}\n" +
		"stringData: {password: hunter2}\n" +
		"---\n" +
		"apiVersion: v1\n" +
		"kind: Secret\n" +
		"metadata: {name: b}\n" +
		"data:\n" +
		"  password: hunter2\n" +
		"EOF\n"
	indented := func(by string) string {
		return by + strings.ReplaceAll(strings.TrimSuffix(script, "\n"), "\n", "\n"+by) + "\n"
	}
	tests := []struct{ name, file, text, want string }{
		{"script", "deploy.sh", script, "a 4, b 9"},
		{"literal block", "ci.yaml", "on: push\nsteps:\n- run: |\n" + indented("    "), "a 7, b 12"},
		{"second document", "ci.yaml", "a: b\n---\non: push\nsteps:\n- run: |-\n" + indented("    "), "a 9, b 14"},
		{"block in a block", "ci.yaml", "files:\n- content: |\n    steps:\n    - run: |\n" + indented("        "), "a 8, b 13"},
		{"one line", "ci.yaml", "on: push\nsteps:\n- run: " + strconv.Quote(script) + "\n", "a 3, b 3"},
		{"windows", "deploy.ps1", "$m = @\"\r\n" + strings.ReplaceAll("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: hunter2}\n", "\n", "\r\n") + "\"@\r\n", "a 2"},
		{"template", "deploy.sh", strings.ReplaceAll(script, "name: b", "name: b, labels: {a: '{{ .A }}'}"), "a 4, b 9"},
		{"without an end", "deploy.sh", strings.TrimSuffix(script, "EOF\n"), "a 4, b 9"},
		{"here-string", "deploy.sh", strings.ReplaceAll(script, "<<'EOF'", "<<<'EOF'"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			writeTestFile(t, test.file, test.text)
			var found []finding
			o := runSignet(t, "", "check", "--output", "json", ".")
			if err := json.Unmarshal([]byte(o.stdout), &found); err != nil {
				t.Fatalf("%v\n%s", err, o.stderr)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.Object+" "+strconv.Itoa(f.Line))
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("%q, want %q", text, test.want)
			}
		})
	}
}
