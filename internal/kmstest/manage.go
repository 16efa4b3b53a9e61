// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	minPendingDays = 7
	maxPendingDays = 30
)

type keyMetadata struct {
	AWSAccountId, KeyId, Arn        string
	CreationDate                    float64 // seconds since 1970
	DeletionDate                    float64 `json:",omitempty"`
	Enabled, MultiRegion            bool
	Description, KeyUsage, KeyState string
	Origin, KeyManager              string
	CustomerMasterKeySpec, KeySpec  string
	EncryptionAlgorithms            []string         `json:",omitempty"`
	MacAlgorithms                   []string         `json:",omitempty"`
	SigningAlgorithms               []string         `json:",omitempty"`
	MultiRegionConfiguration        *multiRegionKeys `json:",omitempty"`
}

type multiRegionKeys struct {
	MultiRegionKeyType string
	PrimaryKey         regionKey
	ReplicaKeys        []regionKey
}

type regionKey struct{ Arn, Region string }

func (s *Server) metadata(k key) keyMetadata {
	m := keyMetadata{
		AWSAccountId: k.account, KeyId: k.id, Arn: k.arn(), CreationDate: seconds(k.created),
		Enabled: k.state == Enabled, MultiRegion: k.multiRegion,
		Description: k.description, KeyUsage: k.usage, KeyState: string(k.state),
		Origin: "AWS_KMS", KeyManager: "CUSTOMER",
	}
	switch k.usage {
	case usageEncrypt:
		m.KeySpec, m.EncryptionAlgorithms = algorithmSymmetric, []string{algorithmSymmetric}
	case usageMAC:
		m.KeySpec, m.MacAlgorithms = "HMAC_256", []string{"HMAC_SHA_256"}
	case usageSign:
		m.KeySpec, m.SigningAlgorithms = "ECC_NIST_P256", []string{"ECDSA_SHA_256"}
	}
	m.CustomerMasterKeySpec = m.KeySpec
	if k.state == PendingDeletion {
		m.DeletionDate = seconds(k.deletion)
	}
	if k.multiRegion {
		m.MultiRegionConfiguration = s.replicas(k)
	}
	return m
}

