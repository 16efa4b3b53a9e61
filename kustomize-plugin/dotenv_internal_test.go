// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadDotenv has what godotenv v1.5.1 makes of each text (tried with the
// library), but for the last five: a name without a value and bytes that are no
// text, which it takes for something else, are errors here.
func TestReadDotenv(t *testing.T) {
	tests := []struct {
		name, text string
		want       map[string]string // nil is an error
	}{
		{"plain", "A=b\nC=d e \n", map[string]string{"A": "b", "C": "d e"}},
		{"empty", "", map[string]string{}},
		{"only comments", "# a\n\n  # b", map[string]string{}},
		{"no value", "A=\nB=c", map[string]string{"A": "", "B": "c"}},
		{"no value at the end", "A=", map[string]string{"A": ""}},
		{"colon", "A: b", map[string]string{"A": "b"}},
		{"blanks around", "  A =  b\t\n", map[string]string{"A": "b"}},
		{"export", "export A=b\nexport\tC=d\nexported=e", map[string]string{"A": "b", "C": "d", "exported": "e"}},
		{"CRLF", "A=b\r\nC=d\r\n", map[string]string{"A": "b", "C": "d"}},
		{"dot and digit", "a.1_B=c", map[string]string{"a.1_B": "c"}},
		{"equals in value", "A=b=c==", map[string]string{"A": "b=c=="}},
		{"comment", "A=b # c\nB=c#d\nC=#e\nD=a # b # c", map[string]string{"A": "b", "B": "c#d", "C": "#e", "D": "a # b"}},
		{"single quotes", `A='b $A \n # c'`, map[string]string{"A": `b $A \n # c`}},
		{"single quotes over lines", "A='b\nc' # d\nE=f", map[string]string{"A": "b\nc", "E": "f"}},
		{"double quotes", `A="b\nc\r\t\"\\x" `, map[string]string{"A": "b\nc\rt\"\\x"}},
		{"empty quotes", "A=\"\"\nB=''", map[string]string{"A": "", "B": ""}},
		{"quote at the end is dropped", `A="b\""`, map[string]string{"A": `b\`}},
		{"two on a line", `A="b" C=d`, map[string]string{"A": "b", "C": "d"}},
		{"later wins", "A=b\nA=c", map[string]string{"A": "c"}},
		{"variables", "A=b\nC=$A\nD=${A}x\nE=\"$A\"\nF='$A'\nG=$UNKNOWN.\nH=$lower", map[string]string{"A": "b", "C": "b", "D": "bx", "E": "b", "F": "$A", "G": ".", "H": "$lower"}},
		{"dollars that stay", `A=b
C=\$A
D="\$A"
E=5$`, map[string]string{"A": "b", "C": "$A", "D": "$A", "E": "5$"}},
		{"variable in parentheses", "A=b\nC=$(A)", map[string]string{"A": "b", "C": "b)"}},
		{"no equals", "A", nil},
		{"no equals on a line", "A\nB=c", nil},
		{"bad name", "A-B=c", nil},
		{"open quote", `A="secret`, nil},
		{"not UTF-8", "A=\xff", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := map[string]string{}
			err := readDotenv([]byte(test.text), got)
			switch {
			case test.want == nil && err == nil:
				t.Errorf("no error, %q", got)
			case test.want == nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("error %v holds the value", err)
			case test.want != nil && err != nil:
				t.Error(err)
			case test.want != nil && cmp.Diff(test.want, got) != "":
				t.Errorf("-want +got\n%s", cmp.Diff(test.want, got))
			}
		})
	}
}
