// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// templateWriter writes random templates of what we support.
type templateWriter struct {
	*rand.Rand
	names []string
}

func newTemplateWriter(seed uint64) *templateWriter {
	names := append(slices.Sorted(maps.Keys(functions())), "and", "or")
	return &templateWriter{rand.New(rand.NewPCG(seed, 0)), names}
}

func (w *templateWriter) pick(from ...string) string { return from[w.IntN(len(from))] }

func (w *templateWriter) atom() string {
	return w.pick(".a", ".b", ".c", ".none", "$.a", "$", ".", `"x"`, `","`, `""`, `"%s-%v"`, "1", "0", "2", "-1", "3.5", "true", "false", "nil", `(splitList "," .b)`, `(split "," .b)`, `(list 1 .a)`, `(len .b)`, `(print .a 1)`, `(atoi .c)`, `(split "," .b)._0`)
}

// texty is an atom that is mostly a string.
func (w *templateWriter) texty() string {
	return w.pick(".a", ".b", ".c", `"x"`, `","`, `"a,b"`, `(print .a .c)`, `(b64enc .a)`, w.atom())
}

func (w *templateWriter) call(depth int) string {
	name := w.names[w.IntN(len(w.names))]
	fn := functions()[name]
	n := fn.min
	if fn.max < 0 {
		n += w.IntN(3)
	}
	if w.IntN(20) == 0 {
		n += w.IntN(3) - 1
	}
	args := []string{name}
	for i := range max(n, 0) {
		switch {
		case depth > 0 && w.IntN(4) == 0:
			args = append(args, "("+w.pipeline(depth-1)+")")
		case i == 0 && slices.Contains([]string{"repeat", "indent", "nindent", "trunc", "substr"}, name), i == 1 && slices.Contains([]string{"substr", "splitn"}, name):
			args = append(args, w.pick("0", "1", "2", "5", "-1", w.atom()))
		default:
			args = append(args, w.texty())
		}
	}
	return strings.Join(args, " ")
}

func (w *templateWriter) pipeline(depth int) string {
	parts := []string{w.pick(w.atom(), w.call(depth), w.call(depth))}
	for w.IntN(3) == 0 {
		parts = append(parts, w.pick(w.call(0), "quote", "toJson", "len", "b64enc", "upper", "print", `default "d"`, `join "-"`, "toString", `printf "%v!"`, "trim", "first"))
	}
	return strings.Join(parts, " | ")
}

func (w *templateWriter) statement(depth int) string {
	if depth == 0 {
		return "{{ " + w.pipeline(1) + " }}"
	}
	inner := func() string { return w.statement(depth - 1) }
	switch w.IntN(9) {
	case 0:
		return "{{ if " + w.pipeline(1) + " }}" + inner() + "{{ else }}" + inner() + "{{ end }}"
	case 1:
		return "{{ with " + w.pipeline(1) + " }}" + inner() + "{{ . }}{{ end }}"
	case 2:
		return "{{ range " + w.pick("3", ".", `splitList "," .b`, w.pipeline(1)) + " }}" + inner() + w.pick("", "{{ break }}", "{{ continue }}", "{{ . }}") + "{{ else }}" + inner() + "{{ end }}"
	case 3:
		return fmt.Sprintf("{{ range $i, $e := %s }}{{ $i }}={{ $e }};%s{{ end }}", w.pick(".", `splitList "," .b`, `split "," .b`, w.pipeline(1)), inner())
	case 4:
		return "{{ $v := " + w.pipeline(1) + " }}" + inner() + "{{ $v }}{{ $v = " + w.pipeline(0) + " }}{{- $v -}} "
	case 5:
		return "text \n {{- " + w.pipeline(2) + " -}} \n" + inner()
	}
	return "{{ " + w.pipeline(2) + " }}"
}

// Random templates render as in Sealed Secrets, and most of those that it
// renders are rendered.
func TestTemplatesRandom(t *testing.T) {
	const number = 600
	data := map[string]string{"a": `A "b" <c>`, "b": "x,yy,,z", "c": "42"}
	w := newTemplateWriter(20260910)
	templates := make([]string, number)
	for i := range templates {
		templates[i] = w.statement(w.IntN(3))
	}
	theirs, ours := 0, 0
	for _, c := range askUpstream(t, templates, data) {
		compare(t, c, data)
		if c.Error == "" {
			theirs++
		}
		if _, err := renderOurs(c.Template, data); err == nil {
			ours++
		}
	}
	t.Logf("of %d templates Sealed Secrets renders %d, we %d", number, theirs, ours)
	if theirs < number/4 || ours < theirs*9/10 {
		t.Errorf("of %d templates Sealed Secrets renders %d, we %d", number, theirs, ours)
	}
}
