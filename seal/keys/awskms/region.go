// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/config"
)

// localRegion returns the Region that this program runs in, or "" if it is not
// known: that of o, the environment or the configuration files, in the order of
// the SDK. The instance metadata service is not asked.
func localRegion(o Options) string {
	region := o.Region
	if region == "" {
		region = configuredRegion(o.LoadOptions)
	}
	if !isRegion(region) {
		return ""
	}
	return region
}

func configuredRegion(options []func(*config.LoadOptions) error) string {
	var set config.LoadOptions
	for _, option := range options {
		if option(&set) != nil {
			return "" // loading reports it
		}
	}
	env, err := config.NewEnvConfig()
	if region := cmp.Or(set.Region, env.Region); region != "" || err != nil {
		return region
	}
	profile := cmp.Or(set.SharedConfigProfile, env.SharedConfigProfile, config.DefaultSharedConfigProfile)
	// The files may be unusable, or lack the profile; what matters here is
	// whether they give a Region.
	file, _ := config.LoadSharedConfigProfile(context.Background(), profile, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles = files(set.SharedConfigFiles, env.SharedConfigFile)
		o.CredentialsFiles = files(set.SharedCredentialsFiles, env.SharedCredentialsFile)
	})
	return cmp.Or(file.Region, set.DefaultRegion)
}

// files returns those that are set, or the one of the environment, or nil for
// those that the SDK reads by default.
func files(set []string, env string) []string {
	if set == nil && env != "" {
		return []string{env}
	}
	return set
}

// home is the Region in which STS is asked for the credentials for a key: the
// local one, if the key is in the same partition.
func home(local string, key KeyARN) string {
	if local != "" && partitionOf(local) == key.Partition {
		return local
	}
	return key.Region
}
