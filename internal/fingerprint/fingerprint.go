// SPDX-License-Identifier: Apache-2.0

// Package fingerprint marks values so that equal ones can be seen to be equal
// without being shown.
//
// A mark is a keyed hash of a value and of the Secret that it is in: whoever reads a
// diff in a review or a log cannot try out guesses, because the key stays on the
// machine. Whoever has that key, which is kept beside the clone that opens the
// documents, can. Marks of two machines differ for the same value, as do those of
// two Secrets: else a document of guesses, which anybody can seal, would show which
// one is right, wherever the marks of both are printed. Within one Secret they are
// equal in all versions and under all keys, so that who may commit versions of it
// and sees their marks can still try out guesses.
//
// The package knows neither documents nor Git: the caller says which folder, and
// which Secret.
package fingerprint

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keyBytes is the size of a key.
const keyBytes = 32

// markBytes is the size of a mark before it is written in hexadecimal: any two
// of a million values look alike with a probability of one in three.
const markBytes = 5

// domain keeps marks from being of use anywhere else.
const domain = "signet diff v2\x00"

// Empty is the mark of an empty value.
const Empty = "empty"

// Key makes marks, from Load or New; with the zero value Mark panics. It is safe
// for concurrent use.
type Key struct {
	secret func() []byte // a function, because fmt prints what it finds in a field
}

// New returns a random key, for marks that are compared within one run.
func New() Key {
	b := make([]byte, keyBytes)
	rand.Read(b) // never fails: crypto/rand aborts the program instead
	return Key{func() []byte { return b }}
}

// Mark returns 10 hexadecimal digits for a value, or Empty. place names the Secret:
// values of two places have different marks.
func (k Key) Mark(place string, value []byte) string {
	if len(value) == 0 {
		return Empty
	}
	h := hmac.New(sha256.New, k.secret())
	h.Write(binary.BigEndian.AppendUint64([]byte(domain), uint64(len(place))))
	h.Write([]byte(place))
	h.Write(value)
	return hex.EncodeToString(h.Sum(nil)[:markBytes])
}

// fileName is that of the key in the folder of Load.
const fileName = "diff-key"

// errMalformed says nothing about what is in the file.
var errMalformed = fmt.Errorf("is not a key of %d bytes; remove it, and another one is made", keyBytes)

// Load returns the key that is kept in a folder, and makes both if need be: the
// folder with mode 0700, the file with 0600. Of several that make it at the same
// time, all get the same key. An error names the file; New is of use then.
func Load(folder string) (Key, error) {
	file := filepath.Join(folder, fileName)
	k, err := read(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Key{}, err
	}
	if err := create(folder, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, err
	}
	return read(file)
}

func read(file string) (Key, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return Key{}, err
	}
	if !info.Mode().IsRegular() || info.Size() != keyBytes {
		return Key{}, fmt.Errorf("%s %w", file, errMalformed)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Key{}, err
	}
	if len(b) != keyBytes {
		return Key{}, fmt.Errorf("%s %w", file, errMalformed)
	}
	return Key{func() []byte { return b }}, nil
}

// create writes a new key beside the file and links it into place, so that nobody
// reads half of one and nothing is replaced.
func create(folder, file string) error {
	tmp, err := os.CreateTemp(folder, "."+fileName+"-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(New().secret())
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), file)
}

// String returns a fixed text, never the key.
func (k Key) String() string { return "[diff key]" }

var _ fmt.Stringer = Key{}
