// SPDX-License-Identifier: Apache-2.0

package bitnami

import "slices"

// mayRefuse reports whether a template may be refused here that Sealed Secrets
// renders.
func mayRefuse(template string) bool {
	return slices.Contains([]string{
		`{{ index .user 0 }}`, `{{ list .absent }}`, `{{ list (list "a") }}`, `{{ printf "%T %p" .user .user }}`,
		`{{ repeat 3.0 "x" }}`, `{{ 1i }}`, `{{ define "x" }}y{{ end }}z`,
		`{{ block "x" . }}{{ .user }}{{ end }}`, `{{ printf "%" }}`, `{{ printf "%1000d" 1 }}`, `{{ printf "%z" 1 }}`,
	}, template)
}

// templateCases are templates of each function and statement, right and wrong.
func templateCases() []string {
	return slices.Concat(statementCases(), textCases(), encodingCases(), listCases(), choiceCases())
}

func statementCases() []string {
	return []string{
		``, ` `, `plain text`, "{", "}}", "{{/* comment */}}x", "{{- /* comment */ -}} x", "a  {{- .user -}}  b", "{{ .user -}}\n\n x",
		`{{ .user }}`, `{{.user}}{{.host}}`, `{{ .absent }}`, `{{ .absent.deep.er }}`, `{{ .user.name }}`, `{{ $.user }}`, `{{ $ }}`, `{{ . }}`, `{{ .output }}`,
		`{{ "text" }}`, "{{ `raw\\n` }}", `{{ "a\tb\u00e9" }}`, `{{ 5 }}`, `{{ -5 }}`, `{{ 0x1F }}`, `{{ 1e3 }}`, `{{ 1.50 }}`, `{{ 'a' }}`, `{{ 1_000 }}`, `{{ true }}`, `{{ nil }}`, `{{ 1i }}`,
		`{{ 99999999999999999999 }}`, `{{ 0b101 }} {{ 0o17 }} {{ 017 }}`, `{{ 0x1p4 }}`, `{{ 1e999 }}`,
		`{{ (.user) }}`, `{{ (print .user).x }}`, `{{ (.absent).x }}`, `{{ .user "x" }}`, `{{ "x" | .user }}`, `{{ 5 | 6 }}`,
		`{{ $x := .user }}{{ $x }}`, `{{ $x := "a" }}{{ $x = "b" }}{{ $x }}`, `{{ $x }}`, `{{ $x := .absent }}{{ $x }}{{ $x.y }}`, `{{ $x := .user }}{{ $x.y }}`,
		`{{ if .user }}yes{{ else }}no{{ end }}`, `{{ if .empty }}yes{{ else }}no{{ end }}`, `{{ if .absent }}yes{{ end }}`, `{{ if 0 }}a{{ else if 0.0 }}b{{ else if "x" }}c{{ end }}`,
		`{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x = 3 }}{{ end }}{{ $x }}`, `{{ if $y := .user }}{{ $y }}{{ end }}`, `{{ if true }}{{ $z := 1 }}{{ end }}{{ $z }}`,
		`{{ with .user }}{{ . }}{{ $.host }}{{ else }}none{{ end }}`, `{{ with .empty }}x{{ else }}none {{ .user }}{{ end }}`, `{{ with $x := .user }}{{ $x }}{{ end }}`, `{{ with .absent }}x{{ else with .user }}{{ . }}{{ end }}`,
		`{{ range splitList "," .list }}[{{ . }}]{{ end }}`, `{{ range $i, $e := splitList "," .list }}{{ $i }}:{{ $e }} {{ end }}`, `{{ range $e := splitList "," .list }}{{ $e }};{{ end }}`,
		`{{ range .absent }}x{{ else }}none{{ end }}`, `{{ range .user }}x{{ end }}`, `{{ range 3 }}{{ . }}{{ end }}`, `{{ range $i := 3 }}{{ $i }}{{ end }}`, `{{ range $i, $j := 3 }}x{{ end }}`, `{{ range 0 }}x{{ else }}y{{ end }}`, `{{ range -1 }}x{{ end }}`, `{{ range 1.5 }}x{{ end }}`,
		`{{ range $k, $v := . }}{{ if ne $k "output" }}{{ $k }}={{ len $v }} {{ end }}{{ end }}`, `{{ range split "," .list }}{{ . }}{{ end }}`, `{{ range list 1 "a" true 2.5 }}{{ . }},{{ end }}`,
		`{{ range splitList "," .list }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}`, `{{ range splitList "," .list }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ else }}z{{ end }}`, `{{ break }}`,
		`{{ $i := 0 }}{{ $e := "" }}{{ range $i, $e = splitList "," .list }}{{ end }}{{ $i }}{{ $e }}`, `{{ $e := "" }}{{ range $e = splitList "," .list }}{{ end }}{{ $e }}`, `{{ range $i, $i := splitList "," .list }}{{ $i }}{{ end }}`,
		`{{ range $a := splitList "," "1,2" }}{{ range $b := splitList "," "x,y" }}{{ $a }}{{ $b }} {{ end }}{{ end }}`, `{{ range $x := 2 }}{{ end }}{{ $x }}`, `{{ range splitList "," "a,b" }}{{ $q := . }}{{ $q }}{{ end }}`,
		`{{ and .user .host }}`, `{{ and .empty .host }}`, `{{ and }}`, `{{ or .empty .user }}`, `{{ or .absent .empty }}`, `{{ or .empty .absent }}`, `{{ .user | and .host }}`, `{{ .user | or .empty }}`, `{{ or .user (b64enc 5) }}`, `{{ and .empty (.user.x) }}`, `{{ not .user }}`, `{{ not .absent }}`, `{{ and 1 }}`, `{{ or nil "x" }}`,
		`{{ template "x" }}`, `{{ define "x" }}y{{ end }}z`, `{{ block "x" . }}{{ .user }}{{ end }}`, `{{ end }}`, `{{ if }}x{{ end }}`, `{{ .user `, `{{ .user | }}`, `{{ nosuch }}`, `{{ env "HOME" }}`, `{{ getHostByName "localhost" }}`, `{{ call .user }}`,
	}
}

