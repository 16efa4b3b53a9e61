// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

const keyGenerateLong = `Make an age key pair: an identity, which opens documents and must stay secret,
and its recipient, which everybody may know and which goes into .sops.yaml.

The identity goes to stdout or, with -o, into a new file that only you can read;
a file that exists is never touched. The recipient is printed on stderr, and
stands in the file as a comment. Keys are hybrid post-quantum unless --classic
asks for the short X25519 ones, which a future quantum computer could break.

Signet and SOPS find identities in ~/.config/sops/age/keys.txt by themselves.`

func newKeyGenerate(c console) *cobra.Command {
	var classic bool
	var output string
	cmd := &cobra.Command{
		Use:     "generate [-o FILE]",
		Short:   "Make an age key pair",
		Long:    keyGenerateLong,
		Example: "  signet key generate -o ~/.config/sops/age/keys.txt",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := generateKey(c, classic, output); err != nil {
				return err
			}
			noteNotIgnored(cmd.Context(), c, output)
			return nil
		},
	}
	cmd.Flags().BoolVar(&classic, "classic", false, "make an X25519 key instead of a hybrid post-quantum one")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the identity to a new `FILE`, mode 0600")
	return cmd
}

func generateKey(c console, classic bool, output string) error {
	generate := agekey.GenerateIdentity
	if classic {
		generate = agekey.GenerateClassicIdentity
	}
	id, err := generate()
	if err != nil {
		return fmt.Errorf("generate key: %w", err)
	}
	text := id.File(time.Now())
	if output == "" {
		if _, err := c.out.Write(text); err != nil {
			return fmt.Errorf("write key: %w", err)
		}
	} else if err := createPrivate(output, text); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = fmt.Fprintf(c.err, "public key: %s\n", id.Recipient())
	return err
}

// noteNotIgnored warns of a private key that the next git add would take.
func noteNotIgnored(ctx context.Context, c console, file string) {
	if file == "" {
		return
	}
	repo, err := gitrepo.Open(ctx, filepath.Dir(file))
	if err != nil {
		return // in no work tree, or there is no git
	}
	rel, err := repo.Rel(file)
	if err != nil {
		return
	}
	if ignored, err := repo.Ignored(ctx, rel); err == nil && len(ignored) == 0 {
		note(c.err, file, "is a private key in a Git work tree, and Git does not ignore it: it must not be committed; move it, or add it to .gitignore")
	}
}

// keyExistsError says that a key file is in the way.
type keyExistsError struct {
	path       string
	sealingKey string // its name, "" of other keys
}

func (e *keyExistsError) Error() string { return e.path + " exists and is never overwritten" }

// createPrivate makes a new file that only its owner can read, and its folder.
func createPrivate(path string, data []byte) error { return createNew(path, data, 0o700, 0o600) }

// createNew makes a new file, and its folder if that is missing.
func createNew(path string, data []byte, dirPerm, perm fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), dirPerm); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if errors.Is(err, fs.ErrExist) {
		return &keyExistsError{path: path}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}
