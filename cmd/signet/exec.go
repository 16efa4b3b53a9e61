// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
)

const execLong = `Run a program with the values of sealed Secrets: as variables of its environment,
or with --files as files in memory.

In the environment each key is a variable of that name; --only chooses keys and
gives them other names. signet becomes the program: signals and the exit code are
those of the program, and nothing of signet is left. Other processes of yours can
read its environment, and what it starts inherits it: --files is the better choice
where the program can read files.

Whoever can write to the repository chooses the keys. A variable that is set
already is replaced only if --only names its key, and names that are known to
decide what programs do are refused; the list of these cannot be complete. Use
--only where you do not trust everybody who can change the file. --allow-override
permits both.

With --files there is a directory in memory with a file for each key, which only
you can read. Its path is in $SIGNET_FILES, and stands for {} in the arguments.
When the program ends, or signet is killed, the directory is overwritten and
removed; the exit code is that of the program.

All documents are opened and verified before the program starts. The code is 127
if there is no such program, and 126 if it cannot be run.`

const execExample = `  signet exec --only password=PGPASSWORD sealed.yaml -- psql -h db.example.com
  signet exec --files sealed.yaml -- wc -c {}/password`

// execCommand holds the flags of `signet exec`.
type execCommand struct {
	console
	secretFlags
	files         bool
	only          []string
	prefix        string
	pristine      bool
	allowOverride bool
	tempDir       string
}

func newExec(c console) *cobra.Command {
	e := &execCommand{console: c}
	cmd := &cobra.Command{
		Use:     "exec [flags] FILE|-... -- COMMAND [ARG]...",
		Short:   "Run a program with the values of sealed Secrets",
		Long:    execLong,
		Example: execExample,
		RunE:    e.run,
	}
	e.secretFlags.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&e.files, "files", false, "give the values as files in memory, not in the environment")
	flags.StringArrayVar(&e.only, "only", nil, "only these `KEY[=NAME]`, separated by commas, under these names")
	flags.StringVar(&e.prefix, "prefix", "", "`TEXT` before the names of keys that --only does not name")
	flags.BoolVar(&e.pristine, "pristine", false, "leave the rest of the environment out")
	flags.BoolVar(&e.allowOverride, "allow-override", false, "also replace variables, and set those that decide what programs do, such as PATH")
	flags.StringVar(&e.tempDir, "temp-dir", "", "with --files, make the directory below `DIR`, which may be on a disk, instead of in memory")
	_ = cmd.MarkFlagDirname("temp-dir")
	return cmd
}

func (e *execCommand) run(cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	switch {
	case dash < 0 || dash == len(args):
		return usagef(cmd, "name the program to run after --")
	case dash == 0:
		return usagef(cmd, "name a file, or - for stdin, before --")
	case e.tempDir != "" && !e.files:
		return usagef(cmd, "--temp-dir is for --files")
	case e.allowOverride && e.files:
		return usagef(cmd, "--allow-override is for the environment, not for --files")
	}
	names, err := parseOnly(cmd, e.only)
	if err != nil {
		return err
	}
	if err := e.check(cmd, e.console); err != nil {
		return err
	}
	program, err := findProgram(args[dash])
	if err != nil {
		return err
	}
	limit, err := memfile.NoCore()
	if err != nil {
		return err
	}
	values, err := e.values(cmd, args[:dash])
	if err != nil {
		return err
	}
	variables, err := e.named(values, names)
	if err != nil {
		return err
	}
	if e.files {
		return e.withFiles(program, args[dash:], variables, limit)
	}
	return e.become(program, args[dash:], variables, limit)
}

// programError says that a program cannot be run, with the code that shells give.
func programError(name string, err error) error {
	code := 126
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		code = 127
	}
	if e, ok := report.As[*exec.Error](err); ok { // which names the program, as commandError does
		err = e.Err
	}
	return &exitcode.CodeError{Code: code, Err: &commandError{name: name, err: report.Cause(err)}}
}

// findProgram looks a program up, before anything is opened.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", programError(name, err)
	}
	return path, nil
}

// placedValue is a value and the document that it is of.
type placedValue struct {
	value
	of *target
}

// values opens everything that is sealed in the files.
func (e *execCommand) values(cmd *cobra.Command, files []string) ([]placedValue, error) {
	var all []*target
	for _, file := range files {
		in, err := readSealed(e.console, file)
		if err != nil {
			return nil, err
		}
		found, err := in.targets(e.name)
		e.err.Write(in.notes.Bytes())
		if err != nil {
			return nil, err
		}
		if err := e.open(cmd, e.console, found...); err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	var values []placedValue
	for _, t := range all {
		of, err := t.values()
		if err != nil {
			return nil, t.wrap("read", err)
		}
		for _, v := range of {
			values = append(values, placedValue{v, t})
		}
	}
	if cmd.Context().Err() != nil {
		return nil, parallel.ErrNotTried
	}
	return values, nil
}
