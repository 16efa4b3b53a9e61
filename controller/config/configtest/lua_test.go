// SPDX-License-Identifier: Apache-2.0

package configtest

import (
	"context"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// health is what Argo CD makes of a script's answer.
type health struct{ Status, Message string }

// runHealth runs a health script as Argo CD does (util/lua/lua.go, runLua and
// ExecuteHealthLua): the object in the global obj, of the libraries only base
// and table, limited time (one second there), and a table as the answer.
func runHealth(tb testing.TB, script string, obj map[string]any) health {
	tb.Helper()
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			tb.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	l.SetContext(ctx)
	l.SetGlobal("obj", luaValue(l, obj))
	if err := l.DoString(script); err != nil {
		tb.Fatalf("health.lua: %v", err)
	}
	answer, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		tb.Fatalf("health.lua gives a %s, not a table", l.Get(-1).Type())
	}
	return health{lua.LVAsString(answer.RawGetString("status")), lua.LVAsString(answer.RawGetString("message"))}
}

// luaValue is Argo CD's decodeValue: what it doesn't know becomes nil.
func luaValue(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case []any:
		t := l.CreateTable(len(v), 0)
		for _, item := range v {
			t.Append(luaValue(l, item))
		}
		return t
	case map[string]any:
		t := l.CreateTable(0, len(v))
		for key, item := range v {
			t.RawSetH(lua.LString(key), luaValue(l, item))
		}
		return t
	}
	return lua.LNil
}
