// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/internal/vaulttest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/unseal"
)

// serviceToken is a fake token, of the length of AWS's.
var serviceToken = "IQoJb3JpZ2luX2VjEFAKE" + strings.Repeat("canary+Token/Of+A9Session", 12) + "=="

const canaryRole = "arn:aws:iam::111122223333:role/canary"

// keyCanaries finds what belongs to key services, beside what canaries does.
type keyCanaries struct {
	canaries
	raw []string // bytes
}

func (c keyCanaries) in(text string) string {
	for _, raw := range c.raw {
		if part := window(text, raw, 8); part != "" {
			return fmt.Sprintf("%q", part)
		}
	}
	for _, form := range []string{text, strings.NewReplacer("-", "+", "_", "/").Replace(text)} { // base64 for URLs
		if part := c.canaries.in(form); part != "" {
			return part
		}
	}
	return ""
}

// keyCanary is the world in which commands fail: two key services, a
// SealingKey, and documents for each of them.
type keyCanary struct {
	canaries keyCanaries
	kms      *kmstest.Server
	vault    *vaulttest.Server
	arn      string
	vaultKey string
	token    string            // for Vault
	files    map[string]string // documents and the SealingKey
	echo     string            // URL of a server whose errors repeat all that it is sent
}

func newKeyCanary(t *testing.T) *keyCanary {
	srv, arn := newKMS(t)
	w := &keyCanary{kms: srv, arn: arn, vault: vaulttest.Start(t), files: map[string]string{}}
	w.vault.CreateKey("transit", "app")
	w.token = w.vault.NewToken(map[string][]string{"transit/decrypt/app": {"update"}, "transit/encrypt/app": {"update"}})
	setenv(t, "VAULT_ADDR="+w.vault.URL, "VAULT_TOKEN="+w.token)
	w.vaultKey = w.vault.URL + "/v1/transit/keys/app"
	srv.AddRole(canaryRole)
	echo := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rw.WriteHeader(http.StatusBadRequest)
		text := fmt.Sprintf("%q %q", r.Header, body)
		fmt.Fprintf(rw, `{"__type":"AccessDeniedException","message":%q,"errors":[%q]}`, text, text)
	}))
	t.Cleanup(echo.Close)
	w.echo = echo.URL

	recipient := newSealingKey(t, "prod", arn)
	w.files[".signet/keys/prod.yaml"] = readTestFile(t, ".signet/keys/prod.yaml")
	for name, flags := range map[string][]string{
		"kms.yaml": {"--kms", arn}, "key.yaml": {"-a", recipient}, "vault.yaml": {"--hc-vault-transit", w.vaultKey},
		"role.yaml": {"--kms", arn + "+" + canaryRole}, "profile.yaml": {"--kms", arn, "--aws-profile", "dev"},
	} {
		if name == "profile.yaml" {
			path := filepath.Join(t.TempDir(), "config")
			writeTestFile(t, path, "[profile dev]\naws_access_key_id = "+kmstest.AccessKeyID+"\naws_secret_access_key = "+kmstest.SecretAccessKey+"\n")
			t.Setenv("AWS_CONFIG_FILE", path)
		}
		w.files[name] = mustRun(t, canarySecret("", ""), append([]string{"seal", "-"}, flags...)...)
	}
	setenv(t, "AWS_CONFIG_FILE=/dev/null")
	w.collect(t)
	return w
}