func textCases() []string {
	return []string{
		`[{{ trim .spaced }}]`, `{{ upper .unicode }}`, `{{ lower "ÄBC" }}`, `{{ title .unicode }}`, `{{ title "hello wORLD-foo_bar x.y" }}`, `{{ trim 5 }}`, `{{ upper .absent }}`,
		`{{ trimSuffix ".svc" .host }}`, `{{ .host | trimPrefix "db." }}`, `{{ trimAll "dbsvc" .host }}`, `{{ trimSuffix "x" }}`, `{{ trimSuffix "a" "b" "c" }}`,
		`{{ contains "prod" .host }}{{ hasPrefix "db" .host }}{{ hasSuffix "x" .host }}`, `{{ contains "" "" }}`, `{{ hasPrefix 1 .host }}`,
		`{{ repeat 3 "ab" }}`, `{{ repeat 0 "x" }}`, `{{ repeat -1 "x" }}`, `{{ "x" | repeat 2 }}`, `{{ repeat 3.0 "x" }}`, `{{ repeat "3" "x" }}`, `{{ repeat (len .user) "x" }}`, `{{ repeat (atoi "4") "y" }}`,
		`{{ indent 2 .lines }}`, `{{ .lines | nindent 4 }}`, `{{ indent 0 "x" }}`, `{{ indent -1 "x" }}`, `{{ nindent 2 "" }}`,
		`{{ trunc 3 .user }}{{ trunc -2 .user }}{{ trunc 99 .user }}{{ trunc -99 .user }}{{ trunc 0 .user }}`, `{{ trunc 4 .unicode }}`,
		`{{ substr 1 3 .user }}{{ substr 2 -1 .user }}{{ substr -1 2 .user }}{{ substr 0 99 .user }}`, `{{ substr 3 1 .user }}`, `{{ substr 9 99 .user }}`, `{{ substr -1 99 .user }}`, `{{ substr -1 -1 .user }}`, `{{ substr 5 5 .user }}`, `{{ substr 6 6 .user }}`, `{{ substr 99 -1 .user }}`,
		`{{ replace "." "-" .host }}`, `{{ replace "" "-" .user }}`, `{{ .host | replace "prod" "" }}`, `{{ replace "a" "b" 5 }}`,
		`{{ quote .password }}`, `{{ squote .password }}`, `{{ quote .absent }}`, `{{ squote .absent "x" }}`, `{{ quote 5 true 1.5 "x" }}`, `{{ squote 5 true }}`, `{{ quote }}`, `{{ squote }}`, `{{ .user | quote }}`, `{{ quote .binary }}`, `{{ quote (splitList "," .list) }}`, `{{ squote (splitList "," .list) }}`,
		`{{ cat .user 5 true .absent "x" }}`, `{{ cat }}`, `{{ cat "" "" }}`, `{{ cat .spaced "%v" }}`, `{{ cat (splitList "," .list) . | len }}`,
		`{{ toString 5 }}{{ toString .user }}{{ toString true }}{{ toString 1.0 }}`, `{{ toString .absent }}`, `{{ toString (splitList "," .list) }}`,
		`{{ print .user 5 6 "x" "y" true }}`, `{{ print .absent }}`, `{{ print }}`, `{{ println .user 5 .absent }}`, `{{ print (list 1 "a") }}`, `{{ print (split "," .list) }}`,
		`{{ printf "%s:%d:%v:%q" .user 5 true .host }}`, `{{ printf "%s" .absent }}`, `{{ printf "%d" .user }}`, `{{ printf "%s" 5 }}`, `{{ printf "%5s|%-5s|%05d|%.2s|%x|%X|%t|%+d|%#x" "a" "b" 7 "xyz" "hi" "hi" true 3 255 }}`, `{{ printf "100%%" }}`, `{{ printf "%s" }}`, `{{ printf "x" 1 }}`, `{{ printf "%" }}`, `{{ printf "%z" 1 }}`, `{{ printf "%1000d" 1 }}`, `{{ .user | printf "%s-%s" .host }}`, `{{ printf 5 }}`, `{{ printf "%T %p" .user .user }}`, `{{ printf "%v %v" (splitList "," .list) 1.5 }}`, `{{ printf "%q" (list 1 "a") }}`, `{{ printf "%v" .absent }}`, `{{ printf "%.3v" 1.23456 }}`, `{{ printf "%q" 65 }}`, `{{ printf "%- 5d|" 3 }}`, `{{ printf }}`,
		`{{ atoi .num }}{{ atoi .user }}{{ atoi "99999999999999999999" }}{{ atoi "-3" }}`, `{{ if eq (atoi .num) 42 }}y{{ end }}`,
	}
}

