// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"cmp"
	"crypto/fips140"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

const noCredentials = "no AWS credentials: "

// gone is the failure when credentials will not come by themselves.
func gone(text, hint string) *failure {
	return &failure{permanent: true, final: true, text: text, hint: hint}
}

// loadCause is the failure when the configuration cannot be used.
func loadCause(id identity, err error) *failure {
	missing, assume := config.SharedConfigProfileNotExistError{}, config.SharedConfigAssumeRoleError{}
	switch {
	case errors.As(err, &assume):
		return gone("AWS profile "+plain(assume.Profile)+" cannot assume its role: its source_profile is missing or gives no credentials",
			"correct source_profile in the AWS configuration")
	case errors.As(err, &missing):
		return gone("AWS profile "+plain(missing.Profile)+" is in none of the configuration files",
			"choose one that \"aws configure list-profiles\" shows, or set it up: aws configure --profile="+shellWord(missing.Profile))
	case errors.As(err, new(config.AssumeRoleTokenProviderNotSetError)):
		return gone("the AWS profile needs a code for multi-factor authentication, and nothing here can ask for one",
			"get temporary credentials first (aws sts get-session-token) and put them in the environment")
	case isSHA1(err):
		return noSHA1()
	}
	return gone("the AWS configuration cannot be used: "+cmp.Or(fileText(err), "something in it is malformed or missing"), hintTry(id))
}

// explain says why there are no credentials.
func (c *credentials) explain(err error) *failure {
	service := ""
	if op := innermost(err); op != nil {
		service = op.ServiceID
	}
	code, message := apiError(err)
	switch {
	case isSHA1(err):
		return noSHA1()
	case code != "" && service == "STS":
		return c.explainSTS(code, message)
	case c.is(aws.CredentialSourceIMDS) && (service == "" || service == "ec2imds"):
		return c.explainIMDS()
	case c.is(aws.CredentialSourceProcess):
		return c.explainProcess(err)
	case connectionText(err) != "" || isServerFault(err):
		return &failure{final: true, text: noCredentials + c.whatGives() + ": " + cmp.Or(connectionText(err), code),
			hint: "check that " + c.whatGives() + " can be reached from here: DNS, proxy, NetworkPolicy"}
	case c.is(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy):
		return c.explainSSO(code)
	case c.is(aws.CredentialSourceEnvVarsSTSWebIDToken, aws.CredentialSourceProfileSTSWebIDToken) && code == "":
		return gone(noCredentials+"the web identity token cannot be read",
			"check AWS_WEB_IDENTITY_TOKEN_FILE; in a cluster, a Pod gets it if its service account had the annotation when the Pod was made")
	case c.is(aws.CredentialSourceLogin):
		return gone(noCredentials+"the login session has expired or does not exist", c.hintRenew())
	}
	return gone(noCredentials+c.whatGives()+": "+cmp.Or(fileText(err), code, "there are none"), hintTry(c.id))
}

// explainIMDS is the end of the default chain: nothing else was set up.
func (c *credentials) explainIMDS() *failure {
	metadata := "the EC2 instance metadata service gives none"
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		metadata = "the EC2 instance metadata service is switched off"
	}
	if p := c.id.profile; p != "" { // in the place of the environment
		return gone(noCredentials+"the profile "+plain(p)+" has none, and "+metadata,
			"set the profile up: aws configure --profile="+shellWord(p)+", or aws configure sso --profile="+shellWord(p))
	}
	return gone(noCredentials+"there are none in the environment, the AWS configuration, a web identity token or the container, and "+metadata,
		"on a workstation, run \"aws configure\", or \"aws sso login\" and set AWS_PROFILE; on EKS, give the service account a role "+
			"(annotation eks.amazonaws.com/role-arn, or a Pod Identity association)")
}

func (c *credentials) explainSSO(code string) *failure {
	switch code {
	case "ForbiddenException", "ResourceNotFoundException": // (SSO portal reference, GetRoleCredentials)
		return gone(noCredentials+"AWS SSO does not give the role of the profile: "+code,
			"check sso_account_id and sso_role_name of the profile, and who is assigned to them")
	}
	return gone(noCredentials+"the AWS SSO session has expired or does not exist", c.hintRenew())
}

