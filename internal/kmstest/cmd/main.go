// SPDX-License-Identifier: Apache-2.0

// Cmd runs the KMS test server for shell scripts. It prints the `export` lines
// that point AWS SDKs at it, serves until SIGINT or SIGTERM, and then prints on
// stderr how often each operation was called:
//
//	go run ./internal/kmstest/cmd -key demo -env-file env.sh &
//	until [ -e env.sh ]; do sleep 0.1; done; . ./env.sh
//	sops encrypt --kms "$KMS_KEY_ARN" secret.yaml
//	curl -s "$KMSTEST_URL/counts"           # {"Encrypt":1}
//	curl -s -X POST "$KMSTEST_URL/counts/reset"
//	kill "$KMSTEST_PID"
//
// Keys are in memory only: what was encrypted is lost when it ends. It is for
// tests and demonstrations and protects nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kmstest: error:", err)
		os.Exit(1)
	}
}
