// SPDX-License-Identifier: Apache-2.0

package configtest

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// rules returns the alerts as Prometheus reads them: expressions, labels and
// templates are checked.
func rules(tb testing.TB) []rulefmt.Rule {
	tb.Helper()
	text, err := os.ReadFile("../monitoring/prometheus_rule.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	var resource struct {
		Spec map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &resource); err != nil {
		tb.Fatal(err)
	}
	file, err := yaml.Marshal(resource.Spec)
	if err != nil {
		tb.Fatal(err)
	}
	groups, errs := rulefmt.Parse(bytes.TrimSpace(file), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		tb.Error(err)
	}
	if groups == nil {
		tb.FailNow()
	}
	var all []rulefmt.Rule
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// instrumentation is where the controller names its metrics.
const instrumentation = "../../metrics.go"

// unknown returns which of the names that a selector has, of the metric and of
// its labels, the controller's source doesn't have. The metric up is made by
// Prometheus itself.
func unknown(tb testing.TB, s *parser.VectorSelector) []string {
	tb.Helper()
	if s.Name == "up" {
		return nil
	}
	text, err := os.ReadFile(instrumentation)
	if err != nil {
		tb.Fatal(err)
	}
	own, ok := strings.CutPrefix(s.Name, "signet_controller_")
	if !ok {
		return []string{s.Name}
	}
	names := []string{own}
	for _, m := range s.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			names = append(names, m.Name)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return bytes.Contains(text, []byte(strconv.Quote(name))) })
}

func TestAlertsUseMetricsThatExist(t *testing.T) {
	for _, r := range rules(t) {
		t.Run(r.Alert, func(t *testing.T) {
			for _, name := range []string{"summary", "description", "runbook_url"} {
				if r.Annotations[name] == "" {
					t.Errorf("no annotation %s", name)
				}
			}
			if !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) {
				t.Errorf("severity %q", r.Labels["severity"])
			}
			for _, s := range selectors(t, r) {
				if names := unknown(t, s); len(names) > 0 {
					t.Errorf("%s: the controller has no metric or label %q", s, names)
				}
			}
		})
	}
}

// selectors returns the parts of an alert's expression that select metrics.
func selectors(tb testing.TB, r rulefmt.Rule) []*parser.VectorSelector {
	tb.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
	if err != nil {
		tb.Fatal(err)
	}
	var all []*parser.VectorSelector
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			all = append(all, s)
		}
		return nil
	})
	return all
}

// Every failure that lasts raises an alert that names its reason, and nothing
// else does.
func TestEveryFailureRaisesAnAlert(t *testing.T) {
	matchers := reasonMatchers(t)
	for _, o := range outcomes {
		alerts := 0
		for _, matches := range matchers {
			if matches(o.reason) {
				alerts++
			}
		}
		// That a namespace is being deleted is nobody's trouble.
		if failure := o.ready != "True" && o.reason != "Suspended" && o.reason != "NamespaceTerminating"; failure != (alerts == 1) {
			t.Errorf("%s: %d alerts have it in their expression", o.reason, alerts)
		}
	}
}

// What the controller shows for a reason that is none of its own raises one too:
// else whoever may write a status could keep an object out of all of them.
func TestUnknownReasonRaisesAnAlert(t *testing.T) {
	alerts := 0
	for _, matches := range reasonMatchers(t) {
		if matches("Unknown") {
			alerts++
		}
	}
	if alerts != 1 {
		t.Errorf("%d alerts have it in their expression, want one", alerts)
	}
}

// reasonMatchers returns the conditions on the label reason in the alerts.
func reasonMatchers(tb testing.TB) []func(string) bool {
	tb.Helper()
	var all []func(string) bool
	for _, r := range rules(tb) {
		for _, s := range selectors(tb, r) {
			for _, m := range s.LabelMatchers {
				if m.Name == "reason" {
					all = append(all, m.Matches)
				}
			}
		}
	}
	return all
}

func TestRunbooksAreOfTheController(t *testing.T) {
	const page = "https://github.com/signet-secrets/signet/blob/main/controller/README.md#"
	for _, r := range rules(t) {
		if anchor, ok := strings.CutPrefix(r.Annotations["runbook_url"], page); !ok || anchor == "" {
			t.Errorf("%s: runbook_url %q", r.Alert, r.Annotations["runbook_url"])
		}
	}
}
