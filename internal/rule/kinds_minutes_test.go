package rule_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/view"
)

func TestResponseTimesOfAServiceAreTooLongForSomeMinutes(t *testing.T) {
	s := newStation(t)
	s.rule("slow", "response_time", rule.Params{"quantile": "p90", "threshold_ms": 800.0, "over_minutes": 1.0, "min_calls": 5.0})
	s.rule("slow endpoint", "response_time", rule.Params{"quantile": "p50", "threshold_ms": 800.0, "over_minutes": 1.0, "min_calls": 5.0, "apart": "endpoint"})
	s.rule("slow home", "response_time", rule.Params{"quantile": "p50", "threshold_ms": 800.0, "over_minutes": 1.0, "min_calls": 5.0, "endpoint": "GET /home"})
	for m := 6; m >= 1; m-- {
		took := 100 * time.Millisecond
		if m <= 4 {
			took = time.Second
		}
		s.served("shop", "GET /list", s.ago(float64(m)), 10, 0, took)
		s.served("shop", "GET /home", s.ago(float64(m)), 30, 0, 10*time.Millisecond)
		s.served("rare", "GET /", s.ago(float64(m)), 4, 0, time.Minute)
	}
	s.evaluate()
	for key, f := range s.fired {
		if f.Met && (f.Window[0].Value < 970 || f.Window[0].Value > 1030) { // a sketch is right to 2 %
			t.Errorf("%s was measured as %v ms", key, f.Window[0].Value)
		}
		for i := range f.Window {
			f.Window[i].Value = 1000
		}
	}
	s.expect("slow shop: 4, 1000", "slow endpoint shop GET /list: 4, 1000")
}

func TestMinutesThatComeLateAreJudgedWhenTheyCome(t *testing.T) {
	s := newStation(t)
	s.rule("errors", "error_rate", rule.Params{"threshold_percent": 50.0, "over_minutes": 1.0, "min_calls": 5.0})
	s.served("shop", "GET /", s.ago(9), 10, 0, time.Millisecond)
	s.evaluate()
	s.expect()
	// A sender that was cut off sends what it has held back for a quarter of an hour.
	for m := 18; m > 12; m-- {
		s.served("cut-off", "GET /", s.ago(float64(m)), 10, 6, time.Millisecond)
	}
	s.evaluate()
	s.expect("errors cut-off: 5, 60")
}

func TestAnIncidentStaysOpenUntilTheValueIsCalm(t *testing.T) {
	s := newStation(t)
	s.rule("errors", "error_rate", rule.Params{"threshold_percent": 50.0, "calm_percent": 10.0, "over_minutes": 1.0, "min_calls": 5.0},
		func(r *rule.Rule) { r.Count, r.WindowMinutes = 1, 1 })
	s.served("shop", "GET /", s.ago(9), 10, 6, time.Millisecond)
	s.evaluate()
	s.expect("errors shop: 1, 60")
	var kept int
	for _, m := range []float64{8, 7} {
		s.served("shop", "GET /", s.ago(m), 10, 2, time.Millisecond)
	}
	s.served("shop", "GET /", s.ago(6), 100, 2, time.Millisecond)
	s.fired = map[string]rule.Firing{}
	s.evaluate()
	for _, f := range s.fired {
		if f.Met {
			t.Errorf("20 %% of errors opens an incident: %+v", f)
		}
		kept = f.New
	}
	if kept != 2 {
		t.Errorf("%d minutes with 20 %% of errors keep the incident open, want 2; 2 %% keeps nothing open", kept)
	}
}

