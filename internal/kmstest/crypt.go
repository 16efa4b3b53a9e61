// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"crypto/rand"
	"encoding/json"
)

const (
	maxPlaintextBytes  = 4096
	maxCiphertextBytes = 6144
	maxDataKeyBytes    = 1024

	algorithmSymmetric = "SYMMETRIC_DEFAULT"
)

// operate does what a call asks for.
func (s *Server) operate(c *call) answer {
	do := s.operation(c.log.Operation)
	if do == nil {
		return answer{err: failf(codeUnknownOperation, "kmstest does not emulate %q", c.log.Operation)}
	}
	result, err := do(c)
	return answer{result: result, err: err}
}

func (s *Server) operation(name string) func(*call) (any, error) {
	switch name {
	case "Encrypt":
		return s.encrypt
	case "Decrypt":
		return s.decrypt
	case "ReEncrypt":
		return s.reEncrypt
	case "GenerateDataKey", "GenerateDataKeyWithoutPlaintext":
		return s.generateDataKey
	case "DescribeKey":
		return s.describeKey
	case "CreateKey":
		return s.createKeyCall
	case "ReplicateKey":
		return s.replicateKey
	case "EnableKey", "DisableKey":
		return s.toggleKey
	case "ScheduleKeyDeletion":
		return s.scheduleKeyDeletion
	case "CancelKeyDeletion":
		return s.cancelKeyDeletion
	case "ListKeys":
		return s.listKeys
	case "CreateAlias":
		return s.createAliasCall
	case "ListAliases":
		return s.listAliases
	}
	return nil
}

// decode reads the body of a call into in.
func (c *call) decode(in any) error {
	if err := json.Unmarshal(c.body, in); err != nil {
		return &apiError{code: codeSerialization}
	}
	return nil
}

type cryptResult struct {
	CiphertextBlob      []byte `json:",omitempty"`
	EncryptionAlgorithm string `json:",omitempty"`
	KeyId               string
	Plaintext           []byte `json:",omitempty"`
}

