// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
)

// keyNameHint is about which SealingKey is meant, and who opens a new one.
func keyNameHint(err error) string {
	if errors.As(err, new(*noKeyRecipientsError)) && (errors.As(err, new(*keys.NoRulesError)) || errors.As(err, new(*keys.NoRuleError))) {
		return "say who opens it: --kms ARN, and perhaps --age RECIPIENT for emergencies, or a rule in .sops.yaml for " + userkeys.SealingKeyDir
	}
	if errors.As(err, new(*nestedKeyError)) {
		return "name the key of a key service, as with --kms ARN, or the age key of a person"
	}
	if e, ok := report.As[*limitedKeyError](err); ok {
		return "to export it all the same, name it: signet key export " + e.key.Name
	}
	if e, ok := report.As[*noKeyNamedError](err); ok && len(e.names) > 0 {
		return "there are: " + strings.Join(e.names, ", ")
	}
	switch e, ok := report.As[*ambiguousKeyError](err); {
	case ok && e.sameName:
		return "remove the copy, or keep it outside of " + userkeys.SealingKeyDir
	case ok:
		return "say which one: signet key export NAME"
	case errors.As(err, new(*noKeyNamedError)), errors.Is(err, errNoSealingKeys):
		return "name its file with --sealing-key, go to the repository that has it, or make one: signet key create NAME --kms ARN"
	}
	return ""
}