func TestWhatIsUsualIsThatHourOfTheWeek(t *testing.T) {
	s := newStation(t)
	low := func(r *rule.Rule) { r.Count, r.WindowMinutes = 3, 5 }
	s.rule("drop", "throughput", rule.Params{"direction": "drop", "percent": 60.0, "min_calls": 10.0, "over_minutes": 1.0}, low)
	s.rule("surge", "throughput", rule.Params{"direction": "surge", "percent": 100.0, "min_calls": 10.0, "over_minutes": 1.0}, low)
	s.rule("twice", "response_time", rule.Params{"quantile": "p50", "threshold_ms": 5.0, "times_usual": 2.0, "min_calls": 5.0, "over_minutes": 1.0}, low)
	hour := s.ago(20).Truncate(time.Hour)
	for week := 1; week <= 3; week++ {
		// Two hours: the minutes that are judged may belong to the next.
		s.past(hour.AddDate(0, 0, -7*week), "steady", "gone", "busier", "slower")
	}
	for m := 20; m >= 1; m-- { // since the rules exist
		s.served("steady", "GET /", s.ago(float64(m)), 6, 0, 11*time.Millisecond)
		s.served("busier", "GET /", s.ago(float64(m)), 12, 0, 10*time.Millisecond)
		s.served("slower", "GET /", s.ago(float64(m)), 5, 0, 30*time.Millisecond)
		s.served("new", "GET /", s.ago(float64(m)), 50, 0, time.Second) // nothing is usual of it yet
	}
	s.evaluate()
	for key, f := range s.fired {
		if f.Met && strings.HasPrefix(key, "twice") {
			f.Window[0].Value = 30
		}
		if f.Met && f.Window[0].Usual == nil {
			t.Errorf("%s does not say what is usual", key)
		}
	}
	s.expect("drop gone: 5, 0", "surge busier: 5, 12", "twice slower: 5, 30")

	t.Run("silence is not believed of a clock that jumped", func(t *testing.T) {
		s := newStation(t)
		s.even = false
		s.rule("drop", "throughput", rule.Params{"direction": "drop", "percent": 60.0, "min_calls": 10.0, "over_minutes": 1.0}, low)
		for week := 1; week <= 3; week++ {
			s.past(hour.AddDate(0, 0, -7*week), "gone")
		}
		s.evaluate()
		s.expect()
	})
}

func TestApdexFallsBelowItsLimit(t *testing.T) {
	s := newStation(t)
	s.rule("apdex", "apdex", rule.Params{"target_ms": 100.0, "threshold": 0.7, "min_calls": 5.0, "over_minutes": 1.0}, func(r *rule.Rule) { r.Count, r.WindowMinutes = 1, 1 })
	s.served("shop", "GET /", s.ago(3), 5, 0, 50*time.Millisecond)
	s.served("shop", "GET /", s.ago(3).Add(time.Second), 4, 0, 300*time.Millisecond)
	s.served("shop", "GET /", s.ago(3).Add(2*time.Second), 1, 1, time.Millisecond)
	s.served("shop", "GET /", s.ago(3).Add(3*time.Second), 2, 0, 500*time.Millisecond)
	s.served("fine", "GET /", s.ago(3), 10, 0, 50*time.Millisecond)
	s.evaluate()
	s.expect(fmt.Sprintf("apdex shop: 1, %s", strconv.FormatFloat((5+4/2.0)/12, 'f', -1, 64)))
}

func TestABudgetOfErrorsBurnsInALongAndAShortWindow(t *testing.T) {
	s := newStation(t)
	s.rule("slo", "slo_burn", rule.Params{"objective_percent": 99.0}, func(r *rule.Rule) { r.Environment = "" })
	for m := 60; m >= 1; m-- {
		failed := 2 // 20 %: twenty times what 99 % allows
		if m > 50 {
			failed = 0
		}
		s.served("burning", "GET /", s.ago(float64(m)), 10, failed, time.Millisecond)
		failed = 10
		if m < 30 {
			failed = 0 // it is over: the short windows say so
		}
		s.served("over", "GET /", s.ago(float64(m)), 10, failed, time.Millisecond)
	}
	s.now = s.ago(4)
	if _, err := s.db.Exec(t.Context(), `UPDATE rule_state SET watermark = $1, since = $1`, metadb.Micros(s.now)); err != nil {
		t.Fatal(err)
	}
	s.evaluate()
	for key, f := range s.fired {
		if f.Met && f.Window[0].Value < 1 {
			t.Errorf("%s fired at %v", key, f.Window[0].Value)
		}
		for i := range f.Window {
			f.Window[i].Value = 1
		}
	}
	s.expect("slo burning fast: 1, 1", "slo burning slow: 1, 1")
}

