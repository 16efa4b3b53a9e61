// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/tree"
)

func TestRead(t *testing.T) {
	root := folder(t, "sub/a.yaml", "link.yaml -> sub/a.yaml", "out.yaml -> ../a.yaml", "abs.yaml -> /etc/passwd", "gone.yaml -> missing")
	must(t, root.WriteFile("sub/a.yaml", []byte("12345"), 0o600))
	must(t, syscall.Mkfifo(filepath.Join(root.Name(), "pipe"), 0o600))
	tooLarge := errors.New("too large")
	tests := []struct {
		name, file string
		limit      int
		want       string
		err        error
		hint       bool
	}{
		{"file", "sub/a.yaml", 5, "12345", nil, false},
		{"through a link", "link.yaml", 6, "12345", nil, false},
		{"larger", "sub/a.yaml", 3, "1234", tooLarge, false},
		{"nothing left", "sub/a.yaml", -1, "", tooLarge, false},
		{"directory", "sub", 5, "", tree.ErrDirectory, true},
		{"pipe", "pipe", 5, "", tree.ErrNotRegular, true},
		{"link out", "out.yaml", 5, "", tree.ErrOutside, false},
		{"absolute link", "abs.yaml", 5, "", tree.ErrOutside, false},
		{"above", "../a.yaml", 5, "", tree.ErrOutside, false},
		{"missing", "gone.yaml", 5, "", fs.ErrNotExist, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, err := tree.Read(root, test.file, test.limit, tooLarge)
			if string(text) != test.want || !errors.Is(err, test.err) {
				t.Errorf("%q, error %v", text, err)
			}
			if hint := tree.Hint(err); (hint != "") != test.hint {
				t.Errorf("hint %q", hint)
			}
		})
	}
}
