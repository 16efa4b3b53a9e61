// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// call is one call of KMS, with all its attempts.
type call struct {
	action   string // as policies name it: kms:Decrypt
	key      KeyARN // that of the entry, or its replica
	entry    keys.KMSEntry
	local    string // Region, or ""
	session  *session
	attempts attempts
}

// send makes the call. The error is a *failure or that of ctx.
func (c *call) send(ctx context.Context, limit time.Duration, do func(context.Context, func(*kms.Options)) error) error {
	// Looking for credentials has a limit of its own. The SDK asks for them
	// again before each attempt, when they are at hand.
	if _, err := c.session.credentials().Retrieve(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(limited, func(o *kms.Options) { o.Retryer = &c.attempts })
	switch f := new(failure); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &f):
		return f
	case limited.Err() != nil:
		return c.ranOut(ctx, limit)
	}
	return c.explain(ctx, err)
}

// ranOut is the failure when the time for the call is over.
func (c *call) ranOut(ctx context.Context, limit time.Duration) error {
	if c.attempts.last == nil {
		return &failure{text: fmt.Sprintf("no answer within %v%s", limit, c.facts("", "")), hint: c.hintUnreachable()}
	}
	f := c.explain(ctx, c.attempts.last)
	f.text = fmt.Sprintf("gave up after %v: %s", limit, f.text)
	return f
}

// explain says what an error of the SDK means.
func (c *call) explain(ctx context.Context, err error) *failure {
	if code, message := apiError(err); code != "" {
		return c.refused(ctx, code, message, requestID(err))
	}
	if isCertificate(err) {
		return &failure{text: connectionText(err) + c.facts("", ""), permanent: true,
			hint: "if a proxy or an endpoint of your own answers here, name the file with its CA certificate in AWS_CA_BUNDLE"}
	}
	if text := connectionText(err); text != "" {
		return &failure{text: text + c.facts("", ""), hint: c.hintUnreachable()}
	}
	if own := new(permanentError); errors.As(err, &own) {
		return &failure{text: own.Error() + c.facts("", "")}
	}
	if answer := new(smithyhttp.ResponseError); errors.As(err, &answer) {
		return &failure{
			text:      fmt.Sprintf("an answer of HTTP status %d that is not KMS's%s", answer.HTTPStatusCode(), c.facts("", requestID(err))),
			permanent: answer.HTTPStatusCode() < 500,
			hint:      "something else answers in the place of AWS KMS: check HTTPS_PROXY and AWS_ENDPOINT_URL_KMS",
		}
	}
	return &failure{text: fmt.Sprintf("the AWS SDK gave up with an error of type %T%s", err, c.facts("", "")), permanent: true}
}

// refused is the failure when KMS answers with an error.
func (c *call) refused(ctx context.Context, code, message, request string) *failure {
	message, caller := readDenial(message)
	if caller == "" && (code == codeAccessDenied || code == codeNotFound) {
		caller = c.session.whoami(ctx)
	}
	v := c.judge(code, message, caller)
	text := code
	if message = cmp.Or(v.meaning, strings.TrimRight(message, ". ")); message != "" {
		text += ": " + message
	}
	if v.renew {
		c.session.credentials().refused()
	}
	return &failure{text: text + c.facts(caller, request), permanent: v.permanent, hint: v.hint, final: v.final, refused: code == codeAccessDenied, foreign: v.foreign}
}

// wrongAnswer is the failure when KMS answers what it must not.
func (c *call) wrongAnswer(text string) error {
	return &failure{text: "the answer of KMS cannot be used: " + text + c.facts("", ""), permanent: true}
}

// facts is what whoever looks into a failure needs to find it in CloudTrail.
func (c *call) facts(caller, request string) string {
	facts := []string{"region " + c.key.Region}
	if c.attempts.failed > 1 {
		facts = append([]string{fmt.Sprintf("%d attempts", c.attempts.failed)}, facts...)
	}
	if caller != "" {
		facts = append(facts, "caller "+caller)
	}
	if request != "" {
		facts = append(facts, "request "+request)
	}
	return " (" + strings.Join(facts, ", ") + ")"
}

func requestID(err error) string {
	answer := new(awshttp.ResponseError)
	if !errors.As(err, &answer) || len(answer.RequestID) > 64 || !chars.Only(answer.RequestID, chars.AlphaNum+"-") {
		return ""
	}
	return answer.RequestID
}

// readDenial makes a message of AWS fit to be shown, without what is said
// elsewhere, and returns the caller that it names, or "":
//
//	User: <caller> is not authorized to perform: <action> on resource: <ARN> because <reason>
//	User: <caller> is not authorized to perform: <action> on this resource because <reason>
//	User: <caller> is not authorized to perform: <action> on resource: <ARN> with an explicit deny in <policy>
func readDenial(message string) (text, caller string) {
	caller, rest, ok := strings.Cut(strings.TrimPrefix(message, "User: "), " is not authorized to perform: ")
	if !ok {
		return keys.ForeignText(message), ""
	}
	action, rest, _ := strings.Cut(rest, " ")
	text = "not authorized to perform " + action
	for _, word := range []string{" because ", " with an explicit "} {
		if _, reason, ok := strings.Cut(" "+rest, word); ok {
			text += word + reason
			break
		}
	}
	return keys.ForeignText(text), callerARN(caller)
}
