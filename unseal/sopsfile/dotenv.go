// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// readDotenv reads lines of KEY=value and #comment; line breaks in values are
// written \n. Nothing else has a meaning: quotes and carriage returns belong to
// the value (sops: stores/dotenv/store.go, LoadPlainFile).
func readDotenv(content []byte) ([]sopsdoc.Branch, error) {
	var b sopsdoc.Branch
	number := 0
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		number++
		if len(line) == 0 {
			continue
		}
		if len(b) >= maxNodes {
			return nil, invalid("", "line %d: there are more than %d lines", number, maxNodes)
		}
		if line[0] == '#' {
			b = append(b, sopsdoc.Item{Comment: &sopsdoc.Comment{Text: string(line[1:])}})
			continue
		}
		key, value, ok := strings.Cut(string(line), "=")
		if !ok {
			return nil, invalid("", "line %d: is neither KEY=value nor a comment", number)
		}
		b = append(b, sopsdoc.Item{Key: key, Value: strings.ReplaceAll(value, `\n`, "\n")})
	}
	return []sopsdoc.Branch{b}, nil
}

func writeDotenv(branches []sopsdoc.Branch) ([]byte, error) {
	var out bytes.Buffer
	for _, item := range branches[0] {
		if item.Comment == nil {
			fmt.Fprintf(&out, "%s=%s\n", item.Key, strings.ReplaceAll(plainText(item.Value), "\n", `\n`))
			continue
		}
		// The lines that follow would be values.
		if strings.Contains(item.Comment.Text, "\n") {
			return nil, &sopsdoc.TamperedError{Path: "#", Reason: "a comment opens to several lines"}
		}
		fmt.Fprintf(&out, "#%s\n", item.Comment.Text)
	}
	return out.Bytes(), nil
}

// plainText writes a value in formats where everything is text (sops:
// stores/stores.go, ValToString). Values are text there, but the type of an
// encrypted one is not authenticated.
func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		text := strconv.FormatFloat(v, 'G', -1, 64)
		if !strings.ContainsAny(text, ".E") {
			text = strconv.FormatFloat(v, 'f', 1, 64)
		}
		return text
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}
