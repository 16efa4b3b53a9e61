// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// What lines begin with that signet puts into the text of edit: remarks, and what
// has to be corrected. They are no part of what is sealed.
const (
	remarkMark  = "#|"
	mistakeMark = "#!"
)

func remarks(b *bytes.Buffer, lines ...string) {
	for _, line := range lines {
		b.WriteString(strings.TrimRight(remarkMark+" "+report.Visible(line), " ") + "\n")
	}
}

// text shows the opened Secrets.
func (s *sealedSecrets) text() ([]byte, error) {
	var b bytes.Buffer
	remarks(&b, "Remove the line of a key to remove the key. Saved without a change, the file stays as it is.",
		"Names and scope stay; `signet seal` changes them. Lines that begin with "+remarkMark+" are left out.")
	for i, t := range s.opened {
		if i > 0 {
			b.WriteString("---\n")
		}
		n := t.view()
		remarks(&b, t.describe())
		if data := manifest.Get(manifest.Root(n), "data"); !t.isSOPS() && data != nil && len(data.Content) > 0 {
			remarks(&b, "The values in data are binary, in base64.")
		}
		text, err := manifest.EncodeYAML(n)
		if err != nil {
			return nil, t.wrap("edit", err)
		}
		b.Write(text)
	}
	return b.Bytes(), nil
}

// describe says which Secret it is, and who can open it.
func (t *target) describe() string {
	text := labels([]*target{t})[0] + " in " + report.Source(t.in.name)
	if !t.isSOPS() {
		text += ", scope " + t.opened.Document.Envelope.Scope.String()
	}
	return text + ", opens for " + openers(t.recipients())
}

// openers lists recipients, not all of them if there are many.
func openers(r keys.Recipients) string {
	var all []string
	for _, e := range r.Entries() {
		all = append(all, recipient{Type: string(e.Type()), ID: shortRecipient(e.ID())}.String())
	}
	return some(all)
}

// view is the Secret in clear. Text is shown in stringData, wherever it stands;
// documents of SOPS are shown as they are.
func (t *target) view() *yaml.Node {
	if t.isSOPS() {
		return t.file.Documents[t.at]
	}
	secret := *t.opened.Secret
	data, texts := map[string][]byte{}, map[string]string{}
	for key, text := range secret.StringData {
		texts[key] = text
	}
	for key, b := range secret.Data {
		if isText(b) {
			texts[key] = string(b)
		} else {
			data[key] = b
		}
	}
	secret.Data, secret.StringData = data, texts
	return secret.Node()
}

// withoutMarked returns a text in which the lines of signet's are blank, so that
// the others keep their numbers.
func withoutMarked(text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, line := range lines {
		if isMarked(line) {
			lines[i] = line[len(bytes.TrimRight(line, "\r\n")):]
		}
	}
	return bytes.Join(lines, nil)
}

func isMarked(line []byte) bool {
	return bytes.HasPrefix(line, []byte(remarkMark)) || bytes.HasPrefix(line, []byte(mistakeMark))
}

// withMistakes returns a text with what has to be corrected on top, in the place
// of what stood there before.
func withMistakes(text []byte, err error) []byte {
	all := report.Split(err)
	helps := make([]string, len(all))
	top := len(all) + 1
	for i, err := range all {
		if helps[i] = strings.ReplaceAll(strings.Join(hints(err), "; "), "\n", " "); helps[i] != "" {
			top++
		}
	}
	var b bytes.Buffer
	for i, err := range all {
		fmt.Fprintln(&b, mistakeMark, report.Visible(mistakeText(err, func(line int) int { return top + unmarkedLine(text, line) })))
		if helps[i] != "" {
			fmt.Fprintln(&b, mistakeMark, "  "+report.Visible(helps[i]))
		}
	}
	fmt.Fprintln(&b, mistakeMark, "Correct it and save. To give up, end the editor without a change.")
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(mistakeMark)) {
			b.Write(line)
		}
	}
	return b.Bytes()
}

// mistakesIn returns the mistakes that withMistakes has put on top of a text, without
// what helps against them.
func mistakesIn(text []byte) []string {
	var all []string
	for line := range bytes.Lines(text) {
		mistake, ok := bytes.CutPrefix(line, []byte(mistakeMark+" "))
		if !ok {
			break
		}
		if !bytes.HasPrefix(mistake, []byte("  ")) {
			all = append(all, string(bytes.TrimSpace(mistake)))
		}
	}
	return all[:max(0, len(all)-1)] // the last line says what to do
}

// unmarkedLine returns the number that a line has once the mistakes before it are
// gone.
func unmarkedLine(text []byte, line int) int {
	n := 0
	for before := range bytes.Lines(text) {
		if n++; n >= line {
			break
		}
		if bytes.HasPrefix(before, []byte(mistakeMark)) {
			line--
			n--
		}
	}
	return line
}

// mistakeText says what is wrong, and in which line of the text that is shown.
func mistakeText(err error, shift func(int) int) string {
	if syntax, ok := report.As[*manifest.SyntaxError](err); ok {
		shown := *syntax
		if shown.Line > 0 {
			shown.Line = shift(shown.Line)
		}
		return shown.Error()
	}
	if placed, ok := report.As[*report.PlacedError](err); ok {
		return strings.TrimPrefix(placed.Object+": ", ": ") + placed.Err.Error()
	}
	return err.Error()
}
