// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// DefaultWrapTimeout bounds one Wrap where Options set no Timeout.
const DefaultWrapTimeout = 30 * time.Second

// Options says how gpg is run. The zero value is fit for a program that
// somebody runs in their own terminal.
type Options struct {
	// Program is gpg, as a path or as a name in PATH. "" stands for
	// $SOPS_GPG_EXEC, and where that is not set for "gpg".
	Program string
	// Timeout bounds each run of gpg. 0 stands for DefaultWrapTimeout in Wrap
	// and for no bound but ctx in Unwrap, because somebody may be typing a
	// passphrase or looking for a security key. A program that runs without
	// anybody should set it: with GPG_TTY set to what is no terminal, a
	// pinentry waits for ever.
	Timeout time.Duration
}

// Service wraps and unwraps secrets with gpg. It holds no key and no
// passphrase; those are with gpg and its agent. It is safe for concurrent use:
// each call is a process of its own.
type Service struct {
	o Options
}

var (
	_ keys.Wrapper   = (*Service)(nil)
	_ keys.Unwrapper = (*Service)(nil)
)

// New returns a Service. Neither environment nor files are read, and nothing is
// run, before its first use.
func New(o Options) *Service { return &Service{o: o} }
