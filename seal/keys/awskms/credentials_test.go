// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"crypto/sha1" // names the files of AWS SSO
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/flight"
)

// noKeys takes the credentials out of the environment.
func noKeys(t *testing.T) { setenv(t, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=") }

// cacheSSO leaves a token of AWS SSO where "aws sso login" does.
func cacheSSO(t *testing.T, session string, expires time.Time) {
	t.Helper()
	name := sha1.Sum([]byte(session))
	write(t, filepath.Join(os.Getenv("HOME"), ".aws", "sso", "cache", hex.EncodeToString(name[:])+".json"),
		`{"startUrl":"https://example.awsapps.com/start","region":"eu-west-1","accessToken":"FAKEcanary","expiresAt":"`+expires.UTC().Format(time.RFC3339)+`"}`)
}

const ssoProfile = "[profile dev]\nsso_session = corp\nsso_account_id = " + account + "\nsso_role_name = Developer\n" +
	"[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"

func TestCredentialErrors(t *testing.T) {
	for _, s := range slices.Concat(chainStories(), ssoSessionStories(), ssoServiceStories(), profileStories(), roleStories(), commandStories()) {
		t.Run(s.name, s.run)
	}
}

// chainStories are about the default chain.
func chainStories() []story {
	const none = "no AWS credentials: there are none in the environment, the AWS configuration, a web identity token or the container, " +
		"and the EC2 instance metadata service "
	const setUp = "on a workstation, run \"aws configure\", or \"aws sso login\" and set AWS_PROFILE; on EKS, give the service account a role " +
		"(annotation eks.amazonaws.com/role-arn, or a Pod Identity association)"
	return []story{
		{
			name:  "none",
			setUp: func(t *testing.T, _ *kmstest.Server, _ *keys.KMSEntry) { noKeys(t) },
			cause: none + "is switched off",
			hint:  setUp,
		}, {
			name: "metadata service without a role",
			setUp: func(t *testing.T, _ *kmstest.Server, _ *keys.KMSEntry) {
				noKeys(t)
				metadata := httptest.NewServer(http.NotFoundHandler())
				t.Cleanup(metadata.Close)
				setenv(t, "AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT="+metadata.URL)
			},
			cause: none + "gives none",
			hint:  setUp,
		}, {
			name: "web identity denied",
			setUp: func(t *testing.T, _ *kmstest.Server, _ *keys.KMSEntry) {
				noKeys(t)
				setenv(t, "AWS_ROLE_ARN="+role, "AWS_WEB_IDENTITY_TOKEN_FILE="+write(t, filepath.Join(t.TempDir(), "token"), "eyFAKEcanary"))
			},
			cause: "no AWS credentials: assume role of the AWS configuration: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
			hint:  "have the trust policy of the role allow sts:AssumeRoleWithWebIdentity to the cluster's OIDC provider and this service account",
		}, {
			name: "web identity without token",
			setUp: func(t *testing.T, _ *kmstest.Server, _ *keys.KMSEntry) {
				noKeys(t)
				setenv(t, "AWS_ROLE_ARN="+role, "AWS_WEB_IDENTITY_TOKEN_FILE=/signet/no/such/token")
			},
			cause: "no AWS credentials: the web identity token cannot be read",
			hint:  "check AWS_WEB_IDENTITY_TOKEN_FILE; in a cluster, a Pod gets it if its service account had the annotation when the Pod was made",
		},
	}
}

// ssoSessionStories are about AWS SSO without a session.
func ssoSessionStories() []story {
	return []story{
		{
			name: "AWS SSO session expired",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, ssoProfile)
				cacheSSO(t, "corp", time.Now().Add(-time.Hour))
				e.AWSProfile = "dev"
			},
			cause: "no AWS credentials: the AWS SSO session has expired or does not exist",
			hint:  "aws sso login --profile=dev",
		}, {
			name: "never logged in to AWS SSO",
			setUp: func(t *testing.T, _ *kmstest.Server, _ *keys.KMSEntry) {
				noKeys(t)
				configure(t, ssoProfile)
				setenv(t, "AWS_PROFILE=dev")
			},
			cause: "no AWS credentials: the AWS SSO session has expired or does not exist",
			hint:  "aws sso login --profile=dev",
		}, {
			name: "AWS SSO session expired, legacy profile",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, "[profile dev]\nsso_account_id = "+account+"\nsso_role_name = Developer\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n")
				cacheSSO(t, "https://example.awsapps.com/start", time.Now().Add(-time.Hour))
				e.AWSProfile = "dev"
			},
			cause: "no AWS credentials: the AWS SSO session has expired or does not exist",
			hint:  "aws sso login --profile=dev",
		}, {
			name: "role on an expired AWS SSO session",
			setUp: func(t *testing.T, srv *kmstest.Server, e *keys.KMSEntry) {
				srv.AddRole(role)
				configure(t, ssoProfile)
				cacheSSO(t, "corp", time.Now().Add(-time.Hour))
				e.AWSProfile, e.Role = "dev", role
			},
			cause: "no AWS credentials: the AWS SSO session has expired or does not exist",
			hint:  "aws sso login --profile=dev",
		},
	}
}

