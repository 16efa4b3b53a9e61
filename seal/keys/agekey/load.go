// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxKeyFileBytes bounds an identity file and the output of a command.
const maxKeyFileBytes = 1 << 20

// found is what was found in some places. It is not changed once it is made.
type found struct {
	ids    []*candidate
	places []Place
}

// origin is where an identity comes from.
type origin struct {
	name string // as in Place.Name
	path string // of the file, or "" when there is none
}

func fileOrigin(path string) origin { return origin{quotePath(path), path} }

func fileVariable(name, path string) origin { return origin{name + "=" + quotePath(path), path} }

func variable(name string) origin { return origin{name: name} }

// shown is the short form for a prompt.
func (o origin) shown() string {
	if o.path == "" {
		return o.name
	}
	return quotePath(o.path)
}

func (f *found) note(name, state string) { f.places = append(f.places, Place{name, state}) }

// add takes what parse made of a place that need not work.
func (f *found) add(name string, ids []*candidate, notes []string, err error) {
	if err != nil {
		f.note(name, err.Error())
		return
	}
	f.ids = append(f.ids, ids...)
	if len(ids) > 0 || len(notes) == 0 {
		f.note(name, count(len(ids)))
	}
	for _, n := range notes {
		f.note(name, n)
	}
}

func count(n int) string {
	switch n {
	case 0:
		return "no identity in it"
	case 1:
		return "1 identity"
	}
	return fmt.Sprintf("%d identities", n)
}

// loadAge reads the places that may hold identities for any recipient. The
// error is about an explicit file.
func (s Sources) loadAge() (found, error) {
	var f found
	if len(s.Identities) > 0 {
		ids := make([]*candidate, 0, len(s.Identities))
		for _, i := range s.Identities {
			if i.key != nil {
				ids = append(ids, nativeCandidate("identities given", i))
			}
		}
		f.add("identities given", ids, nil, nil)
	}
	for _, path := range s.Files {
		from := fileOrigin(path)
		ids, notes, err := s.readIdentities(from)
		if err == nil && len(ids)+len(notes) == 0 {
			err = errors.New(count(0))
		}
		if err != nil {
			return found{}, fmt.Errorf("age key file %s: %w", from.name, err)
		}
		f.add(from.name, ids, notes, nil)
	}
	s.loadAgeEnv(&f)
	if s.ConfigDir != "" {
		s.loadFile(&f, fileOrigin(s.defaultKeyFile()))
	}
	return f, nil
}

func (s Sources) loadAgeEnv(f *found) {
	if s.LookupEnv == nil {
		return
	}
	if text := s.lookup(envKey); text == "" {
		f.note(envKey, s.unset(envKey))
	} else {
		ids, notes, err := s.parseIdentities(variable(envKey), []byte(text), true)
		f.add(envKey, ids, notes, err)
	}
	if path := s.lookup(envKeyFile); path == "" {
		f.note(envKeyFile, s.unset(envKeyFile))
	} else {
		s.loadFile(f, fileVariable(envKeyFile, path))
	}
}

// loadSSH reads the places that hold SSH keys alone.
func (s Sources) loadSSH() found {
	var f found
	if s.LookupEnv != nil {
		if path := s.lookup(envSSHKeyFile); path == "" {
			f.note(envSSHKeyFile, s.unset(envSSHKeyFile))
		} else {
			s.loadFile(&f, fileVariable(envSSHKeyFile, path))
		}
	}
	if s.HomeDir != "" {
		for _, name := range []string{"id_ed25519", "id_rsa"} {
			s.loadFile(&f, fileOrigin(filepath.Join(s.HomeDir, ".ssh", name)))
		}
	}
	return f
}

func (s Sources) unset(name string) string {
	if _, set := s.LookupEnv(name); set {
		return "set but empty"
	}
	return "not set"
}

// loadFile adds a file that need not be there.
func (s Sources) loadFile(f *found, from origin) {
	ids, notes, err := s.readIdentities(from)
	f.add(from.name, ids, notes, err)
}

// readIdentities reads one identity file of any sort.
func (s Sources) readIdentities(from origin) ([]*candidate, []string, error) {
	data, err := readFile(from.path)
	if err != nil {
		return nil, nil, err
	}
	return s.parseFile(from, data)
}

// readFile reads at most maxKeyFileBytes. Its errors do not hold the path.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("not found")
	}
	if err != nil {
		return nil, fileCause(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFileBytes+1))
	if err != nil {
		return nil, fileCause(err)
	}
	if len(data) > maxKeyFileBytes {
		return nil, fmt.Errorf("longer than %d bytes", maxKeyFileBytes)
	}
	return data, nil
}
