// Package report is the incident report: its schema, the strict reading of a
// model's answer, the report written from the evidence alone, and its text.
//
// It owns the format ([요약] [트랜잭션] [프로파일 분석] [조치 방안]), which cannot
// break: whatever a model says, either Parse accepts it or Deterministic writes
// the report. It asks no model and stores nothing; package incident does.
package report

import (
	"fmt"
	"strings"
	"time"
)

// The languages of a report.
const (
	Korean  = "ko"
	English = "en"
)

// Who wrote a report.
const (
	ByModel = "model"
	ByRules = "rules"
)

// Why a report was written without a model.
const (
	NoModel       = "no_model"       // none is configured
	ModelFailed   = "model_failed"   // no model of the chain gave a valid answer
	RateLimited   = "rate_limited"   // the role was asked too often
	MaskingFailed = "masking_failed" // the evidence could not be masked, so it was not sent
)

// Point is one statement of a report with the ids of the facts it stands on.
type Point struct {
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

// Report is what people read about an incident.
type Report struct {
	Language    string    `json:"language"` // ko, en
	Source      string    `json:"source"`   // model, rules
	Reason      string    `json:"reason"`   // why there was no model, "" when there was
	Role        string    `json:"role"`
	RoleVersion int       `json:"role_version"`
	Provider    string    `json:"provider"`
	Model       string    `json:"model"`
	CallID      string    `json:"call_id"`
	Confidence  string    `json:"confidence" enum:"high,medium,low,unknown" doc:"how far the facts carry a cause, computed from them; empty in reports of before"`
	Summary     Point     `json:"summary"`
	Transaction []Point   `json:"transaction"` // 1 to 6
	Analysis    []Point   `json:"analysis"`    // 1 to 3
	Actions     []Point   `json:"actions"`     // 1 to 3
	CreatedAt   time.Time `json:"created_at"`
}

type headings struct{ summary, transaction, analysis, actions, link string }

var headingsOf = map[string]headings{
	Korean:  {"[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "상세 보기"},
	English: {"[Summary]", "[Transaction]", "[Profile analysis]", "[Actions]", "Details"},
}

var labels = map[string]map[string]string{
	Korean: {
		"":            "※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다.",
		NoModel:       "※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (설정된 모델 없음)",
		ModelFailed:   "※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (모델이 유효한 답변을 주지 못함)",
		RateLimited:   "※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (요청 제한 간격 이내의 호출)",
		MaskingFailed: "※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (민감 데이터 치환 실패로 전송하지 않음)",
	},
	English: {
		"":            "Note: this report was written from the evidence alone, without an AI model.",
		NoModel:       "Note: this report was written from the evidence alone, without an AI model (none is configured).",
		ModelFailed:   "Note: this report was written from the evidence alone, without an AI model (no model gave a valid answer).",
		RateLimited:   "Note: this report was written from the evidence alone, without an AI model (the role was asked too often).",
		MaskingFailed: "Note: this report was written from the evidence alone, without an AI model (masking failed, so nothing was sent).",
	},
}

// Label says in the report's language that it was written without a model; ""
// when a model wrote it.
func (r *Report) Label() string {
	if r.Source == ByModel {
		return ""
	}
	byReason := labels[language(r.Language)]
	if label, ok := byReason[r.Reason]; ok {
		return label
	}
	return byReason[""]
}

// Text writes the report in its fixed format of four sections, in the words of
// the report's language. A report without a model ends with its label, and a
// link, when given, is the last line.
func (r *Report) Text(link string) string {
	h := headingsOf[language(r.Language)]
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n%s\n\n%s\n", h.summary, r.Summary.Text, h.transaction)
	for _, p := range r.Transaction {
		fmt.Fprintf(&out, "- %s\n", p.Text)
	}
	fmt.Fprintf(&out, "\n%s\n", h.analysis)
	for i, p := range r.Analysis {
		fmt.Fprintf(&out, "%d. %s\n", i+1, p.Text)
	}
	fmt.Fprintf(&out, "\n%s\n", h.actions)
	for i, p := range r.Actions {
		fmt.Fprintf(&out, "%d. %s\n", i+1, p.Text)
	}
	if label := r.Label(); label != "" {
		fmt.Fprintf(&out, "\n%s\n", label)
	}
	if link != "" {
		fmt.Fprintf(&out, "\n%s: %s\n", h.link, link)
	}
	return strings.TrimRight(out.String(), "\n")
}

func language(code string) string {
	if code == English {
		return English
	}
	return Korean
}
