// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-cd/v3/cmpserver/apiclient"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	repoclient "github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/cmp"
)

// answer is what the client prints. A plugin that fails is an answer too.
type answer struct {
	Supported  bool                                `json:"supported"`
	Discovery  bool                                `json:"discovery"`
	Manifests  []string                            `json:"manifests,omitempty"`
	Parameters []*repoclient.ParameterAnnouncement `json:"parameters,omitempty"`
	Error      string                              `json:"error,omitempty"`
}

// environment is what the plugin's programs get, by flags that can be repeated.
type environment []string

func (e *environment) add(variable string) error {
	*e = append(*e, variable)
	return nil
}

// addParameters makes variables of what an Application has as
// spec.source.plugin.parameters.
func (e *environment) addParameters(text string) error {
	var all v1alpha1.ApplicationSourcePluginParameters
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return err
	}
	variables, err := all.Environ()
	*e = append(*e, variables...)
	return err
}

// request is what the repo server knows of an Application.
type request struct {
	socket, repo, app string
	env               environment
}

func client(args []string) error {
	var r request
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	flags.Func("env", "`NAME=VALUE` for the plugin, as the repo server makes them of an Application", r.env.add)
	flags.Func("parameters", "`JSON` of an Application's parameters", r.env.addParameters)
	timeout := flags.Duration("timeout", time.Minute, "deadline of the request; Argo CD's is 60s")
	if len(args) == 0 {
		return errors.New("match, generate or parameters is expected")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() != 3 {
		return errors.New("SOCKET, REPO and APP are expected")
	}
	r.socket, r.repo, r.app = flags.Arg(0), flags.Arg(1), flags.Arg(2)
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	a, err := r.ask(ctx, args[0])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

// ask returns an error if the server could not be asked at all.
func (r request) ask(ctx context.Context, what string) (a answer, err error) {
	calls := map[string]func(context.Context, apiclient.ConfigManagementPluginServiceClient, *answer) error{
		"match": r.match, "generate": r.generate, "parameters": r.parameters,
	}
	call, ok := calls[what]
	if !ok {
		return a, fmt.Errorf("there is no %q", what)
	}
	closer, server, err := apiclient.NewConfigManagementPluginClientSet(r.socket).NewConfigManagementPluginClient()
	if err != nil {
		return a, err
	}
	defer closer.Close()
	if err := call(ctx, server, &a); err != nil {
		a = answer{Error: err.Error()}
	}
	return a, nil
}

func (r request) match(ctx context.Context, server apiclient.ConfigManagementPluginServiceClient, a *answer) error {
	stream, err := server.MatchRepository(ctx)
	if err != nil {
		return err
	}
	if err := cmp.SendRepoStream(ctx, r.app, r.repo, stream, r.env, nil); err != nil {
		return err
	}
	response, err := stream.CloseAndRecv()
	a.Supported, a.Discovery = response.GetIsSupported(), response.GetIsDiscoveryEnabled()
	return err
}

func (r request) generate(ctx context.Context, server apiclient.ConfigManagementPluginServiceClient, a *answer) error {
	stream, err := server.GenerateManifest(ctx)
	if err != nil {
		return err
	}
	if err := cmp.SendRepoStream(ctx, r.app, r.repo, stream, r.env, nil); err != nil {
		return err
	}
	response, err := stream.CloseAndRecv()
	a.Manifests = response.GetManifests()
	return err
}

func (r request) parameters(ctx context.Context, server apiclient.ConfigManagementPluginServiceClient, a *answer) error {
	stream, err := server.GetParametersAnnouncement(ctx)
	if err != nil {
		return err
	}
	if err := cmp.SendRepoStream(ctx, r.app, r.repo, stream, r.env, nil); err != nil {
		return err
	}
	response, err := stream.CloseAndRecv()
	a.Parameters = response.GetParameterAnnouncements()
	return err
}