func encodingCases() []string {
	return []string{
		`{{ b64enc .password }}`, `{{ b64dec .b64 }}`, `{{ b64dec .user }}`, `{{ b64dec "!!!" }}`, `{{ .user | b64enc | b64dec }}`, `{{ b64enc .binary }}`, `{{ b64enc .absent }}`, `{{ b64enc 5 }}`, `{{ b64dec "" }}`, `{{ b64enc (print .user ":" .password) }}`,
		`{{ b32enc .user }}`, `{{ b32dec .b32 }}`, `{{ b32dec "1" }}`, `{{ sha256sum .user }}`, `{{ sha512sum .user }}`, `{{ sha256sum "" }}`,
		`{{ toJson .password }}`, `{{ toJson . }}`, `{{ toJson 5 }}{{ toJson true }}{{ toJson 1.5 }}{{ toJson .absent }}`, `{{ toJson (splitList "," .list) }}`, `{{ toJson (list 1 "a" true) }}`, `{{ toJson .binary }}`, `{{ toJson (split "," .list) }}`,
		`{{ toPrettyJson (split "," .list) }}`, `{{ toPrettyJson .password }}`, `{{ toRawJson .password }}`, `{{ toRawJson (list "<" 1) }}`, `{{ toRawJson .absent }}`, `{{ toPrettyJson (list) }}{{ toJson (list) }}`,
		`{{ html .password }}`, `{{ html .absent }}`, `{{ html "<a>" 5 6 "&" }}`, `{{ html }}`, `{{ .password | html }}`, `{{ html (list "<") }}`, `{{ html "a" .absent 1 }}`,
		`{{ urlquery .password }}`, `{{ .url | urlquery }}`, `{{ urlquery .unicode }}`, `{{ urlquery }}`, `{{ urlquery 5 "a b" }}`, `{{ urlquery .absent }}`,
	}
}

