package rule

import (
	"maps"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Template is a set of rules that a kind of application usually wants.
type Template struct {
	Name string `json:"name" doc:"web, java, batch, database, hosts"`
	// Scoped says that it is applied to a service.
	Scoped bool           `json:"scoped"`
	Rules  []TemplateRule `json:"rules"`
}

// TemplateRule is one rule of a template.
type TemplateRule struct {
	Titles map[string]string `json:"titles" doc:"what it is called, by language: en and ko"`
	Rule   Rule              `json:"rule" doc:"without a name and a service"`
}

// Languages are those in which templates name their rules.
var Languages = []string{"en", "ko"}

// recipe is a rule of a template as it differs from what its kind begins with.
type recipe struct {
	en, ko   string
	kind     string
	params   Params
	severity string
	count    int
	window   int
}

// cookbook is what each template is made of.
var cookbook = []struct {
	name    string
	scoped  bool
	recipes []recipe
}{
	{name: "web", scoped: true, recipes: []recipe{
		{en: "Slow responses", ko: "느린 응답", kind: "response_time", params: Params{"threshold_ms": 1000.0, "calm_ms": 800.0}},
		{en: "Very slow responses", ko: "매우 느린 응답", kind: "response_time", params: Params{"quantile": "p95", "threshold_ms": 3000.0, "calm_ms": 2000.0}, severity: Critical},
		{en: "Failing requests", ko: "요청 실패", kind: "error_rate", params: Params{"threshold_percent": 5.0, "calm_percent": 2.0}},
		{en: "Requests drop", ko: "요청 급감", kind: "throughput", params: Params{"direction": "drop", "percent": 60.0}},
		{en: "Error budget of 99.9%", ko: "가용성 99.9% 오류 예산", kind: "slo_burn", params: Params{"objective_percent": 99.9}},
		{en: "Slow calls to others", ko: "느린 외부 호출", kind: "slow_external_call"},
		{en: "Failing calls to others", ko: "외부 호출 실패", kind: "failed_external_call"},
		{en: "New errors", ko: "새 오류", kind: "issue", params: Params{"event": "any"}},
	}},
	{name: "java", scoped: true, recipes: []recipe{
		{en: "Heap nearly full", ko: "힙 부족", kind: "jvm_heap", params: Params{"threshold_percent": 90.0, "calm_percent": 80.0}, severity: Critical},
		{en: "Much garbage collection", ko: "잦은 GC", kind: "jvm_gc"},
		{en: "Threads used up", ko: "스레드 풀 부족", kind: "thread_pool"},
		{en: "Connections used up", ko: "커넥션 풀 부족", kind: "connection_pool"},
		{en: "Java errors", ko: "Java 오류(Error)", kind: "exception", params: Params{"type": `(OutOfMemoryError|StackOverflowError|NoClassDefFoundError)$`}, severity: Critical, count: 1, window: 5},
		{en: "Slow SQL", ko: "느린 SQL", kind: SlowSQL},
		{en: "Slow responses", ko: "느린 응답", kind: "response_time", params: Params{"threshold_ms": 1000.0, "calm_ms": 800.0}},
		{en: "Failing requests", ko: "요청 실패", kind: "error_rate", params: Params{"threshold_percent": 5.0, "calm_percent": 2.0}},
	}},
	{name: "batch", scoped: true, recipes: []recipe{
		{en: "Failing runs", ko: "작업 실패", kind: "error_rate", params: Params{"threshold_percent": 1.0, "min_calls": 1.0, "over_minutes": 15.0}, count: 1, window: 5},
		{en: "Works much slower than usual", ko: "평소보다 느린 작업", kind: "response_time", params: Params{"quantile": "p90", "threshold_ms": 60_000.0, "times_usual": 3.0, "min_calls": 1.0, "over_minutes": 30.0}},
		{en: "Works less than usual", ko: "평소보다 적은 작업", kind: "throughput", params: Params{"direction": "drop", "percent": 80.0, "over_minutes": 30.0}},
		{en: "Exceptions", ko: "예외", kind: "exception"},
		{en: "New errors", ko: "새 오류", kind: "issue", params: Params{"event": "any"}},
		{en: "SQL of more than a minute", ko: "1분 넘는 SQL", kind: SlowSQL, params: Params{"threshold_ms": 60_000.0}},
	}},
	{name: "database", scoped: true, recipes: []recipe{
		{en: "Slow SQL", ko: "느린 SQL", kind: SlowSQL, params: Params{"threshold_ms": 3000.0}, count: 3, window: 10},
		{en: "Very slow SQL", ko: "매우 느린 SQL", kind: SlowSQL, params: Params{"threshold_ms": 10_000.0}, severity: Critical},
		{en: "Slow connections", ko: "느린 DB 연결", kind: "slow_connection"},
		{en: "Connections used up", ko: "커넥션 풀 부족", kind: "connection_pool"},
		{en: "Many SQL calls in a transaction", ko: "과다한 SQL 호출", kind: "many_sql"},
		{en: "Repeated SQL (N+1)", ko: "반복되는 SQL(N+1)", kind: "repeated_sql"},
	}},
	{name: "hosts", recipes: []recipe{
		{en: "CPU busy", ko: "CPU 과부하", kind: "host_cpu", params: Params{"threshold_percent": 90.0, "calm_percent": 80.0}, count: 10, window: 10},
		{en: "Memory nearly used up", ko: "메모리 부족", kind: "host_memory", params: Params{"threshold_percent": 90.0, "calm_percent": 85.0}},
		{en: "Disk filling up", ko: "디스크 사용량 증가", kind: "host_disk", params: Params{"threshold_percent": 85.0, "calm_percent": 80.0}},
		{en: "Disk nearly full", ko: "디스크 부족", kind: "host_disk", params: Params{"threshold_percent": 95.0, "calm_percent": 90.0}, severity: Critical},
	}},
}

// Templates returns all templates.
func Templates() []Template {
	var all []Template
	for _, of := range cookbook {
		t := Template{Name: of.name, Scoped: of.scoped, Rules: []TemplateRule{}}
		for _, each := range of.recipes {
			t.Rules = append(t.Rules, TemplateRule{Titles: map[string]string{"en": each.en, "ko": each.ko}, Rule: each.rule()})
		}
		all = append(all, t)
	}
	return all
}

// rule is what the kind begins with, and on it what the recipe says.
func (c recipe) rule() Rule {
	kind := kindOf(c.kind)
	r := Rule{
		Kind: kind.Name, Enabled: true, Params: Params{}, Count: kind.Count, WindowMinutes: kind.WindowMinutes, QuietMinutes: kind.QuietMinutes,
		Channels: []int64{}, Severity: kind.Severity, Labels: Labels{}, Mutes: []Mute{},
	}
	for _, p := range kind.Params {
		if p.Default != nil {
			r.Params[p.Name] = p.Default
		}
	}
	maps.Copy(r.Params, c.params)
	if c.severity != "" {
		r.Severity = c.severity
	}
	if c.count > 0 {
		r.Count, r.WindowMinutes = c.count, c.window
	}
	return r
}

// For is where a template is applied.
type For struct {
	Service, Environment string
	Language             string // of the names: one of Languages
	Channels             []int64
}

// From returns the rules of a template for a place.
func From(name string, place For) ([]Rule, error) {
	all := Templates()
	i := slices.IndexFunc(all, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "there is no template %q", name)
	}
	if !slices.Contains(Languages, place.Language) {
		return nil, fault.New(fault.Invalid, "language must be one of %s, not %q", strings.Join(Languages, ", "), place.Language).WithField("language")
	}
	place.Service, place.Environment = strings.TrimSpace(place.Service), strings.TrimSpace(place.Environment)
	var rules []Rule
	for _, each := range all[i].Rules {
		r := each.Rule
		r.Name = each.Titles[place.Language]
		if kindOf(r.Kind).Scoped {
			r.Service, r.Environment = place.Service, place.Environment
			if at := strings.Trim(place.Service+" "+place.Environment, " "); at != "" {
				r.Name = shorten(at, maxNameLength-len(r.Name)-2) + ": " + r.Name
			}
		}
		r.Channels = append([]int64{}, place.Channels...)
		rules = append(rules, r)
	}
	return rules, nil
}