func (s *Server) encrypt(c *call) (any, error) {
	var in struct {
		KeyId               *string
		Plaintext           []byte
		EncryptionContext   map[string]string
		EncryptionAlgorithm string
		DryRun              bool
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var wrong invalid
	wrong.keyID(in.KeyId, "keyId", false)
	wrong.blob(in.Plaintext, "", "plaintext", maxPlaintextBytes)
	wrong.algorithm(in.EncryptionAlgorithm, "encryptionAlgorithm")
	if err := wrong.err(); err != nil {
		return nil, err
	}
	k, err := s.usableKey(c, *in.KeyId, "Encrypt", in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if err := symmetric(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return cryptResult{
		CiphertextBlob:      sealBlob(k, in.Plaintext, in.EncryptionContext),
		EncryptionAlgorithm: algorithmSymmetric, KeyId: k.arn(),
	}, nil
}

func (s *Server) decrypt(c *call) (any, error) {
	var in struct {
		KeyId               *string
		CiphertextBlob      []byte
		EncryptionContext   map[string]string
		EncryptionAlgorithm string
		DryRun              bool
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var wrong invalid
	wrong.keyID(in.KeyId, "keyId", true)
	wrong.blob(in.CiphertextBlob, " null", "ciphertextBlob", maxCiphertextBytes)
	wrong.algorithm(in.EncryptionAlgorithm, "encryptionAlgorithm")
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if err := symmetric(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k, plaintext, err := s.open(c, in.KeyId, in.CiphertextBlob, in.EncryptionContext, "Decrypt")
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return cryptResult{EncryptionAlgorithm: algorithmSymmetric, KeyId: k.arn(), Plaintext: plaintext}, nil
}

func (s *Server) reEncrypt(c *call) (any, error) {
	var in struct {
		CiphertextBlob               []byte
		SourceKeyId                  *string
		SourceEncryptionContext      map[string]string
		DestinationKeyId             *string
		DestinationEncryptionContext map[string]string
		DryRun                       bool
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var wrong invalid
	wrong.keyID(in.DestinationKeyId, "destinationKeyId", false)
	wrong.keyID(in.SourceKeyId, "sourceKeyId", true)
	wrong.blob(in.CiphertextBlob, " null", "ciphertextBlob", maxCiphertextBytes)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	to, err := s.usableKey(c, *in.DestinationKeyId, "ReEncryptTo", in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	from, plaintext, err := s.open(c, in.SourceKeyId, in.CiphertextBlob, in.SourceEncryptionContext, "ReEncryptFrom")
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return struct {
		CiphertextBlob                                            []byte
		KeyId, SourceKeyId                                        string
		DestinationEncryptionAlgorithm, SourceEncryptionAlgorithm string
	}{
		sealBlob(to, plaintext, in.DestinationEncryptionContext), to.arn(), from.arn(), algorithmSymmetric, algorithmSymmetric,
	}, nil
}

func (s *Server) generateDataKey(c *call) (any, error) {
	var in struct {
		KeyId             *string
		KeySpec           string
		NumberOfBytes     *int
		EncryptionContext map[string]string
		DryRun            bool
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var wrong invalid
	wrong.keyID(in.KeyId, "keyId", false)
	wrong.oneOf(in.KeySpec, "keySpec", "AES_256", "AES_128")
	size := wrong.dataKeySize(in.KeySpec, in.NumberOfBytes)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if (in.KeySpec == "") == (in.NumberOfBytes == nil) {
		return nil, failf(codeValidation, "Please specify either number of bytes or key spec.")
	}
	k, err := s.usableKey(c, *in.KeyId, c.log.Operation, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	dataKey := make([]byte, size)
	rand.Read(dataKey)
	result := cryptResult{CiphertextBlob: sealBlob(k, dataKey, in.EncryptionContext), KeyId: k.arn()}
	if c.log.Operation == "GenerateDataKey" {
		result.Plaintext = dataKey
	}
	return result, nil
}

// usableKey finds the key that a request names and checks that the caller may
// use it and that its state allows it.
func (s *Server) usableKey(c *call, name, permission string, context map[string]string) (key, error) {
	k, err := s.find(c, name, permission)
	if err != nil {
		return key{}, err
	}
	if err := s.authorize(c, access{permission: permission, arn: k.arn(), context: context}); err != nil {
		return key{}, err
	}
	return k, k.usable(c.log.Operation)
}

// open opens a ciphertext. Only the key is used that name stands for, if it is
// given; else the blob tells which.
func (s *Server) open(c *call, name *string, ciphertext []byte, context map[string]string, permission string) (key, []byte, error) {
	b, parsed := parseBlob(ciphertext)
	use := access{permission: permission, context: context}
	var k key
	switch {
	case name != nil && !(parsed && *name == b.keyID): // a bare id may be of another account's key, for symmetric ciphertext
		var err error
		if k, err = s.find(c, *name, permission); err != nil {
			return key{}, nil, err
		}
	case !parsed:
		return key{}, nil, &apiError{code: codeInvalidCiphertext}
	default:
		var ok bool
		use.resource = ofCiphertext
		if k, ok = s.key(kmsARN(c.region, b.account, "key/"+b.keyID)); !ok {
			return key{}, nil, c.denied(permission, ofCiphertext, notInRegion)
		}
	}
	use.arn = k.arn()
	if err := s.authorize(c, use); err != nil {
		return key{}, nil, err
	}
	if !parsed {
		return key{}, nil, &apiError{code: codeInvalidCiphertext}
	}
	if b.keyID != k.id || b.account != k.account {
		return key{}, nil, failf(codeIncorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.")
	}
	if err := k.usable(c.log.Operation); err != nil {
		return key{}, nil, err
	}
	plaintext, err := b.open(k.material, context)
	return k, plaintext, err
}

// dataKeySize returns the bytes of the data key that is asked for.
func (v *invalid) dataKeySize(spec string, bytes *int) int {
	switch {
	case spec == "AES_128":
		return 16
	case bytes == nil:
		return 32
	}
	v.between(*bytes, "numberOfBytes", 1, maxDataKeyBytes)
	return *bytes
}

func (v *invalid) algorithm(name, member string) {
	v.oneOf(name, member, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", algorithmSymmetric)
}

// symmetric refuses the algorithms that no key here has.
func symmetric(algorithm string) error {
	if algorithm == "" || algorithm == algorithmSymmetric {
		return nil
	}
	return failf(codeInvalidKeyUsage, "Algorithm %s is incompatible with key spec %s.", algorithm, algorithmSymmetric)
}

func dryRun() error {
	return failf(codeDryRun, "The request would have succeeded, but the DryRun option is set.")
}