func listCases() []string {
	return []string{
		`{{ splitList "," .list }}`, `{{ splitList "" .unicode }}`, `{{ splitList "," "" | len }}`, `{{ index (splitList "," .list) 1 }}`, `{{ index (splitList "," .list) 9 }}`, `{{ index (splitList "," .list) -1 }}`, `{{ index (splitList "," .list) 4 }}`, `{{ index (splitList "," .list) "a" }}`,
		`{{ (split "," .list)._1 }}`, `{{ (split "," .list)._9 }}`, `{{ $p := split ":" "u:p" }}{{ $p._0 }}/{{ $p._1 }}`, `{{ (splitn ":" 2 .url)._1 }}`, `{{ splitn "," 0 .list }}`, `{{ splitn "," -1 .list }}`, `{{ splitn "," 2 .list }}`,
		`{{ join "-" (splitList "," .list) }}`, `{{ join "," (list 1 "a" true 2.5) }}`, `{{ join "," "x" }}`, `{{ join "," .absent }}`, `{{ join "," 5 }}`, `{{ splitList "." .host | join "/" }}`, `{{ join "-" (split "," "a") }}`, `{{ join 1 "x" }}`,
		`{{ list 1 2 | len }}`, `{{ list "a" 1 true }}`, `{{ list }}`, `{{ list .absent }}`, `{{ list (list "a") }}`, `{{ index (list 5 "x") 1 }}`, `{{ if list }}y{{ else }}n{{ end }}`,
		`{{ first (splitList "," .list) }}{{ last (splitList "," .list) }}`, `{{ first (list) }}`, `{{ last (list 1 2) }}`, `{{ first .user }}`, `{{ last .absent }}`, `{{ splitList "." .host | last }}`, `{{ first (list "a" 1) }}`, `{{ first . }}`,
		`{{ index . "user" }}`, `{{ index . "absent" }}`, `{{ index . "absent" | len }}`, `{{ index .absent "x" }}`, `{{ index . }}`, `{{ index .user 0 }}`, `{{ index . 5 }}`, `{{ index . "user" "x" }}`, `{{ index . "keys.with-dots" }}`, `{{ index (split "," .list) "_0" }}`, `{{ index . nil }}`, `{{ index (list 1) nil }}`,
		`{{ len .user }}{{ len . }}{{ len .unicode }}`, `{{ len 5 }}`, `{{ len .absent }}`, `{{ len (list) }}`,
	}
}

func choiceCases() []string {
	return []string{
		`{{ default "x" .user }}{{ default "x" .empty }}{{ default "x" .absent }}`, `{{ .absent | default "y" }}`, `{{ default "x" 0 }}{{ default 5 false }}{{ default "a" "b" "c" }}`, `{{ default "x" }}`, `{{ default "x" (list) }}`, `{{ default }}`, `{{ .absent | default .user | quote }}`, `{{ default .absent "" }}`,
		`{{ empty .user }}{{ empty .empty }}{{ empty .absent }}{{ empty 0 }}{{ empty 0.0 }}{{ empty false }}{{ empty (list) }}{{ empty . }}`,
		`{{ coalesce .absent .empty .user .host }}`, `{{ coalesce "" 0 }}`, `{{ coalesce }}`, `{{ coalesce 0 5 }}`, `{{ coalesce .absent .empty | default "z" }}`,
		`{{ ternary "a" "b" true }}{{ ternary "a" "b" false }}`, `{{ eq .user "admin" | ternary 1 2 }}`, `{{ ternary "a" "b" .user }}`, `{{ ternary .absent "b" true }}`,
		`{{ eq .user "admin" }}{{ eq .user "x" "admin" }}{{ eq 1 1 }}{{ eq 1.5 1.5 }}{{ eq true true }}{{ eq true false }}`, `{{ eq .user 5 }}`, `{{ eq 1 1.0 }}`, `{{ eq .user }}`, `{{ eq .absent "x" }}`, `{{ eq .absent .nothing }}`, `{{ eq .absent nil }}`, `{{ eq (list) (list) }}`, `{{ eq . . }}`, `{{ eq .absent (list) }}`, `{{ eq "a" "a" 5 }}`, `{{ eq "a" 5 "a" }}`, `{{ "admin" | eq .user }}`, `{{ eq true 1 }}`,
		`{{ ne .user "x" }}{{ ne 1 2 }}{{ ne 1 1 }}`, `{{ ne 1 "1" }}`, `{{ ne .absent "x" }}`, `{{ ne 1 2 3 }}`, `{{ ne .absent .nothing }}`,
		`{{ lt 1 2 }}{{ lt "a" "b" }}{{ lt 1.5 2.5 }}{{ lt 2 1 }}`, `{{ lt 1 "a" }}`, `{{ lt true false }}`, `{{ lt .absent 1 }}`, `{{ gt 2 1 }}{{ gt 1 1 }}{{ ge 1 1 }}{{ ge "a" "b" }}{{ le 1 1 }}{{ le 2 1 }}`, `{{ gt (len .user) 3 }}`, `{{ gt 1 1.5 }}`, `{{ lt 1 }}`,
	}
}
