// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"

	"github.com/getsops/sops/v3/shamir"
)

// ShareBytes is the length of one group's share of a data key: a point of the
// polynomial of each byte and, last, the place x (sops: shamir/shamir.go, Split).
const ShareBytes = DataKeyBytes + shamir.ShareOverhead

// CheckSecret accepts what a Wrapper wraps: a data key, or a share of one. The
// error gives the length only.
func CheckSecret(secret []byte) error {
	if n := len(secret); n != DataKeyBytes && n != ShareBytes {
		return fmt.Errorf("secret has %d bytes, want %d or %d", n, DataKeyBytes, ShareBytes)
	}
	return nil
}

// minThreshold is the smallest number of groups among which SOPS divides a data
// key: with one, every share would be the data key itself.
const minThreshold = 2

// checkThreshold refuses what no SOPS document can have.
func (r Recipients) checkThreshold() error {
	switch t := r.threshold(); {
	case t < minThreshold:
		return fmt.Errorf("%d of %d key groups would be enough, there must be at least %d", t, len(r.Groups), minThreshold)
	case t > len(r.Groups):
		return fmt.Errorf("%d key groups are needed and there are %d", t, len(r.Groups))
	}
	return nil
}

// splitKey divides k among the groups of r.
func splitKey(k DataKey, r Recipients) ([][]byte, error) {
	if err := r.checkThreshold(); err != nil {
		return nil, err
	}
	return shamir.Split(k.Bytes(), len(r.Groups), r.threshold())
}

// errShares says that shares do not make a data key. Nothing is told about
// them: they are secrets.
var errShares = errors.New("the shares of the key groups do not fit together")

// joinShares is the reverse of splitKey, for as many shares as are needed.
func joinShares(shares [][]byte) (DataKey, error) {
	for _, s := range shares {
		// At x = 0 lies the data key itself, for which one group would be
		// enough.
		if len(s) != ShareBytes || s[ShareBytes-1] == 0 {
			return DataKey{}, errShares
		}
	}
	secret, err := shamir.Combine(shares)
	if err != nil {
		return DataKey{}, errShares
	}
	return NewDataKey(secret)
}