// ssoServiceStories are about a session that AWS SSO does not take.
func ssoServiceStories() []story {
	return []story{
		{
			name: "AWS SSO refuses the token",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				sso(t, 401, `{"message":"Session token not found or invalid"}`, "UnauthorizedException")
				e.AWSProfile = "dev"
			},
			cause: "no AWS credentials: the AWS SSO session has expired or does not exist",
			hint:  "aws sso login --profile=dev",
		}, {
			name: "AWS SSO does not give the role",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				sso(t, 403, `{"message":"No access"}`, "ForbiddenException")
				e.AWSProfile = "dev"
			},
			cause: "no AWS credentials: AWS SSO does not give the role of the profile: ForbiddenException",
			hint:  "check sso_account_id and sso_role_name of the profile, and who is assigned to them",
		}, {
			name: "AWS SSO is down",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				sso(t, 429, `{"message":"HTTP 429 Unknown Code"}`, "TooManyRequestsException")
				e.AWSProfile = "dev"
			},
			cause:     "no AWS credentials: AWS SSO: TooManyRequestsException",
			hint:      "check that AWS SSO can be reached from here: DNS, proxy, NetworkPolicy",
			transient: true,
		},
	}
}

// profileStories are about the AWS configuration.
func profileStories() []story {
	return []story{
		{
			name:  "missing profile",
			setUp: func(_ *testing.T, _ *kmstest.Server, e *keys.KMSEntry) { e.AWSProfile = "it's gone" },
			cause: `AWS profile "it's gone" is in none of the configuration files`,
			hint:  `choose one that "aws configure list-profiles" shows, or set it up: aws configure --profile='it'\''s gone'`,
		}, {
			name: "missing source profile",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, "[profile dev]\nrole_arn = "+role+"\nsource_profile = gone\n")
				e.AWSProfile = "dev"
			},
			cause: "AWS profile gone cannot assume its role: its source_profile is missing or gives no credentials",
			hint:  "correct source_profile in the AWS configuration",
		}, {
			name: "multi-factor authentication",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, "[profile dev]\nrole_arn = "+role+"\nsource_profile = keys\nmfa_serial = arn:aws:iam::"+account+":mfa/me\n"+
					"[profile keys]\naws_access_key_id = "+kmstest.AccessKeyID+"\naws_secret_access_key = "+kmstest.SecretAccessKey+"\n")
				e.AWSProfile = "dev"
			},
			cause: "the AWS profile needs a code for multi-factor authentication, and nothing here can ask for one",
			hint:  "get temporary credentials first (aws sts get-session-token) and put them in the environment",
		},
	}
}

