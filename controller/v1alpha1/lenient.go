// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
)

// UnmarshalJSON reads what has the right types and keeps everything in Raw. It
// returns no error.
func (s *SealedSecretSpec) UnmarshalJSON(b []byte) error {
	type plain SealedSecretSpec
	*s = SealedSecretSpec(lenient[plain](b))
	s.Raw = bytes.Clone(b)
	return nil
}

// UnmarshalJSON is that of SealedSecretSpec.
func (s *SealingKeySpec) UnmarshalJSON(b []byte) error {
	type plain SealingKeySpec
	*s = SealingKeySpec(lenient[plain](b))
	s.Raw = bytes.Clone(b)
	return nil
}

// UnmarshalJSON reads a status, or nothing of one that is malformed: it is then
// written anew.
func (s *SealedSecretStatus) UnmarshalJSON(b []byte) error {
	type plain SealedSecretStatus
	*s = SealedSecretStatus(lenient[plain](b))
	return nil
}

// UnmarshalJSON is that of SealedSecretStatus.
func (s *SealingKeyStatus) UnmarshalJSON(b []byte) error {
	type plain SealingKeyStatus
	*s = SealingKeyStatus(lenient[plain](b))
	return nil
}

// lenient returns what b is as a T, or the zero T if it is none.
func lenient[T any](b []byte) T {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		var zero T
		return zero
	}
	return v
}

var (
	_ json.Unmarshaler = (*SealedSecretSpec)(nil)
	_ json.Unmarshaler = (*SealingKeySpec)(nil)
	_ json.Unmarshaler = (*SealedSecretStatus)(nil)
	_ json.Unmarshaler = (*SealingKeyStatus)(nil)
)
