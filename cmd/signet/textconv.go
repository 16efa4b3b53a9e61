// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const textconvLong = `Print a file so that a comparison tells what has changed in sealed documents and
no value is shown. Git calls it for the files that .gitattributes gives the
attribute diff=signet, in git diff, git log -p and the like.

For each value there is a mark: equal values of one Secret, by its namespace and
name, have the same mark, in every version and file and under every key; those of
two Secrets have not. Marks depend on a random key, which is kept in the .git
folder and never leaves it, so that whoever reads them cannot try out guesses.
Whoever has that folder can, and who commits versions of the Secret and sees their
marks.

A document that does not open is shown with marks of the ciphertext, which change
whenever it is sealed anew, and a line that says why. Nobody is asked for
anything, and opening takes no more than 10 seconds. The exit code is 0 for every
file that can be read: with another, Git would stop.

Documents open with age identities that are at hand. Key services and gpg are asked
only if you have an allow-list (--allow-keys, $SIGNET_ALLOW_KEYS, or the file
signet/allow-keys in your configuration directory): a commit of somebody else could
name a key of theirs, whose use would tell them who looks at it.`

// textconvTimeout bounds what Git waits for, once for each file.
const textconvTimeout = 10 * time.Second

// textconvLimit is that bound, or a lower one of the environment.
func textconvLimit() time.Duration {
	if limit, err := userkeys.Timeout(0, false); err == nil && limit > 0 {
		return min(limit, textconvTimeout)
	}
	return textconvTimeout
}

// textconvCommand holds the flags of `signet textconv`.
type textconvCommand struct {
	console
	keyFlags
	keyless bool
}

func newTextconv(c console) *cobra.Command {
	t := &textconvCommand{console: c}
	cmd := &cobra.Command{
		Use:     "textconv [flags] FILE",
		Short:   "Show a file without its values, for Git",
		Long:    textconvLong,
		Example: "  signet textconv sealed.yaml\n  git config diff.signet.textconv 'signet textconv'",
		RunE:    t.run,
	}
	t.keyFlags.add(cmd)
	cmd.Flags().BoolVar(&t.keyless, "keyless", false, "open nothing: marks are of the ciphertext")
	return cmd
}

func (t *textconvCommand) run(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef(cmd, "name one file")
	}
	data, err := readBounded(args[0])
	if errors.Is(err, manifest.ErrTooLarge) {
		data, err = tooLarge(args[0])
	}
	if err != nil {
		return &report.PlacedError{File: args[0], Operation: "read", Err: report.Cause(err)}
	}
	if _, err := t.out.Write(t.convert(cmd.Context(), args[0], data)); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	return nil
}

// tooLarge is shown in place of a file that nothing sealed can be in, with a hash that
// tells its versions apart. Git would give up on an error, with all that it shows.
func tooLarge(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "# signet: not shown, for it is larger than %d MiB: SHA-256 %x\n", manifest.MaxStreamBytes>>20, h.Sum(nil)), nil
}

// convert returns what is shown in place of data: data itself if nothing in it is
// sealed.
func (t *textconvCommand) convert(ctx context.Context, name string, data []byte) []byte {
	if !manifest.MightConcern(data, sopsdoc.Group, sopsdoc.MetadataKey) {
		return data
	}
	m := &masker{}
	var stable bool
	m.marks, stable = newMarks(ctx)
	head := ""
	if !stable {
		head = "; marks are of this run only"
	}
	if t.keyless {
		return m.convert(ctx, name, data, nil, head)
	}
	watch := new(userkeys.Watch)
	o, listed, err := t.quietly(watch)
	if err != nil {
		return m.convert(ctx, name, data, err, head)
	}
	done := make(chan []byte, 1)
	opening := &masker{marks: m.marks, open: &o, unlisted: !listed}
	err = watch.Within(ctx, textconvLimit(), func(ctx context.Context) error {
		done <- opening.convert(ctx, name, data, nil, head)
		return ctx.Err()
	})
	if err != nil {
		return m.convert(ctx, name, data, err, head)
	}
	return <-done
}

// convert masks what is sealed in data. cause is why nothing could be opened, if
// that is known beforehand.
func (m *masker) convert(ctx context.Context, name string, data []byte, cause error, head string) []byte {
	stream, err := manifest.Split(data)
	if err != nil {
		return data
	}
	in := input{name: name, stream: stream}
	all := m.documents(ctx, in)
	for i, d := range all {
		d.cause = cmp.Or(d.cause, cause)
		if m.unlisted && errors.As(d.cause, new(*keys.NotAllowedError)) {
			d.cause = errUnlisted
		}
		line := d.head() + head
		d.Replace(d.view())
		if d.Item > 0 {
			d.Node.HeadComment = line
			line = ""
		}
		if i+1 < len(all) && all[i+1].doc == d.doc {
			continue
		}
		inLines(d.root)
		text, err := manifest.EncodeYAML(d.root)
		if err != nil {
			return data
		}
		if line != "" {
			text = append([]byte(line+"\n"), text...)
		}
		d.doc.ReplaceBody(text)
	}
	return stream.Bytes()
}

// errUnlisted says why no key service was asked.
var errUnlisted = errors.New("key services are asked only with an allow-list, see signet textconv --help")

// head says in one line what the marks of a document are of.
func (d *maskedDocument) head() string {
	switch {
	case d.opened:
		return "# signet: opened and verified"
	case d.cause == nil:
		return "# signet: marks are of the ciphertext"
	}
	return "# signet: not opened: " + causeLine(d.cause) + "; marks are of the ciphertext"
}

// causeLine is the first line of an error.
func causeLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return report.Visible(line)
}

// view returns the document with marks in place of its values, without what is
// different whenever it is sealed.
func (d *maskedDocument) view() *yaml.Node {
	n := manifest.Clone(d.Node)
	names := recipientNames(recipientsOf(d.found))
	slices.Sort(names)
	recipients := &yaml.Node{Kind: yaml.SequenceNode}
	for _, name := range names {
		recipients.Content = append(recipients.Content, manifest.String(name))
	}
	sealed := manifest.Get(n, "spec", "sealed")
	if d.Group() != sopsdoc.Group || sealed == nil || sealed.Kind != yaml.MappingNode {
		d.maskTree(n)
		manifest.Delete(n, sopsdoc.MetadataKey)
		manifest.Set(n, "recipients", recipients)
		return n
	}
	shown := manifest.Mapping()
	for _, key := range slices.Sorted(maps.Keys(d.values)) {
		manifest.Set(shown, key, plainText(d.values[key].String()))
	}
	manifest.Delete(sealed, "signet")
	manifest.Delete(sealed, sopsdoc.MetadataKey)
	if d.Kind() != sopsdoc.KeyKind {
		manifest.Set(sealed, "keys", shown)
	}
	manifest.Set(sealed, "recipients", recipients)
	return n
}

// plainText is a text without quotes, for people.
func plainText(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// maskTree puts marks in place of what SOPS has encrypted.
func (d *maskedDocument) maskTree(n *yaml.Node) {
	eachScalar(n, nil, nil, func(path []string, scalar, _ *yaml.Node) {
		v, ok := d.values[manifest.JoinPath(path)]
		if d.IsSecret() && len(path) == 2 && (path[0] == "data" || path[0] == "stringData") {
			v, ok = d.values[path[1]]
		}
		if ok {
			*scalar = *plainText(v.String())
		}
	})
}

// inLines takes out comments that SOPS has encrypted, and puts what is written as
// JSON on lines of its own.
func inLines(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle
	for _, comment := range []*string{&n.HeadComment, &n.LineComment, &n.FootComment} {
		if strings.Contains(*comment, sopsdoc.ValuePrefix) {
			*comment = ""
		}
	}
	for _, child := range n.Content {
		inLines(child)
	}
}