// collect finds out every secret that there is, before anything fails.
func (w *keyCanary) collect(t *testing.T) {
	identity := mustRun(t, "", "key", "export", "prod")
	identity = strings.TrimPrefix(strings.TrimSpace(identity[strings.LastIndex(strings.TrimSpace(identity), "\n"):]), "\n")
	w.canaries.canaries = newCanaries()
	w.canaries.values = append(w.canaries.values, strings.TrimPrefix(identity, "AGE-SECRET-KEY-PQ-"),
		kmstest.SecretAccessKey, serviceToken, w.token, vaulttest.RootToken)
	files := keyFlags{allowKeys: []string{"default,role=" + canaryRole}}
	o, err := files.options(io.Discard, here, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range w.files {
		if name == "profile.yaml" {
			continue // the same key as kms.yaml, but no credentials
		}
		var dataKey keys.DataKey
		if strings.HasPrefix(name, ".signet") {
			key, err := userkeys.Sources{SealingKeyFiles: []string{name}}.SealingKeys()
			if err != nil {
				t.Fatal(err)
			}
			if dataKey, err = keys.UnwrapAny(t.Context(), awskms.New(awskms.Options{}), key[0].Metadata.Recipients); err != nil {
				t.Fatal(err)
			}
		} else {
			opened, err := unseal.Open(t.Context(), parseDocument(t, text), o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			dataKey = opened.DataKey
		}
		w.canaries.raw = append(w.canaries.raw, string(dataKey.Bytes()))
		w.canaries.values = append(w.canaries.values, string(dataKey.Bytes()))
	}
}

// session returns credentials of an assumed role, which are canaries, too.
func (w *keyCanary) session(t *testing.T) (env []string) {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(canaryRole), RoleSessionName: aws.String("canary")})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	w.canaries.values = append(w.canaries.values, *c.SecretAccessKey, *c.SessionToken)
	return []string{"AWS_ACCESS_KEY_ID=" + *c.AccessKeyId, "AWS_SECRET_ACCESS_KEY=" + *c.SecretAccessKey, "AWS_SESSION_TOKEN=" + *c.SessionToken}
}

// trouble is a way in which a key service is of no use.
type trouble struct {
	name  string
	of    string // "kms", "credentials" or "vault": which commands fail
	setUp func(t *testing.T)
	hangs bool
}

// deny lets requests run into faults, and denies them in the end.
func (w *keyCanary) deny(faults ...kmstest.Fault) func(*testing.T) {
	return func(t *testing.T) {
		for _, f := range faults {
			w.kms.Inject(f, "", 1)
		}
		w.kms.Deny(kmstest.Denial{})
		t.Cleanup(w.kms.AllowAll)
	}
}

func (w *keyCanary) state(s kmstest.State) func(*testing.T) {
	return func(t *testing.T) {
		w.kms.SetState(w.arn, s)
		t.Cleanup(func() { w.kms.SetState(w.arn, kmstest.Enabled) })
	}
}

func withEnv(kv ...string) func(*testing.T) { return func(t *testing.T) { setenv(t, kv...) } }

func (w *keyCanary) kmsTroubles() []trouble {
	return []trouble{
		{"denied", "kms", w.deny(), false},
		{"throttled, denied", "kms", w.deny(kmstest.Throttle, kmstest.Throttle), false},
		{"errors, denied", "kms", w.deny(kmstest.Internal, kmstest.DependencyTimeout, kmstest.KeyUnavailable), false},
		{"resets, denied", "kms", w.deny(kmstest.ResetBefore, kmstest.ResetAfter), false},
		{"hangs", "kms", func(t *testing.T) {
			w.kms.SetFaults(kmstest.Faults{Hang: 1})
			t.Cleanup(func() { w.kms.SetFaults(kmstest.Faults{}) })
		}, true},
		{"disabled", "kms", w.state(kmstest.Disabled), false},
		{"pending deletion", "kms", w.state(kmstest.PendingDeletion), false},
		{"deleted", "kms", w.state(kmstest.Deleted), false},
		{"gone", "kms", withEnv("AWS_ENDPOINT_URL_KMS=http://127.0.0.1:1"), false},
		{"password in the endpoint", "kms", withEnv("AWS_ENDPOINT_URL_KMS=http://user:" + kmstest.SecretAccessKey + "@127.0.0.1:1/"), false},
		{"endpoint that repeats the request", "kms", withEnv("AWS_ENDPOINT_URL_KMS="+w.echo, "AWS_SESSION_TOKEN="+serviceToken), false},
	}
}