func TestAServiceWritesTooManyLogs(t *testing.T) {
	s := newStation(t)
	s.rule("errors", "log_rate", rule.Params{"level": "error", "threshold": 20.0, "over_minutes": 5.0})
	s.rule("refused", "log_rate", rule.Params{"level": "any", "text": "refused", "threshold": 5.0, "over_minutes": 1.0})
	for m := 6; m >= 2; m-- {
		s.wrote("shop", s.ago(float64(m)), 5, logs.Error, "connection refused by peer")
		s.wrote("quiet", s.ago(float64(m)), 50, logs.Info, "all is well")
	}
	s.evaluate()
	s.expect("errors shop: 3, 25", "refused shop: 5, 5")
}

func TestNothingComesFromAServiceAnyMore(t *testing.T) {
	s := newStation(t)
	s.rule("silent", "absence", rule.Params{"silent_minutes": 5.0})
	s.rule("no logs", "absence", rule.Params{"signal": "logs", "silent_minutes": 5.0})
	s.served("gone", "GET /", s.ago(8), 1, 0, time.Millisecond)
	s.served("here", "GET /", s.ago(3), 1, 0, time.Millisecond)
	s.wrote("mute", s.ago(10), 1, logs.Info, "the last words")
	s.even = false
	s.evaluate()
	s.expect()
	s.even, s.later = true, time.Minute // as the next minute ends it is asked again
	s.evaluate()
	for _, f := range s.fired {
		f.Window[0].Value = 5
	}
	s.expect("silent gone: 1, 5", "no logs mute: 1, 5")
}

