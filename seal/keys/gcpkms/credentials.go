// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/compute/metadata"

	"github.com/signet-secrets/signet/seal/keys"
)

// Where credentials are looked for, in this order (sops: gcpkms/keysource.go,
// newKMSClient; cloud.google.com/go/auth: credentials/detect.go).
const (
	envCredentials    = "GOOGLE_CREDENTIALS" // path of a file, or its content
	envToken          = "GOOGLE_OAUTH_ACCESS_TOKEN"
	envApplication    = "GOOGLE_APPLICATION_CREDENTIALS" // path of a file
	gcloudCredentials = "the credentials of gcloud"
	metadataServer    = "the metadata server"
)

// maxCredentialsBytes bounds a file of credentials.
const maxCredentialsBytes = 1 << 20

// identity is credentials, and what may be said of them. What may not is in
// functions, because fmt prints those as addresses.
type identity struct {
	creds   func() *auth.Credentials
	secrets func() [][]byte // parts of the credentials that must not show
	caller  string          // who calls, as far as the credentials tell: an account or a place
	base    string          // URL of Cloud KMS
}

// findIdentity returns the first credentials that there are. Credentials that
// are there but of no use are an error: others would act as somebody else.
func (s *Service) findIdentity(ctx context.Context) (*identity, error) {
	if s.o.Credentials != nil {
		return newIdentity("the credentials of this program", s.o.Credentials), nil
	}
	if text := os.Getenv(envCredentials); text != "" {
		return s.fromText(text)
	}
	if token := strings.TrimSpace(os.Getenv(envToken)); token != "" {
		return newIdentity(envToken, auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: staticToken(token)})), nil
	}
	if path := os.Getenv(envApplication); path != "" {
		return s.fromFile(envApplication, path)
	}
	if path := gcloudPath(); path != "" {
		id, err := s.fromFile(gcloudCredentials, path)
		if !errors.Is(err, fs.ErrNotExist) {
			return id, err
		}
	}
	return s.fromMetadata(ctx)
}

// staticToken is a TokenProvider of a token that nobody renews. It is a function
// so that printing what holds it prints no token.
func staticToken(token string) auth.TokenProvider {
	return tokenFunc(func(context.Context) (*auth.Token, error) { return &auth.Token{Value: token}, nil })
}

type tokenFunc func(context.Context) (*auth.Token, error)

// Token implements auth.TokenProvider.
func (f tokenFunc) Token(ctx context.Context) (*auth.Token, error) { return f(ctx) }

// fromText takes credentials from $GOOGLE_CREDENTIALS. Text that is neither a
// path nor credentials may be a broken key and is not repeated.
func (s *Service) fromText(text string) (*identity, error) {
	if _, err := os.Stat(text); err == nil {
		return s.fromFile(envCredentials, text)
	}
	if !json.Valid([]byte(text)) {
		return nil, &credentialsError{place: envCredentials, err: errors.New("is neither the path of a file nor JSON"), permanent: true}
	}
	return s.fromJSON(envCredentials, []byte(text))
}

func (s *Service) fromFile(place, path string) (*identity, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, &credentialsError{place: place, err: err, permanent: true}
	}
	return s.fromJSON(place, data)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredentialsBytes+1))
	if err == nil && len(data) > maxCredentialsBytes {
		err = fmt.Errorf("%s has more than %d bytes", path, maxCredentialsBytes)
	}
	return data, err
}

// secretFields are the fields of files of credentials that nobody may see. A
// file of workload identity federation holds none, one of an impersonated
// account holds another file.
type secretFields struct {
	PrivateKey   string        `json:"private_key"`
	PrivateKeyID string        `json:"private_key_id"`
	ClientSecret string        `json:"client_secret"`
	RefreshToken string        `json:"refresh_token"`
	Source       *secretFields `json:"source_credentials"`
}

func (f *secretFields) list() [][]byte {
	if f == nil {
		return nil
	}
	return append(f.Source.list(), []byte(f.PrivateKey), []byte(f.PrivateKeyID), []byte(f.ClientSecret), []byte(f.RefreshToken))
}

func (s *Service) fromJSON(place string, data []byte) (*identity, error) {
	var file struct {
		Type        string `json:"type"`
		ClientEmail string `json:"client_email"`
		secretFields
	}
	if err := json.Unmarshal(data, &file); err != nil || word(strings.ToUpper(file.Type)) == "" {
		return nil, &credentialsError{place: place, err: errors.New("holds no credentials of Google Cloud"), permanent: true}
	}
	o := s.detectOptions()
	// Signed by the key itself: one call less than fetching a token, as in
	// Google's own clients.
	o.UseSelfSignedJWT = file.Type == string(credentials.ServiceAccount)
	creds, err := credentials.NewCredentialsFromJSON(credentials.CredType(file.Type), data, o)
	if err != nil {
		return nil, &credentialsError{place: place, err: errors.New(keys.ForeignText(err.Error(), file.list()...)), permanent: true}
	}
	id := newIdentity(place, creds)
	if isAccount(file.ClientEmail) {
		id.caller = file.ClientEmail
	}
	id.secrets = file.list
	return id, nil
}

// fromMetadata asks whether this machine is one of Google Cloud. metadata.OnGCE
// would remember for ever that it is not, while the metadata server of a
// Kubernetes node may need some seconds to know a new Pod.
func (s *Service) fromMetadata(ctx context.Context) (*identity, error) {
	if !metadata.NewWithOptions(&metadata.Options{Client: s.probeClient()}).OnGCEWithContext(ctx) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &noCredentialsError{}
	}
	creds, err := credentials.DetectDefault(s.detectOptions())
	if err != nil {
		return nil, &credentialsError{place: metadataServer, err: errors.New(keys.ForeignText(err.Error()))}
	}
	return newIdentity(metadataServer, creds), nil
}

// probeClient is nil for that of package metadata, which uses no proxy.
func (s *Service) probeClient() *http.Client {
	if s.o.Transport == nil {
		return nil
	}
	return s.client
}

// detectOptions names the scopes of Google's KMS client. The library would log
// requests for tokens, secrets included, if GOOGLE_SDK_GO_LOGGING_LEVEL is set
// and no other logger given.
func (s *Service) detectOptions() *credentials.DetectOptions {
	o := &credentials.DetectOptions{
		Scopes: []string{"https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/cloudkms"},
		Logger: slog.New(slog.DiscardHandler),
	}
	if s.o.Transport != nil { // else the library's own, which knows client certificates of federation
		o.Client = s.client
	}
	return o
}

func newIdentity(place string, creds *auth.Credentials) *identity {
	return &identity{
		creds:   func() *auth.Credentials { return creds },
		secrets: func() [][]byte { return nil },
		caller:  place,
	}
}

// gcloudPath is where `gcloud auth application-default login` leaves its
// credentials, "" if nobody can tell.
func gcloudPath() string {
	dir, err := os.UserHomeDir()
	dir = filepath.Join(dir, ".config")
	if runtime.GOOS == "windows" {
		dir, err = os.Getenv("APPDATA"), nil
	}
	if err != nil || dir == "" {
		return ""
	}
	return filepath.Join(dir, "gcloud", "application_default_credentials.json")
}
