// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// printCalls prints the calls that the test KMS at url has counted, as in
// "Decrypt 1, Encrypt 5", or "none".
func printCalls(w io.Writer, url string) error {
	answer, err := http.Get(url + "/counts")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	counts := map[string]int{}
	if err := json.NewDecoder(answer.Body).Decode(&counts); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	var calls []string
	for _, operation := range slices.Sorted(maps.Keys(counts)) {
		calls = append(calls, fmt.Sprintf("%s %d", operation, counts[operation]))
	}
	if len(calls) == 0 {
		calls = []string{"none"}
	}
	_, err = fmt.Fprintln(w, strings.Join(calls, ", "))
	return err
}

// forgetCalls makes the test KMS at url count anew.
func forgetCalls(url string) error {
	answer, err := http.Post(url+"/counts/reset", "", nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
