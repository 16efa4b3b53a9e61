// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"io"
	"log"
	"log/slog"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/signet-secrets/signet/seal/keys"
)

// What the log is like:
//
//   - One line for each record on stderr, as JSON or key=value.
//   - It holds no value of a Secret, no key and no object of the API, at any
//     level: plain lets only harmless types through, and no library is asked for
//     more than verbosity 2. From 8 on client-go prints bodies.
//   - All that libraries write takes this way, klog and package log too.

// The values of --log-level and --log-format.
const (
	levelInfo  = "info"
	levelDebug = "debug"
	formatJSON = "json"
	formatText = "text"
)

// debugVerbosity is the V(n) of logr and klog up to which --log-level debug
// shows records.
const debugVerbosity = 2

// newLogger returns a logger that writes to w.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.Level(-verbosity(level)), ReplaceAttr: plain}
	if format == formatText {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

func verbosity(level string) int {
	if level == levelDebug {
		return debugVerbosity
	}
	return 0
}

// adopt makes l the logger of all libraries of this process.
func adopt(l *slog.Logger, level string) error {
	ctrllog.SetLogger(logr.FromSlogHandler(l.Handler()))
	klog.SetSlogLogger(l)
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"v": strconv.Itoa(verbosity(level)), "vmodule": ""} {
		if err := flags.Set(name, value); err != nil {
			return err
		}
	}
	log.SetFlags(0)
	log.SetOutput(stray{l})
	return nil
}

// stray takes what is written with package log, mostly by net/http.
type stray struct{ to *slog.Logger }

// Write implements io.Writer for one message.
func (s stray) Write(p []byte) (int, error) {
	text := string(p)
	switch {
	case strings.HasPrefix(text, "http2: "):
		// GODEBUG=http2debug=2 shows headers and bodies here.
	case strings.HasPrefix(text, "http: panic serving"):
		s.to.Error("A panic ended a request to the servers for metrics and health")
	default:
		s.to.Info(keys.ForeignText(text))
	}
	return len(p), nil
}
