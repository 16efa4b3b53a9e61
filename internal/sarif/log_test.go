// SPDX-License-Identifier: Apache-2.0

package sarif_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/sarif"
)

func sample() *sarif.Log {
	return &sarif.Log{
		Tool: "signet", Version: "1.2.3", URI: "https://example.com/signet", Root: "/home/mina/my repo",
		Rules: []sarif.Rule{
			{ID: "clear-secret", Short: "a Secret in clear", Help: "seal it", Level: sarif.Error},
			{ID: "no-rule", Short: "no rule", Help: "add one", Level: sarif.Warning},
		},
		Results: []sarif.Result{
			{Rule: "no-rule", Level: sarif.Warning, Message: "no rule <matches> \"it\"", Path: "apps/my app/ü#1%.yaml", Line: 7, Fingerprint: "0a1b"},
			{Rule: "clear-secret", Level: sarif.Error, Message: `in clear: [log in](https://evil.example), a\b`, Path: "c:d.yaml", Suppressed: "an [example](1)"},
			{Rule: "clear-secret", Level: sarif.Note, Message: "in stdin"},
		},
	}
}

// text returns what is at a path of keys and indices.
func text(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch at := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || m[at] == nil {
				t.Fatalf("%v: nothing at %q", path, at)
			}
			v = m[at]
		case int:
			l, ok := v.([]any)
			if !ok || at >= len(l) {
				t.Fatalf("%v: nothing at %d", path, at)
			}
			v = l[at]
		}
	}
	return v
}

func TestWrite(t *testing.T) {
	var out bytes.Buffer
	if err := sample().Write(&out); err != nil {
		t.Fatal(err)
	}
	var log any
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path []any
		want any
	}{
		{[]any{"version"}, "2.1.0"},
		{[]any{"runs", 0, "tool", "driver", "name"}, "signet"},
		{[]any{"runs", 0, "tool", "driver", "rules", 1, "id"}, "no-rule"},
		{[]any{"runs", 0, "tool", "driver", "rules", 1, "shortDescription", "text"}, "no rule"},
		{[]any{"runs", 0, "tool", "driver", "rules", 1, "help", "text"}, "add one"},
		{[]any{"runs", 0, "tool", "driver", "rules", 1, "defaultConfiguration", "level"}, "warning"},
		{[]any{"runs", 0, "originalUriBaseIds", "SRCROOT", "uri"}, "file:///home/mina/my%20repo/"},
		{[]any{"runs", 0, "columnKind"}, "utf16CodeUnits"},
		{[]any{"runs", 0, "results", 0, "ruleId"}, "no-rule"},
		{[]any{"runs", 0, "results", 0, "ruleIndex"}, 1.0},
		{[]any{"runs", 0, "results", 0, "level"}, "warning"},
		{[]any{"runs", 0, "results", 0, "message", "text"}, `no rule <matches> "it"`},
		{[]any{"runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"}, "apps/my%20app/%C3%BC%231%25.yaml"},
		{[]any{"runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uriBaseId"}, "SRCROOT"},
		{[]any{"runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"}, 7.0},
		{[]any{"runs", 0, "results", 0, "partialFingerprints", "signet/v1"}, "0a1b"},
		{[]any{"runs", 0, "results", 1, "locations", 0, "physicalLocation", "artifactLocation", "uri"}, "./c:d.yaml"},
		{[]any{"runs", 0, "results", 1, "locations", 0, "physicalLocation", "region", "startLine"}, 1.0},
		{[]any{"runs", 0, "results", 1, "suppressions", 0, "kind"}, "inSource"},
		{[]any{"runs", 0, "results", 1, "message", "text"}, `in clear: \[log in\](https://evil.example), a\\b`}, // 3.11.6
		{[]any{"runs", 0, "results", 1, "suppressions", 0, "justification"}, `an \[example\](1)`},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, text(t, log, test.path...)); diff != "" {
			t.Errorf("%v: -want +got:\n%s", test.path, diff)
		}
	}
	stdin, _ := text(t, log, "runs", 0, "results", 2).(map[string]any)
	for _, field := range []string{"locations", "partialFingerprints", "suppressions"} {
		if stdin[field] != nil {
			t.Errorf("what was read from stdin has %s", field)
		}
	}
}

// GitHub wants the list of results, also an empty one.
func TestWriteNothing(t *testing.T) {
	var out bytes.Buffer
	if err := (&sarif.Log{Tool: "signet"}).Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"results": []`, `"rules": []`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "SRCROOT") {
		t.Error("it names a root that nobody gave")
	}
}

// A result can only be of a rule that is there, and an error of writing is told.
func TestWriteFails(t *testing.T) {
	log := sample()
	log.Rules = log.Rules[:1]
	if err := log.Write(new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "no rule no-rule") {
		t.Errorf("error %v", err)
	}
	if err := sample().Write(broken{}); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// Whatever the name of a file is, its URI is one.
func FuzzPath(f *testing.F) {
	f.Add("a/b.yaml")
	f.Add("/abs/a b#c?d%e.yaml")
	f.Add("x:y/\x00\xff.yaml")
	f.Add("../up")
	f.Fuzz(func(t *testing.T, name string) {
		var out bytes.Buffer
		log := sarif.Log{Rules: []sarif.Rule{{ID: "r"}}, Results: []sarif.Result{{Rule: "r", Path: name}}}
		if err := log.Write(&out); err != nil {
			t.Fatal(err)
		}
		var parsed any
		if err := json.Unmarshal(out.Bytes(), &parsed); err != nil {
			t.Fatal(err)
		}
		if name == "" {
			return
		}
		uri, _ := text(t, parsed, "runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri").(string)
		if _, err := url.Parse(uri); err != nil {
			t.Errorf("%q: %v", uri, err)
		}
	})
}
