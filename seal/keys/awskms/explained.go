// SPDX-License-Identifier: Apache-2.0

package awskms

import "github.com/aws/aws-sdk-go-v2/aws"

// ExplainedCredentials returns the credentials of cfg, which config.LoadDefaultConfig
// has loaded, for a program that calls another service of AWS beside a Service.
// Where there are none the error says why in the words of a Service, and repeats
// nothing that the SDK says. It is safe for concurrent use; a search takes
// DefaultCredentialsTimeout at most.
func ExplainedCredentials(cfg aws.Config) aws.CredentialsProvider {
	return newCredentials(identity{home: cfg.Region}, cfg.Credentials, DefaultCredentialsTimeout)
}