// explainProcess says nothing of what the command printed, which may be a key.
func (c *credentials) explainProcess(err error) *failure {
	text := noCredentials + "the credential_process of the profile did not give any"
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		text = noCredentials + "the credential_process of the profile ended with " + exit.ProcessState.String()
	}
	return gone(text, hintTry(c.id))
}

// explainSTS is about a role that cannot be assumed.
func (c *credentials) explainSTS(code, message string) *failure {
	role := cmp.Or(c.id.role, "of the AWS configuration")
	text, caller := readDenial(message)
	f := &failure{final: true, text: noCredentials + "assume role " + role + ": " + code}
	if text = strings.TrimRight(text, ". "); text != "" {
		f.text += ": " + text
	}
	if caller != "" {
		f.text += " (caller " + caller + ")"
	}
	switch code {
	case "AccessDenied", "AccessDeniedException":
		f.permanent, f.refused = true, true
		f.hint = "name " + cmp.Or(caller, "the identity in use") + " in the trust policy of the role, and allow it sts:AssumeRole on the role"
		if c.is(aws.CredentialSourceEnvVarsSTSWebIDToken, aws.CredentialSourceProfileSTSWebIDToken) {
			f.hint = "have the trust policy of the role allow sts:AssumeRoleWithWebIdentity to the cluster's OIDC provider and this service account"
		}
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
		"InvalidIdentityToken":
		base := c
		if c.base != nil {
			base = c.base
		}
		base.refused()
		f.permanent, f.hint = true, base.hintRenew()
	case "ValidationError", "MalformedPolicyDocument", "RegionDisabledException":
		f.permanent, f.hint = true, hintTry(c.id)
	}
	return f
}

// whatGives is where the credentials come from.
func (c *credentials) whatGives() string {
	switch {
	case c.is(aws.CredentialSourceHTTP):
		return "the EKS Pod Identity agent, or that of the container"
	case c.is(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy):
		return "AWS SSO"
	case c.is(aws.CredentialSourceLogin):
		return "AWS sign-in"
	}
	return "AWS STS in " + c.id.home
}

// isServerFault reports whether a service says that something is wrong with
// itself, or that there are too many requests.
func isServerFault(err error) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && (api.ErrorFault() == smithy.FaultServer || api.ErrorCode() == "TooManyRequestsException")
}

// hintRenew is how to get new credentials of the kind that is in use.
func (c *credentials) hintRenew() string {
	profile := ""
	if name := c.id.profile; name != "" {
		profile = " --profile=" + shellWord(name)
	} else if name := os.Getenv("AWS_PROFILE"); name != "" {
		profile = " --profile=" + shellWord(name)
	}
	switch {
	case c.is(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy):
		return "aws sso login" + profile
	case c.is(aws.CredentialSourceLogin):
		return "aws login" + profile
	case c.is(aws.CredentialSourceEnvVars):
		return "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew"
	case c.is(aws.CredentialSourceProfile):
		return "renew the keys in the AWS configuration: aws configure" + profile
	}
	return "the next try gets new ones; if it fails too, try: aws sts get-caller-identity" + profile
}

// hintTry is a command that reads the same configuration.
func hintTry(id identity) string {
	hint := "see what the AWS CLI makes of it: aws sts get-caller-identity"
	if id.profile != "" {
		hint += " --profile=" + shellWord(id.profile)
	}
	return hint
}

// innermost returns the operation of the SDK that failed first, nil if there
// was none: assuming a role fails when AWS SSO does not give the credentials
// for it.
func innermost(err error) *smithy.OperationError {
	var found *smithy.OperationError
	for op := new(smithy.OperationError); errors.As(err, &op); err = op.Err {
		found = op
	}
	return found
}

// isSHA1 reports whether the SDK wants SHA-1, with which it names the files of
// AWS SSO, and may not have it.
func isSHA1(err error) bool {
	return fips140.Enforced() && strings.Contains(err.Error(), "SHA-1")
}

func noSHA1() *failure {
	return gone(noCredentials+"AWS SSO needs SHA-1, which FIPS-only mode refuses", "use credentials of another kind, such as a web identity or Pod Identity")
}
