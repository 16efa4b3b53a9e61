// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Hints name what the program has: flags, or else variables and fields.
func TestHints(t *testing.T) {
	key := unseal.Key{SealingKey: &sopsdoc.SealingKey{}, Place: "my keys/prod.yaml"}
	const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	notAllowed := func(kind keys.AllowKind, value string) *keys.NotAllowedError {
		return &keys.NotAllowedError{Entry: keys.KMSEntry{ARN: arn}, Kind: kind, Value: value}
	}
	tests := []struct {
		name          string
		err           error
		flags, itself string // what is said with flags, and without
	}{
		{"no identity", &agekey.NoIdentityError{}, "name its file with --age-key-file, or", "name its file with $SOPS_AGE_KEY_FILE, or"},
		{"no SealingKey", &agekey.NoIdentityError{}, "--sealing-key, or see who removed it with git log -- .signet/keys", "repository: see who removed it with git log -- .signet/keys"},
		{"not allowed", notAllowed(keys.AllowKMS, arn), "use --allow-keys 'default,kms=" + arn + "'", "set SIGNET_ALLOW_KEYS='default,kms=" + arn + "'"},
		{"not allowed, no item", notAllowed(keys.AllowKMS, strings.Repeat("x", 400)), "said by --allow-keys", "said by $SIGNET_ALLOW_KEYS"},
		{"Vault not allowed", notAllowed(keys.AllowVault, "https://vault.example.com/v1/transit/keys/a"), "or set VAULT_ADDR to", "or set VAULT_ADDR to"},
		{"malformed key", &keys.NotAllowedError{Malformed: true}, "no key has such a name", "no key has such a name"},
		{"call", &keys.CallError{Hint: "grant kms:Decrypt"}, "grant kms:Decrypt", "grant kms:Decrypt"},
		{"namespace of a key", &unseal.KeyNamespaceError{Key: key, Namespace: "prod"}, `add "prod" to spec.namespaces in 'my keys/prod.yaml'`, `add "prod" to spec.namespaces in 'my keys/prod.yaml'`},
		{"key for all", &unseal.KeyNamespaceError{Key: key}, `in 'my keys/prod.yaml' become ["*"]`, `in 'my keys/prod.yaml' become ["*"]`},
		{"tampered key", &unseal.KeyError{Key: key, Err: &sopsdoc.TamperedError{}}, "git log -p 'my keys/prod.yaml'", "git log -p 'my keys/prod.yaml'"},
		{"allow-list", &SettingError{Where: "x", Err: errors.New("y")}, "an allow-list holds items like", "an allow-list holds items like"},
		{"no namespace", &unseal.ScopeError{}, "name the namespace with -n", "name the namespace in its metadata.namespace"},
		{"another place", &unseal.ScopeError{Namespace: "x"}, "opens only where it was sealed for", "opens only where it was sealed for"},
		{"two namespaces", &unseal.NamespaceError{}, "leave -n out", ""},
		{"tampered", &sopsdoc.TamperedError{}, "restore it from Git (git log -p FILE", "restore it from Git (git log -p FILE"},
		{"malformed", &report.PlacedError{File: "x", Operation: "open", Err: &sopsdoc.InvalidError{}}, "restore it from Git (git log -p FILE", "restore it from Git (git log -p FILE"},
		{"malformed SealingKey", &report.PlacedError{File: "x y", Operation: readKey, Err: &sopsdoc.InvalidError{}}, "git log -p 'x y' shows", "git log -p 'x y' shows"},
		{"malformed to seal", &report.PlacedError{File: "x", Operation: "seal", Err: &sopsdoc.InvalidError{}}, "", ""},
		{"denied type", &sopsdoc.DeniedError{Path: "spec.sealed.type"}, "belongs to the cluster or to Helm", "belongs to the cluster or to Helm"},
		{"denied label", &sopsdoc.DeniedError{Path: "metadata.labels.x"}, "remove the label or annotation", "remove the label or annotation"},
		{"List", &unseal.ListError{Kind: "SecretList"}, "take its items out of the SecretList", "take its items out of the SecretList"},
		{"merge", &unseal.MergeError{Secret: "db"}, "to look at it: signet unseal FILE", "only signet-controller adds keys to a Secret"},
		{"late", &TimeoutError{Waiting: []string{"kms x"}}, "a longer --timeout gives it", "a longer $SIGNET_TIMEOUT gives it"},
		{"late without a key", &TimeoutError{}, "a longer --timeout gives what is run", "a longer $SIGNET_TIMEOUT gives what is run"},
		{"late, limit in the variable", &TimeoutError{Where: "$SIGNET_TIMEOUT"}, "a longer $SIGNET_TIMEOUT gives", "a longer $SIGNET_TIMEOUT gives"},
		{"late command", &TimeoutError{Command: "kustomize"}, "see what it waits for; a longer --timeout gives", "see what it waits for; a longer $SIGNET_TIMEOUT gives"},
		{"no unit", &SettingError{Err: unitError{"50"}}, "write 50s for seconds, or 50m for", "write 50s for seconds, or 50m for"},
		{"no key file", &SettingError{Where: ageKeyFlag, Err: errors.New("x")}, "correct the path; without the flag", "correct the path; without the flag"},
		{"moved allow-list", &SettingError{Err: &movedError{}}, "KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin instead of", "KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin instead of"},
		{"no duration", &SettingError{Err: errNoDuration}, "written as 50s or 2m", "written as 50s or 2m"},
		{"neither yes nor no", &SettingError{Err: errNoSwitch}, "write it as true or false", "write it as true or false"},
		{"something else", errors.New("x"), "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, flags := range []bool{true, false} {
				want := test.itself
				if flags {
					want = test.flags
				}
				h := Hints{Flags: flags}
				err := fmt.Errorf("x: %w", test.err)
				got := strings.Join(append(h.Keys(err), h.Open(err)), "\n")
				if want == "" && got != "" || !strings.Contains(got, want) {
					t.Errorf("flags %v: %q\nwant %q", flags, got, want)
				}
				for _, flag := range []string{"--age-key-file", "--sealing-key", "--allow-keys", "--timeout", "signet unseal", " -n"} {
					if !flags && strings.Contains(got, flag) {
						t.Errorf("names %s: %s", flag, got)
					}
				}
			}
		})
	}
}