func (w *keyCanary) credentialTroubles() []trouble {
	const secret = kmstest.SecretAccessKey
	noKeys := []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}
	configured := func(text string) func(*testing.T) {
		return func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config")
			writeTestFile(t, path, text)
			setenv(t, append([]string{"AWS_CONFIG_FILE=" + path, "AWS_PROFILE=dev"}, noKeys...)...)
		}
	}
	return []trouble{
		{"wrong secret key", "credentials", withEnv("AWS_SECRET_ACCESS_KEY=" + serviceToken[:40]), false},
		{"unknown access key", "credentials", withEnv("AWS_ACCESS_KEY_ID=AKIDEXAMPLEGONE00000"), false},
		{"unknown session", "credentials", withEnv("AWS_SESSION_TOKEN=" + serviceToken), false},
		{"expired session", "credentials", func(t *testing.T) { setenv(t, w.session(t)...); w.kms.ExpireSessions() }, false},
		{"session that is denied", "credentials", func(t *testing.T) { setenv(t, w.session(t)...); w.deny()(t) }, false},
		{"no credentials", "credentials", withEnv(noKeys...), false},
		{"broken configuration", "credentials", configured("[profile dev\naws_secret_access_key " + secret + "\n= " + serviceToken + "\n"), false},
		{"half of the credentials", "credentials", configured("[profile dev]\naws_secret_access_key = " + secret + "\naws_session_token = " + serviceToken + "\n"), false},
		{"process that prints a secret", "credentials", configured("[profile dev]\ncredential_process = sh -c \"echo " + secret + " " + serviceToken + "; exit 1\"\n"), false},
		{"process that prints JSON", "credentials", configured("[profile dev]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"" + secret + "\",\"SecretAccessKey\":[\"" + secret + "\"]}'\n"), false},
		{"web identity", "credentials", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			writeTestFile(t, path, serviceToken)
			setenv(t, append(noKeys, "AWS_ROLE_ARN="+canaryRole+"x", "AWS_WEB_IDENTITY_TOKEN_FILE="+path)...)
		}, false},
	}
}

func (w *keyCanary) vaultTroubles() []trouble {
	return []trouble{
		{"sealed", "vault", func(t *testing.T) {
			w.vault.SetSealed(true)
			t.Cleanup(func() { w.vault.SetSealed(false) })
		}, false},
		{"unknown token", "vault", func(t *testing.T) { setenv(t, "VAULT_TOKEN="+vaulttest.RootToken+"x") }, false},
		{"token without rights", "vault", func(t *testing.T) {
			token := w.vault.NewToken(nil)
			w.canaries.values = append(w.canaries.values, token)
			setenv(t, "VAULT_TOKEN="+token)
		}, false},
		{"gone", "vault", func(t *testing.T) {
			t.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
			writeTestFile(t, "vault.yaml", strings.Replace(w.files["vault.yaml"], w.vault.URL, "http://127.0.0.1:1", 1))
		}, false},
		{"server that repeats the request", "vault", func(t *testing.T) {
			w.vault.Answer(func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				rw.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(rw, `{"errors":[%q]}`, fmt.Sprintf("%q %q", r.Header, body))
			})
		}, false},
	}
}

// commands are those that need the key service of a trouble, and so fail.
func (w *keyCanary) commands(of string) []leak {
	seal := func(args ...string) leak {
		return leak{args: append([]string{"seal", "-"}, args...), stdin: canarySecret("", ""), code: exitcode.Failed}
	}
	open := func(args ...string) leak {
		return leak{args: append([]string{"unseal"}, args...), code: exitcode.NotOpened}
	}
	switch of {
	case "vault":
		return []leak{seal("--hc-vault-transit", w.vaultKey), open("vault.yaml")}
	case "credentials": // also without calls
		return append(w.commands("kms"), open("role.yaml"), open("profile.yaml"), open("profile.yaml", "--allow-keys", "default,aws_profile=dev"))
	}
	return []leak{
		seal("--kms", w.arn), seal("--kms", w.arn, "-o", "kms.yaml"), seal("--kms", w.arn, "--as", "sops"), seal("--kms", w.arn+"+"+canaryRole),
		open("kms.yaml"), open("key.yaml"), open("role.yaml", "--allow-keys", "default,role="+canaryRole),
		{args: []string{"key", "export", "prod"}, code: exitcode.NotOpened},
		{args: []string{"key", "create", "other", "--kms", w.arn}, code: exitcode.Failed},
		{args: []string{"key", "rotate", "prod", "--kms", w.arn}, code: exitcode.Failed},
	}
}

