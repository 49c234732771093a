package llm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// point mirrors the report schema the analyst answers in.
type point struct {
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

type fact struct {
	id, kind, text string
	step           string
	ms             string // the largest duration the fact states, as written
	cost           float64
}

var (
	factLine  = regexp.MustCompile(`(?m)^\[(E[0-9]+)\] ([a-z]+): (.*)$`)
	duration  = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?) ?ms\b`)
	stepName  = regexp.MustCompile(`(?i)\bstep ([0-9]+)`)
	endpoint  = regexp.MustCompile(`\b(GET|POST|PUT|DELETE|PATCH|HEAD) (/\S*)`)
	operation = regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE)\b`)
	tableList = regexp.MustCompile(`(?i)\b(?:on|tables?|into|from):? ([a-z_][\w$]*(?:\.[\w$]+)*(?:, [a-z_][\w$]*(?:\.[\w$]+)*)*)`)
)

// Analyst answers like a careful model: it reads the numbered facts of the
// user's message and composes a report in the schema out of their own words,
// keeping every token as it stands.
func Analyst(r Request) Reply {
	var facts []fact
	korean := true
	for _, m := range r.Messages {
		if m.Role == "system" {
			korean = strings.Contains(m.Content, "Korean")
			continue
		}
		if m.Role != "user" || len(facts) > 0 {
			continue
		}
		for _, line := range factLine.FindAllStringSubmatch(m.Content, -1) {
			facts = append(facts, readFact(line))
		}
	}
	if len(facts) == 0 {
		return Reply{Text: "I have received no facts."}
	}
	answer, err := json.Marshal(compose(facts, korean))
	if err != nil {
		return Reply{Status: 500}
	}
	return Reply{Text: string(answer)}
}

func readFact(line []string) fact {
	f := fact{id: line[1], kind: line[2], text: line[3]}
	if m := stepName.FindStringSubmatch(f.text); m != nil {
		f.step = m[1]
	}
	for _, m := range duration.FindAllStringSubmatch(f.text, -1) {
		if n, err := strconv.ParseFloat(m[1], 64); err == nil && n > f.cost {
			f.cost, f.ms = n, m[1]
		}
	}
	return f
}

func compose(facts []fact, korean bool) map[string]any {
	say := func(ko, en string, args ...any) string {
		if korean {
			return fmt.Sprintf(ko, args...)
		}
		return fmt.Sprintf(en, args...)
	}
	first := func(kind string) fact {
		for _, f := range facts {
			if f.kind == kind {
				return f
			}
		}
		return facts[0]
	}
	alarm, transaction := first("alarm"), first("transaction")
	summary := say("이번 알람은 MATRIX-APM에서 발생하였으며, 관련 요청의 응답시간이 기준을 초과하였습니다.", "This alarm came from MATRIX-APM: a request took longer than its threshold.")
	if transaction.ms != "" {
		summary = say("이번 알람은 MATRIX-APM에서 발생하였으며, 관련 요청의 응답시간은 %sms입니다.", "This alarm came from MATRIX-APM: the request took %s ms.", transaction.ms)
	}
	var lines []point
	if m := endpoint.FindStringSubmatch(transaction.text); m != nil {
		lines = append(lines, point{"URL: " + strings.TrimRight(m[2], ".,;:") + "<" + m[1] + ">", []string{transaction.id}})
	}
	lines = append(lines, point{say("총 응답시간: %sms", "Total time: %s ms", or(transaction.ms, alarm.ms)), []string{transaction.id}})

	causes := slices.DeleteFunc(slices.Clone(facts), func(f fact) bool {
		return f.ms == "" || !slices.Contains([]string{"statement", "call", "wait", "step"}, f.kind)
	})
	sort.SliceStable(causes, func(i, j int) bool { return causes[i].cost > causes[j].cost })
	causes = causes[:min(len(causes), 3)]
	var analysis, actions []point
	for _, f := range causes {
		analysis = append(analysis, point{explain(f, say), []string{f.id}})
	}
	if len(analysis) == 0 {
		analysis = []point{{say("증거에서 시간이 집중된 단계를 특정할 수 없습니다.", "The facts show no step in which the time was spent."), []string{transaction.id}}}
	} else if causes[0].kind == "statement" {
		actions = append(actions, point{say("해당 SQL 쿼리의 실행 계획(EXPLAIN)을 확인하여 인덱스 사용과 JOIN 순서를 점검해 주세요.", "Check the execution plan (EXPLAIN) of the statement for index use and join order."), []string{causes[0].id}})
	} else {
		actions = append(actions, point{say("해당 구간의 지연 원인을 담당자와 확인해 주세요.", "Check the cause of the delay with its owner."), []string{causes[0].id}})
	}
	actions = append(actions, point{say("DB와 인스턴스의 리소스 사용량을 함께 확인해 주세요.", "Check the resources of the database and the instances too."), []string{alarm.id}})
	return map[string]any{
		"summary": point{summary, slices.Compact([]string{alarm.id, transaction.id})}, "transaction": lines, "analysis": analysis, "actions": actions,
	}
}

func explain(f fact, say func(ko, en string, args ...any) string) string {
	where := say("해당 구간", "It")
	if f.step != "" {
		where = say("인덱스 %s", "Step %s", f.step)
	}
	switch f.kind {
	case "statement":
		verb, tables := "SQL", ""
		if m := operation.FindStringSubmatch(f.text); m != nil {
			verb = m[1]
		}
		if m := tableList.FindStringSubmatch(f.text); m != nil {
			tables = say(" (대상 테이블: %s)", " (tables: %s)", m[1])
		}
		return say("%s의 %s 쿼리%s에서 %sms가 소요되었습니다.", "%s ran a %s query%s that took %s ms.", where, verb, tables, f.ms)
	case "call":
		return say("%s의 외부 호출에서 %sms가 소요되었습니다.", "%s made a call that took %s ms.", where, f.ms)
	case "wait":
		return say("%s에서 %sms 동안 대기하였습니다.", "%s waited for %s ms.", where, f.ms)
	}
	return say("%s에서 %sms가 소요되었습니다.", "%s took %s ms.", where, f.ms)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
