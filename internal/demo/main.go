// SPDX-License-Identifier: Apache-2.0

// Demo does for demo.sh what a shell cannot do on every machine: it makes
// Secrets with fresh values, says what to search a repository for, and takes
// the values out of opened Secrets. It shares no code with Signet, so that
// what it finds is a second opinion.
package main

import (
	"errors"
	"fmt"
	"os"
)

const usage = `usage:
  demo make VALUES SECRETS   write manifests into folder SECRETS, each value into VALUES/<secret>/<key>
  demo patterns VALUES       print what gives a value away, one fixed string per line
  demo extract VALUES        write the values of the Secrets on stdin into VALUES/<secret>/<key>
  demo calls URL             print what the test KMS at URL was asked for since the last time`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo: error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "make":
		return makeSecrets(args[1], args[2])
	case len(args) == 2 && args[0] == "patterns":
		return printPatterns(os.Stdout, args[1])
	case len(args) == 2 && args[0] == "extract":
		return extract(os.Stdin, args[1])
	case len(args) == 2 && args[0] == "calls":
		return printCalls(os.Stdout, args[1])
	}
	return errors.New(usage)
}
