// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// visitor is called for every comment line and every scalar of a document.
type visitor struct {
	// comment gets the text after the "#" and returns the text to put there.
	comment func(text string, path []string, encrypted bool) (string, error)
	// value may change n. It is not called for null. An item of a list that it
	// tags commentTag becomes a comment.
	value func(n *yaml.Node, path []string, encrypted bool) error
}

// walker visits a document in the order in which SOPS sees it, which decides
// over the MAC and over selectors by comment: comments become items of the
// mapping or list that they stand in (sops: stores/yaml/store.go,
// appendYamlNodeToTreeBranch; sops.go, walkBranch and walkSlice).
type walker struct {
	visitor
	selector selector
	steps    *int // of matching so far
}

func newWalker(v visitor, s selector) walker { return walker{v, s, new(int)} }

// spend counts the work of matching text.
func (w walker) spend(text string, path []string) error {
	*w.steps += w.selector.steps * len(text)
	if *w.steps > maxMatchSteps {
		return invalid(manifest.JoinPath(path), "up to here there is too much text for a selector as complex as that of the document")
	}
	return nil
}

// document walks the document node n. Comments of the document and of its
// root mapping belong to the root level.
func (w walker) document(n *yaml.Node) error {
	l := &level{walker: w}
	if err := l.texts(&n.HeadComment, &n.LineComment); err != nil {
		return err
	}
	for _, root := range n.Content {
		if root.Kind != yaml.MappingNode {
			return invalid("", "the document must be a mapping")
		}
		if err := l.mapping(root, false); err != nil {
			return err
		}
	}
	return l.texts(&n.FootComment)
}

// maxPathBytes bounds the keys on the way to one value: they are hashed with
// every value below them.
const maxPathBytes = 4 << 10

// level is one mapping or list during the walk.
type level struct {
	walker
	path      []string
	pathBytes int
	force     force
}

// texts visits comments, each of which may have several lines.
func (l *level) texts(comments ...*string) error {
	for _, c := range comments {
		if *c == "" {
			continue
		}
		lines := strings.Split(*c, "\n")
		for i, line := range lines {
			if line == "" {
				continue
			}
			text, err := l.text(strings.TrimPrefix(line, "#"))
			if err != nil {
				return err
			}
			lines[i] = "#" + text
		}
		*c = strings.Join(lines, "\n")
	}
	return nil
}

func (l *level) text(text string) (string, error) {
	if err := l.spend(text, l.path); err != nil {
		return "", err
	}
	encrypted := l.selector.encryptsComment(l.force, text)
	l.force = l.selector.withComment(l.force, text)
	return l.comment(text, l.path, encrypted)
}

// mapping visits a mapping. Where seen is true its own comments were visited
// with the value that it is.
func (l *level) mapping(n *yaml.Node, seen bool) error {
	if !seen {
		if err := l.texts(&n.HeadComment, &n.LineComment); err != nil {
			return err
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := l.pair(n.Content[i], n.Content[i+1]); err != nil {
			return err
		}
	}
	if seen {
		return nil
	}
	return l.texts(&n.FootComment)
}

func (l *level) pair(key, value *yaml.Node) error {
	if err := l.texts(&key.HeadComment, &key.LineComment); err != nil {
		return err
	}
	scalar := value.Kind == yaml.ScalarNode
	if scalar {
		if err := l.texts(&value.HeadComment, &value.LineComment); err != nil {
			return err
		}
	}
	below, err := l.below(key.Value)
	if err != nil {
		return err
	}
	if err := l.item(value, below, scalar); err != nil {
		return err
	}
	if value.Tag == commentTag {
		return &TamperedError{Path: manifest.JoinPath(below.path), Reason: "is marked as a comment where a value stands"}
	}
	if scalar {
		if err := l.texts(&value.FootComment); err != nil {
			return err
		}
	}
	return l.texts(&key.FootComment)
}

func (l *level) list(n *yaml.Node, seen bool) error {
	if !seen {
		if err := l.texts(&n.HeadComment, &n.LineComment); err != nil {
			return err
		}
	}
	for _, item := range n.Content {
		if err := l.texts(&item.HeadComment, &item.LineComment); err != nil {
			return err
		}
		below := *l
		if err := l.item(item, &below, true); err != nil {
			return err
		}
		if err := l.texts(&item.FootComment); err != nil {
			return err
		}
	}
	foldComments(n)
	if seen {
		return nil
	}
	return l.texts(&n.FootComment)
}

// commentTag marks what was an encrypted comment among the items of a list.
// manifest.Check lets no document have it.
const commentTag = "!!comment"

// foldComments turns items that are comments into comments before the next
// item: stock SOPS writes the encrypted comments of a list as items (sops:
// sops.go, walkSlice) and turns them back (stores/yaml/store.go,
// appendSequence).
func foldComments(n *yaml.Node) {
	var items []*yaml.Node
	var pending []string
	for _, item := range n.Content {
		if item.Tag == commentTag {
			pending = append(pending, item.HeadComment, "#"+item.Value, item.LineComment, item.FootComment)
			continue
		}
		item.HeadComment = joinComments(append(pending, item.HeadComment)...)
		pending = nil
		items = append(items, item)
	}
	switch {
	case len(pending) == 0:
	case len(items) == 0:
		n.HeadComment = joinComments(append([]string{n.HeadComment}, pending...)...)
	default:
		last := items[len(items)-1]
		last.FootComment = joinComments(append([]string{last.FootComment}, pending...)...)
	}
	n.Content = items
}

// below returns the level of the value under key.
func (l *level) below(key string) (*level, error) {
	b := &level{
		walker:    l.walker,
		path:      append(slices.Clone(l.path), key),
		pathBytes: l.pathBytes + len(key),
	}
	if b.pathBytes > maxPathBytes {
		return nil, invalid(manifest.JoinPath(b.path), "the keys down to here are too long, the limit is %d bytes", maxPathBytes)
	}
	if err := l.spend(key, b.path); err != nil {
		return nil, err
	}
	b.force = l.selector.withKey(l.force, key)
	return b, nil
}

// item visits a value, whose level is below l, and ends the force of the
// comments before it.
func (l *level) item(n *yaml.Node, below *level, seen bool) error {
	here := below.force
	below.force.outer, below.force.inner = here.outer || here.inner, false
	l.force.inner = false
	switch {
	case n.Kind == yaml.MappingNode:
		return below.mapping(n, seen)
	case n.Kind == yaml.SequenceNode:
		return below.list(n, seen)
	case n.ShortTag() == "!!null":
		return checkNull(n, below.path)
	}
	return l.value(n, below.path, l.selector.encrypts(here))
}

// checkNull refuses text that is only marked as null. SOPS encrypts no null, so
// it would stay readable, and nothing would authenticate it.
func checkNull(n *yaml.Node, path []string) error {
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return nil
	}
	return invalid(manifest.JoinPath(path), "is marked as null but has text")
}
