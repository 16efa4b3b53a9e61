// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// A flag without a variable, or one that the help does not tell of, is of no use
// to those who set a Deployment up.
func TestEveryFlagHasAVariable(t *testing.T) {
	help := runController(t, nil, "--help").stdout
	samples := map[string]string{"bool": "false", "duration": "77s", "float64": "7.5", "int": "77", "string": "x", "stringSlice": "x,y", "stringArray": "x"}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(options).add(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		t.Run(f.Name, func(t *testing.T) {
			name := "SIGNET_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			if !strings.Contains(help, "--"+f.Name+" ") || !strings.Contains(help, "[$"+name+"]") {
				t.Errorf("--help does not show both --%s and $%s", f.Name, name)
			}
			sample, ok := samples[f.Value.Type()]
			if !ok {
				t.Fatalf("no sample for type %s", f.Value.Type())
			}
			o, changed := &options{}, pflag.NewFlagSet("", pflag.ContinueOnError)
			o.add(changed)
			unknown, err := o.fromEnvironment(changed, []string{name + "=" + sample})
			if err != nil || len(unknown) > 0 {
				t.Fatalf("error %v, unknown %q", err, unknown)
			}
			if got := changed.Lookup(f.Name).Value.String(); got == f.DefValue || !strings.Contains(strings.ReplaceAll(got, "1m17s", "77s"), sample) {
				t.Errorf("$%s=%s gives %s", name, sample, got)
			}
			if got := o.source(f.Name); got != "$"+name {
				t.Errorf("source = %s", got)
			}
		})
	})
}

func TestPrecedence(t *testing.T) {
	tests := []struct {
		name    string
		environ []string
		args    []string
		want    []string // namespaces
	}{
		{"default", nil, nil, nil},
		{"variable", []string{"SIGNET_WATCH_NAMESPACES=b,a"}, nil, []string{"a", "b"}},
		{"empty variable", []string{"SIGNET_WATCH_NAMESPACES="}, nil, nil},
		{"flag", nil, []string{"--watch-namespaces=c"}, []string{"c"}},
		{"flag wins", []string{"SIGNET_WATCH_NAMESPACES=a"}, []string{"--watch-namespaces=c", "--watch-namespaces=d"}, []string{"c", "d"}},
		{"flag wins over nonsense", []string{"SIGNET_WATCH_NAMESPACES=a\"b"}, []string{"--watch-namespaces=c"}, []string{"c"}},
		{"twice", nil, []string{"--watch-namespaces=c,a,c"}, []string{"a", "c"}},
		{"another case is another variable", []string{"signet_watch_namespaces=a"}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o, err := parse(t, test.environ, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if len(test.want)+len(o.namespaces) > 0 && !cmp.Equal(test.want, o.namespaces) {
				t.Errorf("namespaces = %q, want %q", o.namespaces, test.want)
			}
		})
	}
}

func TestUnknownVariables(t *testing.T) {
	tests := []struct {
		name    string
		environ []string
		want    []string
	}{
		{"none", []string{"HOME=/", "SIGNETS=1", "SIGNET_LOG_LEVEL=info"}, nil},
		{"misspelt", []string{"SIGNET_LOGLEVEL=debug", "SIGNET_ALLOWKEYS=x"}, []string{"SIGNET_ALLOWKEYS", "SIGNET_LOGLEVEL"}},
		{"no flags of ours", []string{"SIGNET_HELP=true", "SIGNET_VERSION=true"}, []string{"SIGNET_HELP", "SIGNET_VERSION"}},
		{"of a Service", []string{
			"SIGNET_WEBHOOK_SERVICE_HOST=10.0.0.1", "SIGNET_WEBHOOK_SERVICE_PORT=443", "SIGNET_WEBHOOK_SERVICE_PORT_HTTPS=443",
			"SIGNET_WEBHOOK_PORT=tcp://10.0.0.1:443", "SIGNET_WEBHOOK_PORT_443_TCP_ADDR=10.0.0.1",
		}, nil},
		{"like those of a Service", []string{"SIGNET_WEBHOOK_PORT=443"}, []string{"SIGNET_WEBHOOK_PORT"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o, flags := &options{}, pflag.NewFlagSet("", pflag.ContinueOnError)
			o.add(flags)
			unknown, err := o.fromEnvironment(flags, test.environ)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, unknown); diff != "" {
				t.Errorf("unknown (-want +got):\n%s", diff)
			}
		})
	}
}

// The kubelet sets variables for a Service named signet, of which none is one of
// our flags'.
func TestServiceLinksAreNoFlags(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(options).add(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if name := variable(f.Name); strings.Contains(name, "_SERVICE_") || strings.Contains(name, "_PORT") {
			t.Errorf("$%s could be set for a Service", name)
		}
	})
}
