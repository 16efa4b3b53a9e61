// SPDX-License-Identifier: Apache-2.0

package keys

import "strings"

// azureClouds are the hosts of Key Vault in Azure's clouds. The user's token is
// sent there.
func azureClouds() []string {
	return []string{
		"https://*.vault.azure.net/**",
		"https://*.vault.azure.cn/**",
		"https://*.vault.usgovcloudapi.net/**",
		"https://*.managedhsm.azure.net/**",
		"https://*.managedhsm.azure.cn/**",
		"https://*.managedhsm.usgovcloudapi.net/**",
	}
}

// AllowForUser is the allow-list of a program that somebody runs with their
// own credentials, for opening: every key of the cloud services, which decide
// by those credentials; HashiCorp Vault at vaultAddress only ("" is nowhere),
// because whoever is called gets the token; age plugins, which run only for
// identities that the user holds; and no role and no profile, because a
// document must not choose which of their credentials somebody uses.
func AllowForUser(vaultAddress string) AllowList {
	l := AllowList{patterns: map[AllowKind][]allowPattern{}}
	for _, kind := range []AllowKind{AllowKMS, AllowGCPKMS, AllowHuaweiKMS, AllowPGP, AllowPlugin} {
		l.allow(kind, "*")
	}
	for _, host := range azureClouds() {
		l.allow(AllowAzureKV, host)
	}
	if u := hostUse(AllowVault, vaultAddress, "/v1"); !u.malformed {
		l.allow(AllowVault, u.value+"/**")
	}
	return l
}

// AllowForSealing is AllowForUser with the roles and profiles that the rules
// name. Sealing follows the rules anyway: they also say who can open.
func AllowForSealing(vaultAddress string) AllowList {
	l := AllowForUser(vaultAddress)
	l.allow(AllowRole, "*")
	l.allow(AllowProfile, "*")
	return l
}

// AllowForAccount is the allow-list of a service in an AWS account: KMS keys
// of that account, with the service's own credentials, and nothing else. It
// allows nothing at all if account is not the 12 digits of one.
func AllowForAccount(account string) AllowList {
	l := AllowList{patterns: map[AllowKind][]allowPattern{}}
	if len(account) == 12 && strings.Trim(account, "0123456789") == "" {
		l.allow(AllowKMS, "arn:*:kms:*:"+account+":**")
	}
	return l
}
