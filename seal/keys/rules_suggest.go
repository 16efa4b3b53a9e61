// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"
)

// unknownField gives the reason for a name that is none of the known ones:
// what was probably meant, else everything there is.
func unknownField(name string, known []string) string {
	if meant := closest(name, known); meant != "" {
		return "unknown field, did you mean \"" + meant + "\"?"
	}
	return "unknown field, the known ones are " + strings.Join(known, ", ")
}

// closest returns the known name that differs least from name in its letters,
// or that one of them begins with the other, or "".
func closest(name string, known []string) string {
	name = letters(name)
	if len(name) > 40 {
		return ""
	}
	best, least := "", 3
	if len(name) < 5 {
		least = 2 // two changes of three letters make age of pgp
	}
	for _, k := range known {
		if d := distance(name, letters(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" || len(name) < 3 {
		return best
	}
	for _, k := range known {
		if strings.HasPrefix(letters(k), name) || strings.HasPrefix(name, letters(k)) {
			return k
		}
	}
	return ""
}

// letters drops what people get wrong most: case, dashes and underscores.
func letters(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// distance counts the bytes to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
