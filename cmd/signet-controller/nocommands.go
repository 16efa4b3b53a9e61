// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

// noCommandsInEnvironment keeps libraries from running programs of the machine
// and from printing what they do. It is for the start of the process.
func noCommandsInEnvironment() {
	os.Unsetenv("AGEDEBUG") // age would print the plugin protocol, file keys included
	if os.Getenv("AZURE_TOKEN_CREDENTIALS") == "" {
		// Without the tools of developers (az, azd, PowerShell).
		os.Setenv("AZURE_TOKEN_CREDENTIALS", "prod")
	}
}

// noCredentialProcess is an option for the AWS SDK. A credential_process of the
// AWS configuration is a shell command, whose stderr the SDK hands on to ours,
// where it may write keys. What it would give is missing then, with an error
// that says why.
func noCredentialProcess(o *config.LoadOptions) error {
	env, err := config.NewEnvConfig()
	if err != nil {
		return nil // loading reports it
	}
	if o.SharedConfigProfile == "" && (env.Credentials.HasKeys() || env.WebIdentityTokenFilePath != "") {
		return nil // the configuration gives no credentials
	}
	profile := cmp.Or(o.SharedConfigProfile, env.SharedConfigProfile, config.DefaultSharedConfigProfile)
	shared, err := config.LoadSharedConfigProfile(context.Background(), profile, func(l *config.LoadSharedConfigOptions) {
		l.ConfigFiles = filesOf(o.SharedConfigFiles, env.SharedConfigFile)
		l.CredentialsFiles = filesOf(o.SharedCredentialsFiles, env.SharedCredentialsFile)
	})
	if err != nil {
		return nil // loading reports it, or does without
	}
	for s := &shared; s != nil; s = s.Source {
		if s.CredentialProcess != "" {
			o.Credentials = noProcess{}
		}
	}
	return nil
}

// filesOf returns those that are set, or the one of the environment, or nil for
// those that the SDK reads by default.
func filesOf(set []string, env string) []string {
	if set == nil && env != "" {
		return []string{env}
	}
	return set
}

// noProcess stands where a credential_process would give credentials.
type noProcess struct{}

var _ aws.CredentialsProvider = noProcess{}

// Retrieve implements aws.CredentialsProvider.
func (noProcess) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, &smithy.GenericAPIError{
		Code:    "CredentialProcessNotRun",
		Message: "the controller does not run a credential_process",
		Fault:   smithy.FaultClient,
	}
}
