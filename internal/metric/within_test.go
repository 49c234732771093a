package metric

import (
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestAQueryWithinServicesReadsNothingElse(t *testing.T) {
	e := NewEngine(nil, nil)
	f := func(query, want string) {
		t.Helper()
		got, err := e.Within(query, "service_name", []string{"shop", "a.b|c"}, time.Hour)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", query, got, err, want)
		}
	}
	only := `service_name=~"shop|a\\.b\\|c"`
	f(`up`, `up{`+only+`}`)
	f(`up{service_name="other"}`, `up{service_name="other",`+only+`}`)
	f(`up{service_name=~".*"} or on () {__name__="x"}`, `up{service_name=~".*",`+only+`} or on () {__name__="x",`+only+`}`)
	f(`sum by (x) (rate(a[5m])) / b`, `sum by (x) (rate(a{`+only+`}[5m])) / b{`+only+`}`)
	f(`max_over_time(a[30m:1m])`, `max_over_time(a{`+only+`}[30m:1m])`)
	f(`label_replace(a, "service_name", "x", "", "")`, `label_replace(a{`+only+`}, "service_name", "x", "", "")`)
	if got, err := e.Within(`up`, "service_name", nil, time.Hour); err != nil || got != `up` {
		t.Errorf("without services %s, %v", got, err)
	}
}

func TestAQueryThatLeavesItsTimeIsRefused(t *testing.T) {
	e := NewEngine(nil, nil)
	f := func(query, why string) {
		t.Helper()
		if got, err := e.Within(query, "service_name", []string{"shop"}, time.Hour); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %s, %v", query, got, err)
		}
	}
	f(`up offset 1d`, "offset")
	f(`up offset -1d`, "offset")
	f(`up @ 0`, "@")
	f(`up @ end()`, "@")
	f(`rate(up[5m] offset 1d)`, "offset")
	f(`max_over_time(up[30m:1m] @ start())`, "@")
	f(`rate(up[2h])`, "over 1h")
	f(`max_over_time(rate(up[40m])[40m:1m])`, "over 1h")
	f(`up{`, "parse error")
}
