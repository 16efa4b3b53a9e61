// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// UnknownObjectError says that this version does not know an object of Signet's
// API.
type UnknownObjectError struct{ APIVersion, Kind string }

func (e *UnknownObjectError) Error() string {
	return "unknown object " + keys.ForeignText(e.APIVersion) + " " + keys.ForeignText(e.Kind)
}

// IsSealed reports whether an object has to be opened: a SealedSecret by Open,
// one with SOPS metadata by OpenFile. An object of Signet's API that this
// version does not know is an *UnknownObjectError: passing it on would let it
// reach a cluster unopened.
func IsSealed(o *manifest.Object) (bool, error) {
	if o.Group() == sopsdoc.Group || o.APIVersion() == sopsdoc.Group {
		switch {
		case o.APIVersion() != sopsdoc.APIVersion:
		case o.Kind() == sopsdoc.Kind:
			return true, nil
		case o.Kind() == sopsdoc.KeyKind:
			return false, nil
		}
		return false, &UnknownObjectError{o.APIVersion(), o.Kind()}
	}
	return manifest.Get(o.Node, sopsdoc.MetadataKey) != nil, nil
}

// Jobs puts sealed objects, which come in the order of their documents, together
// as they are to be opened: each SealedSecret alone, and SOPS documents of one
// file that follow each other with the same mac as one file, for they were
// encrypted together. place tells which object an element of all is, and in
// which file.
func Jobs[T any](all []T, place func(T) (file string, o *manifest.Object)) [][]T {
	type group struct{ file, mac string }
	var jobs [][]T
	var last group
	for _, t := range all {
		file, o := place(t)
		this := group{file: file}
		if o.Group() != sopsdoc.Group {
			this.mac = sopsdoc.FileMAC(o.Node)
		}
		if n := len(jobs) - 1; this.mac != "" && this == last && o.Item == 0 {
			jobs[n] = append(jobs[n], t)
		} else {
			jobs = append(jobs, []T{t})
		}
		last = this
	}
	return jobs
}

var _ error = (*UnknownObjectError)(nil)