func TestResourcesOfHostsAndRuntimesRunOut(t *testing.T) {
	s := newStation(t)
	at := func(v float64) func(int) float64 { return func(int) float64 { return v } }
	for kind, threshold := range map[string]float64{"host_cpu": 90, "host_memory": 90, "host_disk": 85, "jvm_heap": 90, "jvm_gc": 10, "thread_pool": 90, "connection_pool": 90} {
		s.rule(kind, kind, rule.Params{"threshold_percent": threshold}, func(r *rule.Rule) { r.Count, r.WindowMinutes = 3, 5 })
	}
	rate := func(perSecond float64) func(int) float64 {
		return func(m int) float64 { return float64(100-m) * 60 * perSecond }
	}
	s.sample(15, rate(0.05), "__name__", "system_cpu_time_seconds_total", "host_name", "db1", "state", "idle")
	s.sample(15, rate(0.95), "__name__", "system_cpu_time_seconds_total", "host_name", "db1", "state", "user")
	s.sample(15, at(95), "__name__", "system_memory_usage_bytes", "host_name", "db1", "state", "used")
	s.sample(15, at(5), "__name__", "system_memory_usage_bytes", "host_name", "db1", "state", "free")
	s.sample(15, at(90), "__name__", "system_filesystem_usage_bytes", "host_name", "db1", "device", "sda1", "mountpoint", "/", "type", "ext4", "state", "used")
	s.sample(15, at(10), "__name__", "system_filesystem_usage_bytes", "host_name", "db1", "device", "sda1", "mountpoint", "/", "type", "ext4", "state", "free")
	s.sample(15, at(95), "__name__", "jvm_memory_used_bytes", "service_name", "shop", "jvm_memory_type", "heap", "jvm_memory_pool_name", "old")
	s.sample(15, at(100), "__name__", "jvm_memory_limit_bytes", "service_name", "shop", "jvm_memory_type", "heap", "jvm_memory_pool_name", "old")
	s.sample(15, rate(0.2), "__name__", "jvm_gc_duration_seconds_sum", "service_name", "shop", "jvm_gc_name", "G1", "jvm_gc_action", "end of minor GC")
	s.sample(15, at(19), "__name__", "tomcat_threads_busy_threads", "job", "shop", "instance", "pod-1")
	s.sample(15, at(20), "__name__", "tomcat_threads_config_max_threads", "job", "shop", "instance", "pod-1")
	s.sample(15, at(10), "__name__", "db_client_connection_count", "service_name", "shop", "db_client_connection_pool_name", "main", "db_client_connection_state", "used")
	s.sample(15, at(10), "__name__", "db_client_connection_max", "service_name", "shop", "db_client_connection_pool_name", "main")
	s.evaluate()
	var got []string
	for key, f := range s.fired {
		if f.Met {
			got = append(got, fmt.Sprintf("%s %.0f%%", key, f.Window[0].Value))
		}
	}
	slices.Sort(got)
	want := []string{
		"connection_pool shop db_client_connection_pool_name=main 100%", "host_cpu host_name=db1 95%", "host_disk host_name=db1, mountpoint=/ 90%",
		"host_memory host_name=db1 95%", "jvm_gc shop 20%", "jvm_heap shop jvm_memory_type=heap 95%", "thread_pool shop instance=pod-1 95%",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("fired\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAnyExpressionIsARule(t *testing.T) {
	s := newStation(t)
	s.rule("above", "promql", rule.Params{"query": "queue_length", "op": "above", "threshold": 10.0})
	s.rule("below", "promql", rule.Params{"query": "queue_length", "op": "below", "threshold": 2.0})
	s.rule("any", "promql", rule.Params{"query": "queue_length > 10", "op": "any"}, func(r *rule.Rule) { r.Count, r.WindowMinutes = 3, 3 })
	s.rule("too much", "promql", rule.Params{"query": `label_replace(queue_length, "queue", "same", "", "")`, "op": "any"})
	s.sample(6, func(m int) float64 { return float64(20 - m) }, "__name__", "queue_length", "queue", "mail")
	s.sample(6, func(int) float64 { return 1 }, "__name__", "queue_length", "queue", "empty")
	s.evaluate()
	s.expect("above queue=mail: 1, 20", "below queue=empty: 1, 1", "any queue=mail: 3, 20")
	if len(s.failures) != 1 || !strings.HasPrefix(s.failures[0], "too much: ") {
		t.Errorf("failures %q, want that of the rule whose series are not told apart", s.failures)
	}
	for range 2 {
		s.evaluate() // first before the next minute is judged, then after it
		if len(s.failures) != 1 {
			t.Errorf("the same failure is told again: %q", s.failures)
		}
		s.later = time.Minute
	}
	rules, err := s.rules.List(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if (r.FailingSince != nil) != (r.Name == "too much") {
			t.Errorf("%s: failing since %v, %q", r.Name, r.FailingSince, r.Failure)
		}
	}
}

func TestASavedQueryFindsTooMuch(t *testing.T) {
	s := newStation(t)
	save := func(kind, query string) float64 {
		v, err := view.NewStore(s.db, s.clock).Create(t.Context(), 1, view.Author{ID: 1, Name: "kim"}, view.View{Kind: kind, Name: kind, Query: query})
		if err != nil {
			t.Fatal(err)
		}
		return float64(v.ID)
	}
	s.rule("slow ones", "saved_query", rule.Params{"view": save("transactions", "duration:>1s"), "threshold": 3.0, "over_minutes": 1.0}, once)
	s.rule("refused", "saved_query", rule.Params{"view": save("logs", "refused"), "threshold": 4.0, "over_minutes": 1.0}, once)
	s.rule("deleted", "saved_query", rule.Params{"view": 99.0})
	s.served("shop", "GET /", s.ago(3), 3, 0, 2*time.Second)
	s.served("fast", "GET /", s.ago(3), 30, 0, time.Millisecond)
	s.wrote("shop", s.ago(3), 4, logs.Info, "connection refused")
	s.evaluate()
	s.expect("slow ones shop: 1, 3", "refused shop: 1, 4")
	if len(s.failures) != 1 || !strings.Contains(s.failures[0], "does not exist any more") {
		t.Errorf("failures %q", s.failures)
	}
}
