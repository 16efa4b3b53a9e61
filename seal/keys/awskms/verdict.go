// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// Error codes of KMS, and of the layer before it that checks signatures
// (KMS reference: Decrypt, Encrypt, Common Errors).
const (
	codeAccessDenied = "AccessDeniedException"
	codeNotFound     = "NotFoundException"
	codeUnknown      = "UnknownError" // of the SDK: the answer holds none
)

// verdict is what an error code means for the user.
type verdict struct {
	permanent bool
	meaning   string // better than AWS's own message, or ""
	hint      string
	final     bool // see failure
	renew     bool // the credentials are not good any more
	foreign   bool // what is wrapped belongs to another key or context
}

// judge returns the verdict on an error code. The retryer has already tried
// again what is worth it.
func (c *call) judge(code, message, caller string) verdict {
	switch code {
	case codeAccessDenied:
		return verdict{permanent: true, hint: c.hintDenied(message, caller)}
	case codeNotFound:
		return verdict{permanent: true, hint: c.hintNotFound(caller)}
	case "DisabledException":
		return verdict{permanent: true, hint: c.command("enable-key")}
	case "KMSInvalidStateException":
		return c.judgeState(message)
	case "InvalidCiphertextException":
		return verdict{permanent: true, final: true, foreign: true,
			meaning: "what is wrapped does not belong to this key and encryption context, or is damaged",
			hint:    "restore the document as it was sealed, or seal it again" + c.contextText()}
	case "IncorrectKeyException":
		return verdict{permanent: true, final: true, foreign: true,
			meaning: "what is wrapped was wrapped with another key than the document names",
			hint:    "restore the document as it was sealed, or seal it again: its arn and enc do not belong together"}
	case "InvalidKeyUsageException", "UnsupportedOperationException":
		return verdict{permanent: true, hint: "use a symmetric key for encryption: " + c.command("describe-key") + " shows its KeySpec and KeyUsage"}
	case "ThrottlingException", "Throttling", "LimitExceededException", "RequestLimitExceeded", "TooManyRequestsException":
		return verdict{hint: "the request quota of the caller's account in " + c.key.Region + " is used up: make fewer calls at a time, or have the quota raised"}
	case "KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException", "InternalFailure",
		"InternalServerError", "ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException":
		return verdict{}
	}
	return c.judgeCredentials(code)
}

// judgeState is the verdict on a key that is not in a state to be used.
func (c *call) judgeState(message string) verdict {
	switch message = strings.ToLower(message); {
	case strings.Contains(message, "pending deletion"):
		return verdict{permanent: true, hint: c.command("cancel-key-deletion") + " && " + c.command("enable-key")}
	case strings.Contains(message, "pending import"):
		return verdict{permanent: true, hint: "import the key material again: aws kms import-key-material"}
	}
	// Unavailable, creating, updating: of a custom key store, or for a moment.
	return verdict{hint: c.command("describe-key") + " shows the state of the key"}
}

// judgeCredentials is the verdict on what is wrong before KMS looks at the key,
// or else on what is unknown: that it is the fault of the request.
func (c *call) judgeCredentials(code string) verdict {
	switch code {
	case "ExpiredTokenException", "ExpiredToken", "TokenRefreshRequired", "RequestExpired":
		return verdict{permanent: true, final: true, renew: true, meaning: "the credentials have expired", hint: c.session.credentials().hintRenew()}
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
		"IncompleteSignatureException", "MissingAuthenticationTokenException":
		return verdict{permanent: true, final: true, renew: true,
			hint: "AWS does not know these credentials, at least not in Region " + c.key.Region + ": " + c.session.credentials().hintRenew()}
	case "OptInRequired", "SubscriptionRequiredException":
		return verdict{permanent: true, hint: "the account has no access to Region " + c.key.Region + ": enable the Region, or correct the ARN"}
	}
	return verdict{permanent: true}
}

// hintDenied is which permission to give to whom.
func (c *call) hintDenied(message, caller string) string {
	who := caller
	if who == "" {
		who = "the identity in use"
	}
	account := accountOf(caller)
	switch {
	case strings.Contains(message, "explicit deny"):
		return fmt.Sprintf("change the policy that explicitly denies %s on %s to %s%s", c.action, c.key, who, c.contextText())
	case account != "" && account != c.key.Account:
		return fmt.Sprintf("allow %s on %s for %s both in the key policy, in account %s, and in an IAM policy, in account %s: across accounts it takes both%s",
			c.action, c.key, who, c.key.Account, account, c.contextText())
	}
	return fmt.Sprintf("allow %s on %s for %s, in the key policy or an IAM policy%s", c.action, c.key, who, c.contextText())
}

// hintNotFound puts the account and Region of the ARN beside those of the caller.
func (c *call) hintNotFound(caller string) string {
	hint := fmt.Sprintf("look for the key in account %s, Region %s", c.key.Account, c.key.Region)
	var other []string
	if account := accountOf(caller); account != "" {
		other = append(other, "the caller belongs to account "+account)
	}
	if c.local != "" && c.local != c.key.Region {
		other = append(other, "the local Region is "+c.local)
	}
	if len(other) > 0 {
		hint += " (" + strings.Join(other, "; ") + ")"
	}
	return hint + ": the ARN is wrong or the key has been deleted"
}

func (c *call) hintUnreachable() string {
	return fmt.Sprintf("check that Region %s is right and that AWS KMS can be reached there from here: DNS, proxy, "+
		"VPC endpoint (com.amazonaws.%s.kms), NetworkPolicy (TCP 443)", c.key.Region, c.key.Region)
}

// command is a command of the AWS CLI about the key.
func (c *call) command(name string) string {
	command := "aws kms " + name + " --key-id " + c.key.String() + " --region " + c.key.Region
	if p := c.session.id.profile; p != "" {
		command += " --profile=" + shellWord(p)
	}
	return command
}

// contextText is what conditions of a policy can be about.
func (c *call) contextText() string {
	if len(c.entry.Context) == 0 {
		return "; there is no encryption context"
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(c.entry.Context)) {
		pairs = append(pairs, plain(k)+"="+plain(c.entry.Context[k]))
	}
	return "; the encryption context is " + strings.Join(pairs, ", ")
}

// plain is a piece of a document within a sentence.
func plain(s string) string {
	if s != "" && chars.Only(s, chars.AlphaNum+"_+=.@:/*-") {
		return keys.ForeignText(s)
	}
	return strconv.Quote(keys.ForeignText(s))
}

// accountOf returns the account of a caller, "" of none.
func accountOf(caller string) string {
	parts := strings.SplitN(caller, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[4]
}
