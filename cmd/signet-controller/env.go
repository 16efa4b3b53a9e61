// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/seal/keys"
)

// prefix begins the names of our variables.
const prefix = "SIGNET_"

// variable is the environment variable of a flag.
func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that were not given from their variables. It
// returns the names of variables that look like ours and are not, sorted.
func (o *options) fromEnvironment(flags *pflag.FlagSet, environ []string) (unknown []string, err error) {
	set := map[string]string{}
	for _, item := range environ {
		if name, value, _ := strings.Cut(item, "="); strings.HasPrefix(name, prefix) {
			set[name] = value
		}
	}
	o.sources = map[string]string{}
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value, ok := set[name]
		if !ok || f.Name == "help" || f.Name == "version" {
			return
		}
		delete(set, name)
		if f.Changed {
			return
		}
		if err := f.Value.Set(value); err != nil {
			errs = append(errs, &settingError{"$" + name, wrongType(f, value)})
		}
		o.sources[f.Name] = name
	})
	for name := range set {
		if !isServiceLink(name, set) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown, errors.Join(errs...)
}

// isServiceLink reports whether a variable is one that the kubelet sets for a
// Service whose name begins with signet, such as SIGNET_WEBHOOK_SERVICE_HOST
// and SIGNET_WEBHOOK_PORT_443_TCP_ADDR.
func isServiceLink(name string, set map[string]string) bool {
	for other := range set {
		service, ok := strings.CutSuffix(other, "_SERVICE_HOST")
		if !ok {
			continue
		}
		rest, ok := strings.CutPrefix(name, service)
		if ok && (strings.HasPrefix(rest, "_SERVICE_") || rest == "_PORT" || strings.HasPrefix(rest, "_PORT_")) {
			return true
		}
	}
	return false
}

// source names where the value of a flag is from: the variable, or the flag.
func (o *options) source(flag string) string {
	if name := o.sources[flag]; name != "" {
		return "$" + name
	}
	return "--" + flag
}

// settingError says what is wrong with a setting.
type settingError struct {
	where  string // flag or variable
	reason string
}

func (e *settingError) Error() string { return e.where + ": " + e.reason }

// wrongType says what the text of a flag should have been. It may be a key, put
// there by mistake.
func wrongType(f *pflag.Flag, text string) string {
	want := map[string]string{
		"bool":     "true or false",
		"duration": "a duration such as 90s or 10m",
		"float64":  "a number",
		"int":      "a whole number",
	}[f.Value.Type()]
	return fmt.Sprintf("want %s, not %q", cmp.Or(want, "a list with commas"), keys.ForeignText(text))
}

// flagError is settingError for what is wrong with the text of a flag. The
// original repeats the value, which may be a key put there by mistake.
func flagError(err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		f := value.GetFlag()
		return &settingError{"--" + f.Name, wrongType(f, value.GetValue())}
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "" { // -pPASSWORD
		return fmt.Errorf("unknown shorthand flag: '%s' in -%[1]s", unknown.GetSpecifiedName())
	}
	return errors.New(keys.ForeignText(err.Error()))
}
