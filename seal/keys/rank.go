// SPDX-License-Identifier: Apache-2.0

package keys

// Rank says how costly it is to try an entry; less is tried first.
type Rank int

// The order of trying.
const (
	AtHand     Rank = iota // an identity of this machine: no call
	OneForMany             // a SealingKey: one call, which serves other documents too
	Near                   // a call within the Region
	Far                    // any other call
)

// Ranker is an Unwrapper that can tell how costly an entry is. RankOf speaks for
// one that cannot.
type Ranker interface {
	Rank(e Entry) Rank
}

// RankOf asks u for the rank of e. An Unwrapper that is no Ranker counts as
// AtHand for age entries and as Far for others.
func RankOf(u Unwrapper, e Entry) Rank {
	if r, ok := u.(Ranker); ok {
		return r.Rank(e)
	}
	if e.Type() == Age {
		return AtHand
	}
	return Far
}
