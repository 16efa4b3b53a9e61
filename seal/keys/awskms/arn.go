// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	aliasChars = chars.AlphaNum + "/_-"
	iamChars   = chars.AlphaNum + "_+=,.@-" // of user, role and session names (IAM reference, IAM and STS quotas)
)

// KeyARN is the ARN of a KMS key or alias, taken apart:
//
//	arn:<Partition>:kms:<Region>:<Account>:<Resource>
type KeyARN struct {
	Partition string // aws, aws-cn, aws-us-gov, ...
	Region    string // eu-west-1
	Account   string // 12 digits
	Resource  string // key/<uuid>, key/mrk-<32 hex digits> or alias/<name>
}

// ParseKeyARN parses the ARN of a KMS key or alias. The grammar is strict: the
// Region becomes part of a host name, and a Region must belong to its
// partition. The error says which part is wrong and repeats nothing of s.
func ParseKeyARN(s string) (KeyARN, error) {
	const shape = "arn:aws:kms:<region>:<account>:key/<id>"
	parts := strings.Split(s, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "kms" {
		return KeyARN{}, errors.New("not the ARN of a KMS key, which has the form " + shape)
	}
	a := KeyARN{Partition: parts[1], Region: parts[3], Account: parts[4], Resource: parts[5]}
	switch {
	case !isPartition(a.Partition):
		return KeyARN{}, errors.New("key ARN has an unknown partition")
	case !isRegion(a.Region):
		return KeyARN{}, errors.New("key ARN has a malformed Region")
	case partitionOf(a.Region) != a.Partition:
		return KeyARN{}, fmt.Errorf("key ARN is inconsistent: Region %s is in partition %s", a.Region, partitionOf(a.Region))
	case !isAccount(a.Account):
		return KeyARN{}, errors.New("key ARN has a malformed account, want 12 digits")
	case !isResource(a.Resource):
		return KeyARN{}, errors.New("key ARN ends in neither key/<uuid>, key/mrk-<32 hex digits> nor alias/<name>")
	}
	return a, nil
}

// String returns the ARN.
func (a KeyARN) String() string {
	return strings.Join([]string{"arn", a.Partition, "kms", a.Region, a.Account, a.Resource}, ":")
}

// MultiRegion reports whether the key may have replicas in other Regions, which
// have the same id and the same key material.
func (a KeyARN) MultiRegion() bool { return strings.HasPrefix(a.Resource, "key/mrk-") }

// Alias reports whether a names an alias, which may be pointed at another key.
func (a KeyARN) Alias() bool { return strings.HasPrefix(a.Resource, "alias/") }

// in returns the ARN of the replica of a multi-Region key in a Region.
func (a KeyARN) in(region string) KeyARN {
	a.Region = region
	return a
}

// answers reports whether a key that KMS names in an answer is a.
func (a KeyARN) answers(key string) bool {
	if !a.Alias() {
		return key == a.String()
	}
	k, err := ParseKeyARN(key)
	return err == nil && !k.Alias() && k.Account == a.Account && k.Region == a.Region && k.Partition == a.Partition
}

// RoleARN is the ARN of an IAM role, taken apart:
//
//	arn:<Partition>:iam::<Account>:role/<Name>
type RoleARN struct {
	Partition string
	Account   string // 12 digits
	Name      string // with the path, if any: team/deployer
}

// ParseRoleARN parses the ARN of an IAM role as strictly as ParseKeyARN.
func ParseRoleARN(s string) (RoleARN, error) {
	const maxBytes = 64 + 512 // name and path (IAM reference, CreateRole)
	parts := strings.Split(s, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return RoleARN{}, errors.New("not the ARN of a role, which has the form arn:aws:iam::<account>:role/<name>")
	}
	name, isRole := strings.CutPrefix(parts[5], "role/")
	a := RoleARN{Partition: parts[1], Account: parts[4], Name: name}
	switch {
	case !isPartition(a.Partition):
		return RoleARN{}, errors.New("role ARN has an unknown partition")
	case !isAccount(a.Account):
		return RoleARN{}, errors.New("role ARN has a malformed account, want 12 digits")
	case !isRole || name == "" || len(name) > maxBytes:
		return RoleARN{}, errors.New("role ARN does not end in role/<name>")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || !chars.Only(part, iamChars) {
			return RoleARN{}, errors.New("role ARN has a malformed name")
		}
	}
	return a, nil
}

// String returns the ARN.
func (a RoleARN) String() string {
	return "arn:" + a.Partition + ":iam::" + a.Account + ":role/" + a.Name
}

// isResource accepts what AWS makes: key ids are lower-case UUIDs or mrk- and
// 32 hex digits, aliases have 256 characters at most (KMS reference, CreateAlias).
func isResource(s string) bool {
	if alias, ok := strings.CutPrefix(s, "alias/"); ok {
		return alias != "" && len(s) <= 256 && chars.Only(alias, aliasChars)
	}
	id, ok := strings.CutPrefix(s, "key/")
	if !ok {
		return false
	}
	if hex, ok := strings.CutPrefix(id, "mrk-"); ok {
		return len(hex) == 32 && chars.Only(hex, chars.LowerHex)
	}
	groups := strings.Split(id, "-")
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(groups) != 5 || len(groups[i]) != n || !chars.Only(groups[i], chars.LowerHex) {
			return false
		}
	}
	return true
}

// isRegion accepts us-east-1, us-gov-west-1, eusc-de-east-1 and the like.
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	last := len(words) - 1
	if last < 2 || len(s) > 32 || len(words[last]) > 2 || !chars.Only(words[last], chars.Digits) || len(words[0]) > 4 {
		return false
	}
	for i, w := range words {
		if w == "" || i < last && !chars.Only(w, chars.LowerCase) {
			return false
		}
	}
	return true
}

// partitions are those of the SDK, with what the names of their Regions begin
// with (aws-sdk-go-v2: internal/endpoints/awsrulesfn/partitions.go). What no
// row matches is in partition aws.
func partitions() [][2]string {
	return [][2]string{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"eusc-", "aws-eusc"},
		{"us-iso-", "aws-iso"}, {"us-isob-", "aws-iso-b"}, {"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"},
	}
}

func partitionOf(region string) string {
	for _, p := range partitions() {
		if strings.HasPrefix(region, p[0]) {
			return p[1]
		}
	}
	return "aws"
}

func isPartition(s string) bool {
	for _, p := range partitions() {
		if s == p[1] {
			return true
		}
	}
	return s == "aws"
}

func isAccount(s string) bool { return len(s) == 12 && chars.Only(s, chars.Digits) }
