// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age/plugin"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// A program without flags opens with what the environment and the repository
// of a document give, and with nothing else.
func TestOptionsOpen(t *testing.T) {
	root := isolate(t)
	id, file := identity(t)
	recipient := sealingKey(t, filepath.Join(root, SealingKeyDir, "prod.yaml"), "prod", id.Recipient())
	wrapper, err := Sources{}.Wrapper()
	if err != nil {
		t.Fatal(err)
	}
	n, err := manifest.Parse([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := seal.Seal(t.Context(), n, nil, seal.Options{Recipients: recipients(recipient), Wrapper: wrapper})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	tests := []struct {
		name, document, keyFile string
		opens                   bool
	}{
		{"in the repository", filepath.Join(root, "a", "b", "-"), file, true},
		{"outside", filepath.Join(elsewhere, "-"), file, false},
		{"in the working directory", "-", file, true},
		{"without the identity", "-", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("SOPS_AGE_KEY_FILE", test.keyFile)
			o, err := Sources{Program: "test", Stderr: t.Output()}.Options(test.document)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := unseal.Open(t.Context(), sealed.Node, o)
			if (err == nil) != test.opens {
				t.Fatal(err)
			}
			if err != nil && !AboutKeys(err) {
				t.Errorf("not about keys: %v", err)
			}
			if err == nil && string(opened.Secret.Data["password"])+opened.Secret.StringData["password"] != "correct horse battery staple" {
				t.Error("another value")
			}
		})
	}
}

// A program that is not interactive runs no age plugin, whose prompts nobody
// would answer, and asks for no passphrase.
func TestNotInteractive(t *testing.T) {
	isolate(t)
	bin := t.TempDir()
	ran := filepath.Join(bin, "ran")
	write(t, filepath.Join(bin, "age-plugin-test"), "#!/bin/sh\n: >"+ran+"\nexit 1\n")
	if err := os.Chmod(filepath.Join(bin, "age-plugin-test"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	entry := keys.AgeEntry{Recipient: plugin.EncodeRecipient("test", []byte("a"))}
	for _, interactive := range []bool{false, true} {
		s := Sources{AllowKeys: []string{"age_plugin=test"}, Interactive: interactive}
		wrapper, err := s.Wrapper()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wrapper.Wrap(t.Context(), entry, []byte("0123456789abcdef")); err == nil {
			t.Error("the plugin has wrapped")
		}
		if _, err := os.Stat(ran); (err == nil) != interactive {
			t.Errorf("interactive %v: the plugin was run: %v", interactive, err == nil)
		}
		if age := s.age(); (age.Plugins != nil) != interactive || (age.Prompt != nil) != interactive {
			t.Errorf("interactive %v: plugins %v, prompt %v", interactive, age.Plugins != nil, age.Prompt != nil)
		}
	}
}

func TestNoCommands(t *testing.T) {
	isolate(t)
	ran := filepath.Join(t.TempDir(), "ran")
	id, _ := identity(t)
	t.Setenv("SOPS_AGE_KEY_CMD", `sh -c 'echo $`+KeyCommandVariable+` >`+ran+`'`)
	wrapper, err := Sources{}.Wrapper()
	if err != nil {
		t.Fatal(err)
	}
	entry, err := wrapper.Wrap(t.Context(), keys.AgeEntry{Recipient: id.Recipient()}, []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	for _, noCommands := range []bool{true, false} {
		o, err := Sources{NoCommands: noCommands}.KeyOptions()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Unwrapper.Unwrap(t.Context(), entry); err == nil {
			t.Error("opens without a key")
		}
		mark, err := os.ReadFile(ran)
		if (err != nil) != noCommands {
			t.Errorf("no commands %v: %v", noCommands, err)
		}
		if err == nil && strings.TrimSpace(string(mark)) != "1" {
			t.Errorf("the command is told %q", mark)
		}
	}
}

func TestAllowList(t *testing.T) {
	arn := func(account string) keys.KMSEntry {
		return keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:" + account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"}
	}
	item := func(account string) string { return "kms=arn:aws:kms:*:" + account + ":key/*" }
	const flag, env, file = "111111111111", "222222222222", "333333333333"
	tests := []struct {
		name        string
		flags       []string
		env         string // "-": not set
		file        string // "": none
		want, where string // the only account that is allowed, or where the mistake is
		usage       bool   // and whether it is wrong usage
	}{
		{name: "flag before all", flags: []string{item(flag)}, env: item(env), file: item(file), want: flag},
		{name: "environment before file", env: item(env), file: item(file), want: env},
		{name: "file", env: "-", file: item(file), want: file},
		{name: "an empty variable allows nothing", env: "", file: item(file)},
		{name: "mistake in the flag", flags: []string{"kms"}, env: "-", where: "read --allow-keys: ", usage: true},
		{name: "mistake in the environment", env: "kms", where: "read $SIGNET_ALLOW_KEYS: ", usage: true},
		{name: "mistake in the file", env: "-", file: "kms", where: "signet/allow-keys: "},
		{name: "endless file", env: "-", file: strings.Repeat("\n", maxAllowBytes+1), where: "signet/allow-keys: has more than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			if test.env != "-" {
				t.Setenv(AllowVariable, test.env)
			}
			if test.file != "" {
				write(t, filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "signet", "allow-keys"), test.file)
			}
			list, _, err := Sources{AllowKeys: test.flags}.allowList(keys.AllowForUser(""))
			if test.where != "" {
				var setting *SettingError
				if !errors.As(err, &setting) || setting.Usage() != test.usage {
					t.Fatalf("%v is no SettingError, or wrong usage is not %v", err, test.usage)
				}
				contains(t, err.Error(), test.where)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, account := range []string{flag, env, file} {
				if allowed := list.Check(arn(account)) == nil; allowed != (account == test.want) {
					t.Errorf("account %s: allowed %v", account, allowed)
				}
			}
		})
	}
}

// Without a list keys of any account may be used, and a list that was wanted but
// is not there is an error.
func TestAllowListMissing(t *testing.T) {
	isolate(t)
	if _, err := (Sources{}).Options("-"); err != nil {
		t.Error(err)
	}
	path := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "signet", "allow-keys")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := (Sources{}).Options("-"); !errors.As(err, new(*SettingError)) {
		t.Errorf("link that leads nowhere: %v", err)
	}
	t.Setenv("XDG_CONFIG_HOME", "relative")
	if _, err := (Sources{}).Wrapper(); fmt.Sprint(err) != "read $XDG_CONFIG_HOME: is not an absolute path" {
		t.Errorf("relative path: %v", err)
	}
}