// roleStories are about a role to assume.
func roleStories() []story {
	return []story{
		{
			name:  "role denied",
			setUp: func(_ *testing.T, _ *kmstest.Server, e *keys.KMSEntry) { e.Role = role },
			cause: "no AWS credentials: assume role " + role + ": AccessDenied: not authorized to perform sts:AssumeRole " +
				"(caller arn:aws:iam::" + account + ":user/tester)",
			hint: "name arn:aws:iam::" + account + ":user/tester in the trust policy of the role, and allow it sts:AssumeRole on the role",
		}, {
			name: "STS cannot be reached",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				setenv(t, "AWS_ENDPOINT_URL_STS=http://127.0.0.1:1")
				e.Role = role
			},
			cause:     "no AWS credentials: AWS STS in eu-west-1: dial tcp 127.0.0.1:1: connect: connection refused",
			hint:      "check that AWS STS in eu-west-1 can be reached from here: DNS, proxy, NetworkPolicy",
			transient: true,
		},
	}
}

// commandStories are about credential_process, which may print keys.
func commandStories() []story {
	return []story{
		{
			name: "command that fails",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, "[profile dev]\ncredential_process = sh -c 'echo canary; exit 7'\n")
				e.AWSProfile = "dev"
			},
			cause: "no AWS credentials: the credential_process of the profile ended with exit status 7",
			hint:  "see what the AWS CLI makes of it: aws sts get-caller-identity --profile=dev",
		}, {
			name: "command that prints something else",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, `[profile dev]`+"\n"+`credential_process = echo '{"SecretAccessKey": "canary'`+"\n")
				e.AWSProfile = "dev"
			},
			cause: "no AWS credentials: the credential_process of the profile did not give any",
			hint:  "see what the AWS CLI makes of it: aws sts get-caller-identity --profile=dev",
		},
	}
}

// sso is a valid session of AWS SSO and its service, which answers as given.
func sso(t *testing.T, status int, body, code string) {
	t.Helper()
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(portal.Close)
	configure(t, ssoProfile)
	cacheSSO(t, "corp", time.Now().Add(time.Hour))
	setenv(t, "AWS_ENDPOINT_URL_SSO="+portal.URL)
}

// silent listens and never answers, until it hangs up, at the latest when the
// test ends.
func silent(t *testing.T) (url string, connections func() int, hangUp func()) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	accepted := make(chan net.Conn, 10000)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	hangUp = func() {
		l.Close()
		for len(accepted) > 0 {
			(<-accepted).Close()
		}
	}
	t.Cleanup(hangUp)
	return "http://" + l.Addr().String(), func() int { return len(accepted) }, hangUp
}

// A metadata service that never answers costs one wait, which is bounded, and
// not one for each of those who need credentials.
func TestSilentMetadata(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  func(url string) []string
		o    Options
		want string
	}{
		{"EC2", func(url string) []string { return []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + url} }, Options{},
			"no AWS credentials: there are none in"},
		{"container", func(url string) []string { return []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + url + "/x"} },
			Options{CredentialsTimeout: 3 * time.Second},
			"no AWS credentials: the EKS Pod Identity agent, or that of the container: no answer within 3s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := start(t)
			e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
			noKeys(t)
			url, connections, hangUp := silent(t)
			setenv(t, "AWS_EC2_METADATA_DISABLED=false")
			setenv(t, tt.env(url)...)
			settled := noLeak(t)
			s := New(tt.o)
			begin := time.Now()
			unwrap := func(int) error {
				_, err := s.Unwrap(t.Context(), e)
				return err
			}
			errs := all(200, 200, unwrap)
			took, n := time.Since(begin), connections()
			if len(errs) != 200 {
				t.Fatalf("%d failed", len(errs))
			}
			t.Logf("%v, %d connections; %v", took.Round(time.Millisecond), n, mustFail(t, errs[0], tt.want))
			if took > DefaultCredentialsTimeout+patience || n == 0 || n > 20 {
				t.Errorf("200 failures took %v and %d connections", took, n)
			}
			begin = time.Now()
			all(100, 1, unwrap)
			// A failure stands for flight.FailureTTL, then there is another search.
			took = time.Since(begin)
			if more, most := connections()-n, n*(1+int(took/flight.FailureTTL)); took > patience || more > most {
				t.Errorf("another 100 took %v and %d connections", took, more)
			}
			hangUp() // the SDK ends its search with its own timeout only
			settled()
		})
	}
}
