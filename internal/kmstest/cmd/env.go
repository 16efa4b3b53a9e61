// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// environment creates the keys and roles and returns the lines for a shell to
// evaluate. KMS_KEY_ARN is the first key.
func environment(s *kmstest.Server, o options) string {
	var b strings.Builder
	export := func(name, value string) { fmt.Fprintf(&b, "export %s=%s\n", name, quote(value)) }
	for _, variable := range s.Env() {
		if name, value, _ := strings.Cut(variable, "="); value == "" {
			fmt.Fprintf(&b, "unset %s\n", name) // some programs take an empty value for one
		} else {
			export(name, value)
		}
	}
	export("KMSTEST_URL", s.URL())
	export("KMSTEST_PID", fmt.Sprint(os.Getpid()))
	var first string
	for i, name := range o.keys {
		arn := s.CreateKey(kmstest.Key{Region: o.region, Account: o.account, MultiRegion: o.multiRegion})
		s.CreateAlias("alias/"+name, arn)
		if i == 0 {
			first = arn
			export("KMS_KEY_ARN", arn)
		}
		export("KMS_KEY_ARN_"+shellName(name), arn)
	}
	account := strings.Split(first, ":")[4]
	for _, name := range o.roles {
		role := "arn:aws:iam::" + account + ":role/" + name
		s.AddRole(role)
		export("KMS_ROLE_ARN_"+shellName(name), role)
	}
	return b.String()
}

// shellName makes a name fit for a variable.
func shellName(s string) string {
	return strings.ToUpper(strings.ReplaceAll(s, "-", "_"))
}

func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// writeWhole lets nobody see a part of the file.
func writeWhole(path, content string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".kmstest-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(content)
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
