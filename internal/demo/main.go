// SPDX-License-Identifier: Apache-2.0

// Demo does for demo.sh and offline.sh what a shell cannot do on every machine:
// it makes Secrets with fresh values, says what to search a repository for, and
// takes the values out of opened Secrets. It shares no code with Signet, so that
// what it finds is a second opinion. The control plane is that of package
// cluster, a program of its own.
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
  demo calls URL             print what the test KMS at URL was asked for
  demo forget URL            have it count anew
  demo port                  print a port that is free
  demo get URL               print what is there`

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
	case len(args) == 2 && args[0] == "forget":
		return forgetCalls(args[1])
	case len(args) == 1 && args[0] == "port":
		return printPort(os.Stdout)
	case len(args) == 2 && args[0] == "get":
		return printPage(os.Stdout, args[1])
	}
	return errors.New(usage)
}