// A document may name 64 keys: hints about all of them would bury the error.
func TestKeyHintsAreFew(t *testing.T) {
	var errs []error
	for i := range 64 {
		errs = append(errs, &keys.CallError{Hint: fmt.Sprint("hint ", i/2)})
	}
	got := Hints{}.Keys(errors.Join(errs...))
	if len(got) != maxKeyHints || got[0] != "hint 0" || got[1] != "hint 1" {
		t.Errorf("%q", got)
	}
}

// The list that is named is the one in force: an item that is added to another
// one helps nobody, and neither does VAULT_ADDR.
func TestHintNamesTheListInForce(t *testing.T) {
	document := keys.VaultEntry{Address: "https://vault.example.com", EnginePath: "transit", KeyName: "a"}
	const item = "hc_vault=https://vault.example.com/v1/transit/keys/a"
	tests := []struct {
		name, env, file string // env "-": not set; file "": none
		flags           []string
		want            string // FILE is the user's
	}{
		{"flag", "kms=*", "kms=*", []string{"kms=*"}, "add " + item + " to the allow-list in --allow-keys"},
		{"variable", "kms=*", "kms=*", nil, "add " + item + " to the allow-list in $SIGNET_ALLOW_KEYS"},
		{"empty variable", "", "kms=*", nil, "add " + item + " to the allow-list in $SIGNET_ALLOW_KEYS"},
		{"file", "-", "kms=*", nil, "add " + item + " to the allow-list in FILE"},
		{"none", "-", "", nil, "use --allow-keys 'default," + item + "', or set VAULT_ADDR to that server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			path := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "signet", "allow-keys")
			if test.env != "-" {
				t.Setenv(AllowVariable, test.env)
			}
			if test.file != "" {
				write(t, path, test.file)
			}
			sources := Sources{AllowKeys: test.flags}
			o, err := sources.KeyOptions()
			if err != nil {
				t.Fatal(err)
			}
			_, opening := o.Unwrapper.Unwrap(t.Context(), document)
			w, err := sources.Wrapper()
			if err != nil {
				t.Fatal(err)
			}
			_, sealing := w.Wrap(t.Context(), document, nil)
			for _, err := range []error{opening, sealing, &keys.NoKeyError{Attempts: []keys.Attempt{{Entry: document, Err: opening}}}} {
				got := Hints{Flags: true}.Keys(err)
				want := strings.Replace(test.want, "FILE", path, 1)
				if len(got) != 1 || !strings.HasSuffix(got[0], want) {
					t.Errorf("%q\nwant one that ends with %q", got, want)
				}
			}
		})
	}
}

// A hint must not name a place that is not looked into.
func TestHintNamesTheKeyFile(t *testing.T) {
	tests := []struct{ name, xdg, want string }{
		{"of the home", "", "or put it into ~/.config/sops/age/keys.txt; "},
		{"elsewhere", "/my config", "or put it into '/my config/sops/age/keys.txt'; "},
		{"nowhere", "relative", "name its file with $SOPS_AGE_KEY_FILE; if"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			t.Setenv("XDG_CONFIG_HOME", test.xdg)
			contains(t, strings.Join(Hints{}.Keys(&agekey.NoIdentityError{}), "\n"), test.want)
		})
	}
}
