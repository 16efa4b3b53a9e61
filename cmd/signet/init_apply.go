// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// apply does what is planned. The key comes first: if a key service refuses,
// nothing has been written. Each step is whole or not done, and one that is done
// is found by the next run.
func (k *initCommand) apply(cmd *cobra.Command, repo *gitrepo.Repo, plan *initPlan) error {
	for _, s := range plan.Steps {
		if !pending(s) {
			continue
		}
		if cmd.Context().Err() != nil {
			return parallel.ErrNotTried
		}
		if err := k.applyStep(cmd, repo, plan, s); err != nil {
			return err
		}
		s.Applied = true
	}
	return nil
}

func (k *initCommand) applyStep(cmd *cobra.Command, repo *gitrepo.Repo, plan *initPlan, s *initStep) error {
	switch {
	case s.Kind == kindKey:
		return k.makeKey(cmd, plan, s)
	case s.State == stepLocal:
		return setVariables(cmd, repo, plan)
	case s.State == stepAppend:
		return appendStep(s)
	}
	if err := staysIn(s, repo.Root(), repo.CommonDir()); err != nil {
		return err
	}
	return createStep(s, []byte(s.Text), 0o755)
}

// setVariables sets what was not set when the plan was made.
func setVariables(cmd *cobra.Command, repo *gitrepo.Repo, plan *initPlan) error {
	for _, v := range initVariables(plan.want.diff) {
		if _, ok, err := repo.Config(cmd.Context(), v.name); ok || err != nil {
			if err != nil {
				return &initError{plan.Root, err}
			}
			continue
		}
		if err := repo.SetConfig(cmd.Context(), v.name, v.value); err != nil {
			return &initError{plan.Root, err}
		}
	}
	return nil
}

// errInitChanged says that somebody else writes the files, too.
var errInitChanged = errors.New("has changed since it was looked at")

// appendStep adds the text to a file that is as it was when the plan was made.
func appendStep(s *initStep) error {
	f, err := lookAt(s.file)
	if err != nil {
		return err
	}
	if !f.regular || !bytes.Equal(f.data, s.before) {
		return writeError(report.ShortPath(s.file), errInitChanged)
	}
	return writeFile(report.ShortPath(s.file), withMarked(s.before, s.Text), s.mode)
}

// createStep makes a file that was not there when the plan was made, whole or not
// at all.
func createStep(s *initStep, data []byte, dirPerm os.FileMode) error {
	path := report.ShortPath(s.file)
	err := createWhole(path, data, dirPerm, s.mode)
	if errors.Is(err, os.ErrExist) || errors.As(err, new(*keyExistsError)) {
		err = errInitChanged
	}
	if err != nil {
		return writeError(path, err)
	}
	return nil
}

// createWhole makes a new file, and its folder if that is missing: a link to data
// that is on disk, so that a crash leaves no part of it.
func createWhole(path string, data []byte, dirPerm, perm os.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirPerm); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".signet-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(fill(f, data, perm), f.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, os.ErrExist) { // a file system without links
		return createNew(path, data, dirPerm, perm)
	}
	syncDir(dir)
	return err
}

// errLeadsOut says that a clone has brought a link with it.
var errLeadsOut = errors.New("a symbolic link in its path leads out of the repository")

// staysIn makes sure that a file is made in one of the folders.
func staysIn(s *initStep, folders ...string) error {
	dir := resolved(filepath.Dir(s.file))
	for _, folder := range folders {
		if isBelow(resolved(folder), dir) {
			return nil
		}
	}
	return writeError(report.ShortPath(s.file), errLeadsOut)
}

// makeKey makes the key, and puts its public half where the plan lacks it.
func (k *initCommand) makeKey(cmd *cobra.Command, plan *initPlan, s *initStep) error {
	recipient, err := "", error(nil)
	if plan.key.make == makeIdentity {
		recipient, err = k.makeIdentity(s)
	} else if err = staysIn(s, plan.Root); err == nil {
		recipient, err = k.makeSealingKey(cmd, plan, s)
	}
	if err != nil {
		return err
	}
	plan.key.recipients = []string{recipient}
	for _, other := range plan.Steps {
		other.Text = strings.ReplaceAll(other.Text, newKeyText, recipient)
	}
	for i, n := range plan.Notes {
		plan.Notes[i] = strings.ReplaceAll(n, newKeyText, recipient)
	}
	return nil
}

// makeIdentity makes an age key pair.
func (k *initCommand) makeIdentity(s *initStep) (string, error) {
	generate := agekey.GenerateIdentity
	if k.classic {
		generate = agekey.GenerateClassicIdentity
	}
	id, err := generate()
	if err != nil {
		return "", fmt.Errorf("generate key: %w", err)
	}
	return id.Recipient(), createStep(s, id.File(time.Now()), 0o700)
}

// makeSealingKey makes a SealingKey as `signet key create` does.
func (k *initCommand) makeSealingKey(cmd *cobra.Command, plan *initPlan, s *initStep) (string, error) {
	var text bytes.Buffer
	create := &keyCreateCommand{
		console:  console{in: k.in, out: &text, err: &exceptPublicKey{k.err}},
		keyFlags: k.keyFlags, keyLists: k.keyLists, classic: k.classic, output: "-",
	}
	namespaces := plan.want.namespaces
	if namespaces == nil {
		namespaces = []string{sopsdoc.Any}
	}
	if err := create.create(cmd, plan.want.keyName, namespaces); err != nil {
		return "", err
	}
	n, err := manifest.Parse(text.Bytes())
	if err != nil {
		return "", fmt.Errorf("make SealingKey: %w", err)
	}
	key, err := sopsdoc.ParseSealingKey(manifest.Root(n))
	if err != nil {
		return "", fmt.Errorf("make SealingKey: %w", err)
	}
	return key.Recipient, createStep(s, text.Bytes(), 0o755)
}

// exceptPublicKey leaves out the line with the public key, which the rules get.
type exceptPublicKey struct{ io.Writer }

func (w *exceptPublicKey) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("public key: ")) {
		return len(p), nil
	}
	return w.Writer.Write(p)
}