// However a key service fails, no command shows a data key, an identity of a
// SealingKey, a secret of the cloud or a token.
func TestCanaryKeys(t *testing.T) {
	w := newKeyCanary(t)
	n := 0
	for _, trouble := range slices.Concat(w.kmsTroubles(), w.credentialTroubles(), w.vaultTroubles()) {
		for _, command := range w.commands(trouble.of) {
			n++
			t.Run(trouble.of+" "+trouble.name+", "+strings.Join(command.args[:2], " "), func(t *testing.T) {
				for name, text := range w.files {
					writeTestFile(t, name, text)
				}
				trouble.setUp(t)
				w.check(t, command, func() outcome {
					stop, wait := background(t, command.stdin, command.args...)
					if trouble.hangs {
						eventually(t, "a call under way", func() bool { return w.kms.Count("") > 0 })
						stop()
					}
					return wait()
				})
			})
		}
	}
	t.Logf("%d failing commands, %d secrets", n, len(w.canaries.values))
}

// check runs a command that fails and looks at all that it wrote.
func (w *keyCanary) check(t *testing.T, command leak, run func() outcome) {
	t.Helper()
	w.kms.ResetCounts()
	o := run()
	if strings.HasSuffix(o.stderr, "interrupted\n") {
		command.code = exitcode.Failed
	}
	if o.code != command.code || o.stdout != "" {
		t.Errorf("exit %d, want %d; %d bytes on stdout", o.code, command.code, len(o.stdout))
	}
	if part := w.canaries.in(o.stderr); part != "" {
		t.Errorf("stderr holds %s", part)
	}
	checkNewFiles(t, w.canaries.canaries, ".", w.files)
	if t.Failed() {
		t.Logf("signet %q\n%.3000s", command.args, o.stderr)
	}
}

// Nor does the program as it is released, with every variable set that makes
// libraries talkative, even where it succeeds.
func TestCanaryDebug(t *testing.T) {
	program := buildSignet(t)
	w := newKeyCanary(t)
	setenv(t, "GODEBUG=http2debug=2,netdns=9", "AGEDEBUG=plugin", "AWS_SDK_LOAD_CONFIG=1", "AWS_SDK_DEBUG=true", "AWS_LOG_LEVEL=debug", "AWS_DEBUG=1",
		"AZURE_SDK_GO_LOGGING=all", "GRPC_GO_LOG_VERBOSITY_LEVEL=99", "GRPC_GO_LOG_SEVERITY_LEVEL=info", "VAULT_LOG_LEVEL=trace", "DEBUG=*", "TF_LOG=TRACE", "LOG_LEVEL=debug")
	start := func(command leak) func() outcome {
		return func() outcome {
			r := testtool.Run(t, testtool.Cmd{Path: program, Args: command.args, Stdin: []byte(command.stdin)})
			return outcome{r.ExitCode, string(r.Stdout), string(r.Stderr)}
		}
	}
	for name, text := range w.files {
		writeTestFile(t, name, text)
	}
	for _, name := range []string{"kms.yaml", "key.yaml", "vault.yaml"} {
		o := start(leak{args: []string{"unseal", name}})()
		if o.code != 0 || w.canaries.in(o.stderr) != "" || w.canaries.in(strings.Replace(o.stdout, canaryValue, "", 1)) != "" {
			t.Errorf("unseal %s: exit %d, stderr:\n%s", name, o.code, o.stderr)
		}
	}
	w.kms.Deny(kmstest.Denial{})
	w.vault.SetSealed(true)
	for _, command := range append(w.commands("credentials"), w.commands("vault")...) {
		t.Run(strings.Join(command.args[:2], " "), func(t *testing.T) {
			for name, text := range w.files {
				writeTestFile(t, name, text)
			}
			w.kms.Inject(kmstest.ResetAfter, "", 1)
			w.check(t, command, start(command))
		})
	}
}
