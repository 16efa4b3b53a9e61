// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/awskms"
)

func Example() {
	server, err := kmstest.New(kmstest.Options{}) // in the place of AWS
	if err != nil {
		panic(err)
	}
	defer server.Close()
	arn := server.CreateKey(kmstest.Key{Region: "eu-west-1"})

	// With AWS itself, the zero value of Options will do.
	s := awskms.New(awskms.Options{
		Region: "eu-west-1",
		LoadOptions: []func(*config.LoadOptions) error{
			config.WithBaseEndpoint(server.URL()),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(kmstest.AccessKeyID, kmstest.SecretAccessKey, "")),
			config.WithSharedConfigFiles([]string{os.DevNull}),
		},
	})
	defer s.CloseIdleConnections()

	ctx := context.Background()
	e, err := s.Wrap(ctx, keys.KMSEntry{ARN: arn, Context: map[string]string{"app": "db"}}, []byte("a secret key of 32 bytes, or so."))
	if err != nil {
		panic(err)
	}
	secret, err := s.Unwrap(ctx, e)
	fmt.Println(string(secret), err)

	server.SetState(arn, kmstest.Disabled)
	_, err = s.Unwrap(ctx, e)
	if call := new(keys.CallError); errors.As(err, &call) {
		fmt.Println(strings.ReplaceAll(call.Hint, arn, "arn:..."))
	}
	// Output:
	// a secret key of 32 bytes, or so. <nil>
	// aws kms enable-key --key-id arn:... --region eu-west-1
}
