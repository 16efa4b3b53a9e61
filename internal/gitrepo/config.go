// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Config returns the value of a variable such as "merge.signet.driver", of all
// places where it can be set the one that counts; ok is false if it is not set.
func (r *Repo) Config(ctx context.Context, name string) (value string, ok bool, err error) {
	return r.config(ctx, name, "--includes")
}

// LocalConfig is Config for what is set in this clone only.
func (r *Repo) LocalConfig(ctx context.Context, name string) (value string, ok bool, err error) {
	return r.config(ctx, name, "--local")
}

func (r *Repo) config(ctx context.Context, name, where string) (string, bool, error) {
	if err := checkName(name); err != nil {
		return "", false, err
	}
	out, err := r.output(ctx, "config", where, "--null", "--get", name)
	if failed := new(Error); errors.As(err, &failed) && failed.Code == 1 {
		return "", false, nil
	}
	return strings.TrimSuffix(out, "\x00"), err == nil, err
}

// SetConfig sets a variable in this clone, in place of all values that it has
// there.
func (r *Repo) SetConfig(ctx context.Context, name, value string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if strings.ContainsRune(value, 0) {
		return fmt.Errorf("set %s: the value holds a NUL", name)
	}
	_, err := r.output(ctx, "config", "--local", "--replace-all", "--", name, value)
	return err
}

// checkName accepts what can be no option.
func checkName(name string) error {
	if strings.HasPrefix(name, "-") || !strings.Contains(name, ".") || strings.ContainsAny(name, "\x00\n=") {
		return fmt.Errorf("%q is no name of a Git variable", name)
	}
	return nil
}

// HooksDir returns the folder of the hooks, absolute, as core.hooksPath and the
// kind of work tree have it. It need not exist.
func (r *Repo) HooksDir(ctx context.Context) (string, error) {
	out, err := r.output(ctx, "rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	return r.abs(strings.TrimSuffix(out, "\n"))
}

// Attributes returns the value of each attribute for each path: "set", "unset", a
// text, or "unspecified".
func (r *Repo) Attributes(ctx context.Context, names []string, paths ...string) (map[string]map[string]string, error) {
	for _, name := range names {
		if name == "" || strings.HasPrefix(name, "-") {
			return nil, fmt.Errorf("%q is no name of an attribute", name)
		}
	}
	out := map[string]map[string]string{}
	if len(paths) == 0 || len(names) == 0 {
		return out, nil
	}
	cmd := r.Command(ctx, append([]string{"check-attr", "-z", "--stdin"}, names...)...)
	cmd.Stdin = strings.NewReader(strings.Join(paths, "\x00") + "\x00")
	text, err := r.outputOf(cmd, "check-attr")
	if err != nil {
		return nil, err
	}
	all := fields(text) // path, attribute, value
	if len(all) != 3*len(paths)*len(names) {
		return nil, unexpected("check-attr")
	}
	for i := 0; i < len(all); i += 3 {
		if out[all[i]] == nil {
			out[all[i]] = map[string]string{}
		}
		out[all[i]][all[i+1]] = all[i+2]
	}
	return out, nil
}
