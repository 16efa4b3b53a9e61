// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// plain lets through what cannot hold the value of a Secret: text, numbers,
// errors and names. Of anything else only the type is shown: libraries log whole
// objects when something odd happens to them, and those of the API print all
// that is in them.
func plain(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey {
		if level, ok := a.Value.Any().(slog.Level); ok && level < slog.LevelInfo {
			return slog.String(a.Key, slog.LevelDebug.String())
		}
		return a
	}
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	return slog.String(a.Key, plainText(a.Value.Any()))
}

func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case error:
		return errorText(v)
	case []string:
		return strings.Join(v, ",")
	case klog.ObjectRef:
		return v.String()
	case types.NamespacedName:
		return v.String()
	case reconcile.Request:
		return v.String()
	case schema.GroupVersionKind:
		return v.String()
	case schema.GroupKind:
		return v.String()
	case schema.GroupVersionResource:
		return v.String()
	case corev1.ObjectReference:
		return v.Kind + " " + v.Namespace + "/" + v.Name
	case *corev1.ObjectReference:
		if v != nil {
			return plainText(*v)
		}
	case metav1.Object:
		if !reflect.ValueOf(v).IsNil() {
			return fmt.Sprintf("%T %s/%s", v, v.GetNamespace(), v.GetName())
		}
	case *slog.Source, slog.Level, time.Time:
		return fmt.Sprint(v)
	}
	return scalarText(v)
}

// scalarText is the text of v if its type is made of one of Go's own that holds
// one short thing, and else its type.
func scalarText(v any) string {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.String:
		return r.String()
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return fmt.Sprint(r)
	}
	if checks, ok := checksText(r); ok {
		return checks
	}
	return fmt.Sprintf("(%T)", v)
}

// checksText is the text of the outcome of health checks, which has no exported
// type (controller-runtime: pkg/healthz, checkStatus).
func checksText(r reflect.Value) (text string, ok bool) {
	if r.Kind() != reflect.Slice || r.Type().Elem().String() != "healthz.checkStatus" || r.Type().Elem().Kind() != reflect.Struct {
		return "", false
	}
	var checks []string
	for i := range r.Len() {
		name, healthy := r.Index(i).FieldByName("name"), r.Index(i).FieldByName("healthy")
		if name.Kind() != reflect.String || healthy.Kind() != reflect.Bool {
			return "", false
		}
		outcome := "failed"
		if healthy.Bool() {
			outcome = "ok"
		}
		checks = append(checks, name.String()+" "+outcome)
	}
	return strings.Join(checks, ", "), true
}

// errorText is the text of an error. That of a panic which controller-runtime
// has recovered from holds what was passed to panic (controller-runtime:
// pkg/internal/controller, Reconcile).
func errorText(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "panic: ") && strings.HasSuffix(text, "[recovered]") {
		return "panic [recovered]"
	}
	return text
}
