// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// changesPrograms reports whether a variable is known to decide which code programs
// run, whom they talk to or whom they trust: whoever can seal a value of that name
// could run what they like. Nobody knows all such variables.
func changesPrograms(name string) bool {
	if slices.Contains(strings.Fields(steeringNames), name) {
		return true
	}
	has := func(list string, match func(name, part string) bool) bool {
		return slices.ContainsFunc(strings.Fields(list), func(part string) bool { return match(name, part) })
	}
	switch {
	case has(steeringPrefixes, strings.HasPrefix):
		return true
	case has(credentialSuffixes, hasSuffixFold):
		return false
	}
	return has(toolPrefixes, strings.HasPrefix) || has(steeringSuffixes, strings.HasSuffix) ||
		strings.HasSuffix(name, "FLAGS") && !strings.HasSuffix(name, "_FLAGS")
}

func hasSuffixFold(name, suffix string) bool {
	return strings.HasSuffix(strings.ToUpper(name), suffix)
}

const steeringPrefixes = "LD_ DYLD_ BASH_FUNC_ GIT_CONFIG COR_ CORECLR_ DOTNET_STARTUP"

// toolPrefixes are those of programs that are told by variables what to run. What
// ends in one of credentialSuffixes is a value for them all the same.
const (
	toolPrefixes       = "GIT_ npm_config_ NPM_CONFIG_ JAVA_ _JAVA JDK_ PYTHON PERL5 RUBY NODE_ XDG_ SIGNET_ TF_CLI_ AWS_ENDPOINT_URL CARGO_ PIP_ LUA_ GEM_ BUNDLE_ COMPLUS_ PHP_INI"
	credentialSuffixes = "TOKEN PASSWORD PASSPHRASE SECRET USER USERNAME"
	steeringSuffixes   = "_OPTS _OPTIONS _RSH _EDITOR _PAGER _ASKPASS _BROWSER _PRELOAD _proxy _PROXY _CMD _WRAPPER"
)

const steeringNames = `
	PATH HOME SHELL IFS ENV BASH_ENV BASHOPTS SHELLOPTS PROMPT_COMMAND PS1 PS2 PS4 ZDOTDIR CDPATH GLOBIGNORE FPATH INPUTRC
	GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCPATH NLSPATH RES_OPTIONS LOCALDOMAIN RESOLV_HOST_CONF MALLOC_TRACE TMPDIR TMP TEMP
	TERMINFO TERMINFO_DIRS TERMCAP EDITOR VISUAL PAGER MANPAGER MANOPT BROWSER LESS LESSOPEN LESSCLOSE LESSKEY LESSKEYIN LESSKEY_CONTENT
	VIMINIT EXINIT MYVIMRC VIM VIMRUNTIME EMACSLOADPATH HGRCPATH SVN_SSH CVS_RSH
	MAKE MAKEFILES CC CXX LD AR AS CPP RUSTC GOPATH GOROOT GOENV GOPROXY GOSUMDB GONOSUMDB GOTOOLCHAIN GOBIN
	KUBECONFIG DOCKER_CONFIG DOCKER_HOST AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE ANSIBLE_CONFIG CLOUDSDK_CONFIG
	PSQLRC PGSERVICEFILE PGSYSCONFDIR MYSQL_HOME CURL_HOME WGETRC RSYNC_CONNECT_PROG SOPS_AGE_KEY_CMD SOPS_AGE_SSH_PRIVATE_KEY_CMD SOPS_GPG_EXEC
	OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
	http_proxy https_proxy all_proxy no_proxy CLASSPATH COMPOSER_HOME PHPRC TCLLIBPATH R_PROFILE R_PROFILE_USER R_ENVIRON JULIA_LOAD_PATH
	GTK_MODULES GIO_EXTRA_MODULES QT_PLUGIN_PATH`
