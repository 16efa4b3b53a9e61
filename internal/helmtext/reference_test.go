// SPDX-License-Identifier: Apache-2.0

package helmtext_test

import (
	"testing"

	"github.com/signet-secrets/signet/internal/helmtext"
)

// What stands beside a reference in a manifest that is no template: a password is
// found, and what connection strings and the like are made of is none.
func TestOnlyReferences(t *testing.T) {
	tests := []struct {
		name, value string
		want        bool
	}{
		{"variable", `${DB_PASSWORD}`, true},
		{"action", `{{ .password }}`, true},
		{"in quotes", `"{{ .password }}"`, true},
		{"with blanks around", "  ${DB_PASSWORD}\n", true},
		{"two", `${USER}:${PASSWORD}`, true},
		{"short text", `app-${ENV}-db`, true},
		{"empty", ``, false},
		{"blank", ` `, false},
		{"text", `hunter2`, false},
		{"default", `${DB_PASSWORD:-hunter2}`, false},
		{"action with a default", `{{ .password | default "hunter2" }}`, false},

		{"password before a variable", `hunter2${X}`, false},
		{"password behind a variable", `${X}hunter2`, false},
		{"password before an action", `hunter2hunter2-{{ x }}`, false},
		{"password behind an action", `{{ x }}hunter2hunter2`, false},
		{"what only looks like a variable", `correct${horse}battery-staple-9f8a7b6c5d4e3f2a1b0c`, false},
		{"letters of elsewhere", `${X}пароль`, false},

		{"URL", `postgres://${USER}:${PASS}@db:5432/app`, true},
		{"URL of a long host", `postgres://${USER}:${PASS}@database.production.svc.cluster.local:5432/application?sslmode=require`, true},
		{"URL with a user", `postgresql://postgres:${PASS}@database/application`, true},
		{"URL of Java", `jdbc:postgresql://${HOST}:5432/application?user=${USER}&password=${PASS}`, true},
		{"several hosts", `mongodb://${USER}:${PASS}@mongo-primary:27017,mongo-secondary:27017/application`, true},
		{"without a user", `redis://:${PASS}@redis-master:6379/0`, true},
		{"URL with a password", `postgres://${USER}:hunter2@db:5432/${APP}`, false},
		{"URL with a password beside a reference", `postgres://app:${X}hunter2hunter2@db:5432/app`, false},
		{"URL with a password in its query", `https://${HOST}/hook?token=hunter2hunter2`, false},
		{"URL and a password", `https://${HOST} hunter2`, false},

		{"mail address", `${USER}@example.com`, true},
		{"host", `redis-master.${NAMESPACE}.svc.cluster.local:6379`, true},
		{"token", `Bearer ${TOKEN}`, true},
		{"basic", `Basic {{ token }}`, true},
		{"settings", `Server=tcp:${HOST},1433;Initial Catalog=production;User ID=application;Password=${PASS};Encrypt=True`, true},
		{"settings with a password", `Server=${HOST};User ID=application;Password=hunter2`, false},
		{"JSON", `{"auths":{"${REGISTRY}":{"username":"application","password":"${PASS}"}}}`, true},
		{"JSON with a password", `{"auths":{"${REGISTRY}":{"username":"application","password":"hunter2"}}}`, false},
		{"file", "[database]\nhost = production\npassword = ${PASS}\n", true},
		{"file with a password", "[database]\nhost = ${HOST}\npassword = hunter2\n", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := helmtext.OnlyReferences(test.value); got != test.want {
				t.Errorf("OnlyReferences(%q) = %v", test.value, got)
			}
		})
	}
}