// replicas lists a multi-Region key in all its Regions.
func (s *Server) replicas(k key) *multiRegionKeys {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := &multiRegionKeys{MultiRegionKeyType: "REPLICA", ReplicaKeys: []regionKey{}}
	if k.region == k.primaryRegion {
		m.MultiRegionKeyType = "PRIMARY"
	}
	for _, arn := range slices.Sorted(maps.Keys(s.keys)) {
		switch of := s.keys[arn]; {
		case of.material != k.material || of.state == Deleted:
		case of.region == k.primaryRegion:
			m.PrimaryKey = regionKey{arn, of.region}
		default:
			m.ReplicaKeys = append(m.ReplicaKeys, regionKey{arn, of.region})
		}
	}
	return m
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// named reads a call that names one key by KeyId, finds the key, and asks
// whether the caller may do the operation.
func (s *Server) named(c *call, find func(*call, string, string) (key, error)) (key, error) {
	var in struct{ KeyId *string }
	if err := c.decode(&in); err != nil {
		return key{}, err
	}
	var wrong invalid
	wrong.keyID(in.KeyId, "keyId", false)
	if err := wrong.err(); err != nil {
		return key{}, err
	}
	k, err := find(c, *in.KeyId, c.log.Operation)
	if err != nil {
		return key{}, err
	}
	return k, s.authorize(c, access{permission: c.log.Operation, arn: k.arn()})
}

func (s *Server) describeKey(c *call) (any, error) {
	k, err := s.named(c, s.find)
	if err != nil {
		return nil, err
	}
	return struct{ KeyMetadata keyMetadata }{s.metadata(k)}, nil
}

func (s *Server) createKeyCall(c *call) (any, error) {
	var in struct {
		Description, KeyUsage, KeySpec, Origin string
		MultiRegion                            bool
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var wrong invalid
	wrong.oneOf(in.KeyUsage, "keyUsage", usageEncrypt, usageSign, usageMAC)
	wrong.oneOf(in.Origin, "origin", "AWS_KMS", "EXTERNAL")
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if err := s.authorize(c, access{permission: "CreateKey", arn: "*"}); err != nil {
		return nil, err
	}
	k := s.createKey(Key{
		Region: c.region, Account: c.caller.account(), MultiRegion: in.MultiRegion,
		Usage: in.KeyUsage, Description: in.Description,
	})
	if in.Origin == "EXTERNAL" {
		s.SetState(k.arn(), PendingImport)
		k.state = PendingImport
	}
	return struct{ KeyMetadata keyMetadata }{s.metadata(k)}, nil
}

func (s *Server) replicateKey(c *call) (any, error) {
	var in struct{ ReplicaRegion string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	k, err := s.named(c, s.findKey)
	if err != nil {
		return nil, err
	}
	if err := k.usable(c.log.Operation); err != nil {
		return nil, err
	}
	if in.ReplicaRegion == "" {
		return nil, failf(codeValidation, "1 validation error detected: Value null at 'replicaRegion' failed to satisfy constraint: Member must not be null")
	}
	replica, err := s.replicate(k.arn(), in.ReplicaRegion)
	if err != nil {
		return nil, err
	}
	return struct{ ReplicaKeyMetadata keyMetadata }{s.metadata(replica)}, nil
}

func (s *Server) toggleKey(c *call) (any, error) {
	k, err := s.named(c, s.findKey)
	if err != nil {
		return nil, err
	}
	if err := k.manageable(); err != nil {
		return nil, err
	}
	state := Enabled
	if c.log.Operation == "DisableKey" {
		state = Disabled
	}
	s.SetState(k.arn(), state)
	return nil, nil
}

func (s *Server) scheduleKeyDeletion(c *call) (any, error) {
	var in struct{ PendingWindowInDays *int }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	days := maxPendingDays
	var wrong invalid
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
		wrong.between(days, "pendingWindowInDays", minPendingDays, maxPendingDays)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	k, err := s.named(c, s.findKey)
	if err != nil {
		return nil, err
	}
	if k.state == PendingDeletion {
		return nil, k.manageable()
	}
	at := time.Now().Add(time.Duration(days) * 24 * time.Hour)
	s.change(k.arn(), func(k *key) { k.state, k.deletion = PendingDeletion, at })
	return struct {
		DeletionDate        float64
		KeyId, KeyState     string
		PendingWindowInDays int
	}{seconds(at), k.arn(), string(PendingDeletion), days}, nil
}

func (s *Server) cancelKeyDeletion(c *call) (any, error) {
	k, err := s.named(c, s.findKey)
	if err != nil {
		return nil, err
	}
	if k.state != PendingDeletion {
		return nil, failf(codeInvalidState, "%s is not pending deletion.", k.arn())
	}
	s.SetState(k.arn(), Disabled)
	return struct{ KeyId string }{k.arn()}, nil
}

func (s *Server) listKeys(c *call) (any, error) {
	if err := s.authorize(c, access{permission: "ListKeys", arn: "*"}); err != nil {
		return nil, err
	}
	type entry struct{ KeyArn, KeyId string }
	keys := []entry{}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, arn := range slices.Sorted(maps.Keys(s.keys)) {
		if k := s.keys[arn]; k.state != Deleted && k.region == c.region && k.account == c.caller.account() {
			keys = append(keys, entry{arn, k.id})
		}
	}
	return struct {
		Keys      []entry
		Truncated bool
	}{Keys: keys}, nil
}

func (s *Server) createAliasCall(c *call) (any, error) {
	var in struct{ AliasName, TargetKeyId *string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var wrong invalid
	if in.AliasName == nil {
		wrong.member(" null", "aliasName", "not be null")
	}
	wrong.keyID(in.TargetKeyId, "targetKeyId", false)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(*in.AliasName, "alias/") {
		return nil, failf(codeValidation, `Alias must start with the prefix "alias/". `+
			"Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	}
	k, err := s.findKey(c, *in.TargetKeyId, "CreateAlias")
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, access{permission: "CreateAlias", arn: k.arn()}); err != nil {
		return nil, err
	}
	if err := k.manageable(); err != nil {
		return nil, err
	}
	alias := kmsARN(k.region, k.account, *in.AliasName)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.aliases[alias]; taken {
		return nil, failf(codeAlreadyExists, "An alias with the name %s already exists", alias)
	}
	s.aliases[alias] = aliasTarget{arn: k.arn(), created: time.Now()}
	return nil, nil
}

func (s *Server) listAliases(c *call) (any, error) {
	var in struct{ KeyId *string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.authorize(c, access{permission: "ListAliases", arn: "*"}); err != nil {
		return nil, err
	}
	only := ""
	if in.KeyId != nil {
		k, err := s.findKey(c, *in.KeyId, "ListAliases")
		if err != nil {
			return nil, err
		}
		only = k.arn()
	}
	type entry struct {
		AliasArn, AliasName, TargetKeyId string
		CreationDate                     float64
	}
	aliases := []entry{}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, arn := range slices.Sorted(maps.Keys(s.aliases)) {
		target := s.aliases[arn]
		k := s.keys[target.arn]
		if k.state != Deleted && k.region == c.region && k.account == c.caller.account() && (only == "" || only == target.arn) {
			aliases = append(aliases, entry{arn, resourceOf(arn), k.id, seconds(target.created)})
		}
	}
	return struct {
		Aliases   []entry
		Truncated bool
	}{Aliases: aliases}, nil
}