// What a plugin is set XDG_CONFIG_HOME for takes no allow-list out of sight. Other
// programs hold to the variable, and so does whoever gives a list.
func TestAllowListMoved(t *testing.T) {
	tests := []struct {
		name        string
		sources     Sources
		left, there bool   // a list in the home, one where the variable says
		xdg, env    string // xdg "": not set
		refused     bool
	}{
		{name: "moved", sources: Sources{Legacy: true}, left: true, xdg: "plugins", refused: true},
		{name: "not a plugin", left: true, xdg: "plugins"},
		{name: "no variable", sources: Sources{Legacy: true}, left: true},
		{name: "same place", sources: Sources{Legacy: true}, left: true, xdg: ".config"},
		{name: "nothing left", sources: Sources{Legacy: true}, xdg: "plugins"},
		{name: "one in each place", sources: Sources{Legacy: true}, left: true, there: true, xdg: "plugins"},
		{name: "list in the variable", sources: Sources{Legacy: true}, left: true, xdg: "plugins", env: "default"},
		{name: "list in the flag", sources: Sources{Legacy: true, AllowKeys: []string{"default"}}, left: true, xdg: "plugins"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			home := os.Getenv("HOME")
			xdg := ""
			if test.xdg != "" {
				xdg = filepath.Join(home, test.xdg)
			}
			t.Setenv("XDG_CONFIG_HOME", xdg)
			left := filepath.Join(home, ".config", "signet", "allow-keys")
			if test.left {
				write(t, left, "kms=*")
			}
			if test.there {
				write(t, filepath.Join(xdg, "signet", "allow-keys"), "kms=*")
			}
			if test.env != "" {
				t.Setenv(AllowVariable, test.env)
			}
			_, err := test.sources.KeyOptions()
			if !test.refused {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var setting *SettingError
			if !errors.As(err, &setting) || !setting.Usage() {
				t.Fatalf("%v is no wrong usage", err)
			}
			contains(t, err.Error(), left, filepath.Join(xdg, "signet", "allow-keys"))
		})
	}
}

// Files of the flag are looked for before anything is opened, or run.
func TestAgeKeyFilesMissing(t *testing.T) {
	dir := isolate(t)
	_, file := identity(t)
	for path, want := range map[string]string{file: "", "/dev/null": "", "missing": `read --age-key-file: "missing": no such file or directory`, dir: "is a directory"} {
		_, err := Sources{AgeKeyFiles: []string{file, path}}.KeyOptions()
		var setting *SettingError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", path, err)
		case want != "" && (!errors.As(err, &setting) || !setting.Usage() || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}
