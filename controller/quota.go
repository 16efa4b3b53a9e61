// SPDX-License-Identifier: Apache-2.0

package controller

// quota counts something that there is a limited amount of, for each namespace. A
// namespace gets no more than each; all that have something already get no more
// than all together; one that has nothing gets it up to last. So there is some
// left for who comes next, however much the others would take.
type quota struct {
	each, all, last int

	of    map[string]int
	total int
}

func newQuota(each, all, last int) *quota {
	return &quota{each: each, all: all, last: max(all, last), of: map[string]int{}}
}

// fits reports whether a namespace may have n more.
func (q *quota) fits(namespace string, n int) bool {
	has := q.of[namespace]
	if has == 0 {
		return q.total+n <= q.last
	}
	return has+n <= q.each && q.total+n <= q.all
}

// add counts n more, or less.
func (q *quota) add(namespace string, n int) {
	q.total += n
	if q.of[namespace] += n; q.of[namespace] <= 0 {
		delete(q.of, namespace)
	}
}
