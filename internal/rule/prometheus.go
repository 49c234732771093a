package rule

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// promQLKind is the kind that rules of Prometheus become.
const promQLKind = "promql"

// Limits of a file of rules.
const (
	maxRuleFile   = 768 << 10 // bytes
	maxFileRules  = 2000
	maxFileFaults = 100
)

// FileRule is one rule of a Prometheus rule file: what is made of it, or why
// nothing is.
type FileRule struct {
	Line  int    `json:"line" doc:"where it begins in the file"`
	Group string `json:"group"`
	Name  string `json:"name" doc:"of the alert, or of the series a recording rule writes"`
	// Left says why no rule is made of it.
	Left  string     `json:"left,omitempty" enum:"recording,long_for,long_query,always,twice,exists" doc:"why nothing is made of it: a recording rule; it must hold for more than a day; its expression is too long; it fires always, to show that Prometheus lives; it is in the file twice; the project has a rule of the name"`
	Notes []FileNote `json:"notes" doc:"what is not quite as in the file"`
	Rule  Rule       `json:"rule" doc:"what is made of it; empty when it is left out"`
}

// FileNote is something that is not quite as in the file.
type FileNote struct {
	What  string `json:"what" enum:"template,label,severity,rounded,runbook" doc:"template: a label whose value is worked out per alert is left out; label: one that cannot be kept is; severity: its word is not known, so it is a warning; rounded: the time is rounded to whole minutes; runbook: the address is worked out per alert or is none, so it is left out"`
	About string `json:"about"`
}

// FileFault is what is wrong with a rule file.
type FileFault struct {
	Line    int    `json:"line" doc:"0 when it is about the whole file"`
	Message string `json:"message"`
}

// ReadPrometheus reads a file of Prometheus rules, or the PrometheusRule resource
// of a Kubernetes cluster that holds one. Every alerting rule becomes a rule of
// kind promql that counts minutes in which its expression yields a series: "for"
// is how many in a row. A file with faults yields no rules.
func ReadPrometheus(content []byte) ([]FileRule, []FileFault, error) {
	if len(content) > maxRuleFile {
		return nil, nil, fault.New(fault.TooLarge, "a rule file has at most %d KiB", maxRuleFile>>10).WithField("text")
	}
	content, faults := documentOf(content)
	if len(faults) > 0 {
		return nil, faults, nil
	}
	groups, errs := rulefmt.Parse(content, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	lines := linesOf(content)
	if len(errs) > 0 {
		for _, err := range errs {
			faults = append(faults, faultsOf(err, lines)...)
		}
		slices.SortStableFunc(faults, func(a, b FileFault) int { return cmp.Compare(a.Line, b.Line) })
		return nil, faults[:min(len(faults), maxFileFaults)], nil
	}
	var rules []FileRule
	for g, group := range groups.Groups {
		for i := range group.Rules {
			if len(rules) == maxFileRules {
				return nil, []FileFault{{Line: lines.at(g, i), Message: fmt.Sprintf("there are more than %d rules", maxFileRules)}}, nil
			}
			of := ruleOf(&group, &group.Rules[i])
			of.Line = lines.at(g, i)
			rules = append(rules, of)
		}
	}
	if len(rules) == 0 {
		return nil, []FileFault{{Message: "there are no rules in it: a rule file has groups, and each of them rules"}}, nil
	}
	tellApart(rules)
	return rules, nil, nil
}

// documentOf returns the document that has the groups: the file, or what a
// PrometheusRule resource has as its spec, on the same lines.
func documentOf(content []byte) ([]byte, []FileFault) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, []FileFault{{Message: "the file is empty"}}
		}
		return nil, faultsOf(err, nil)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, faultsOf(err, nil)
		}
		return nil, []FileFault{{Line: second.Line, Message: "there is a second document: import each by itself"}}
	}
	top := first.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, []FileFault{{Line: top.Line, Message: "this is no rule file: it begins with groups"}}
	}
	var kind, spec, after *yaml.Node
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		switch {
		case spec != nil && after == nil:
			after = key
		case key.Value == "spec":
			spec = value
		}
		if key.Value == "kind" {
			kind = value
		}
	}
	if kind == nil || kind.Value != "PrometheusRule" {
		return content, nil
	}
	if spec == nil || spec.Kind != yaml.MappingNode || spec.Style&yaml.FlowStyle != 0 {
		return nil, []FileFault{{Line: top.Line, Message: "the PrometheusRule has no spec with groups"}}
	}
	rows := bytes.SplitAfter(content, []byte("\n"))
	end := len(rows)
	if after != nil {
		end = after.Line - 1
	}
	cut := bytes.Repeat([]byte("\n"), spec.Line-1)
	return append(cut, bytes.Join(rows[spec.Line-1:end], nil)...), nil
}

// groupLines are the lines on which the rules of a group begin.
type groupLines struct {
	name  string
	rules []int
}

type fileLines []groupLines

func (l fileLines) at(group, rule int) int {
	if group >= len(l) || rule >= len(l[group].rules) {
		return 0
	}
	return l[group].rules[rule]
}

// linesOf returns where the rules of a file are; nothing for what cannot be read.
func linesOf(content []byte) fileLines {
	var file struct {
		Groups []struct {
			Name  string      `yaml:"name"`
			Rules []yaml.Node `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil // rulefmt reports it
	}
	var lines fileLines
	for _, g := range file.Groups {
		at := groupLines{name: g.Name}
		for i := range g.Rules {
			at.rules = append(at.rules, g.Rules[i].Line)
		}
		lines = append(lines, at)
	}
	return lines
}

var (
	placeBefore = regexp.MustCompile(`^(\d+):\d+: (?:\d+:\d+: )?`)
	lineWithin  = regexp.MustCompile(`line (\d+): `)
)

// faultsOf turns an error of a parser into faults with their lines.
func faultsOf(err error, lines fileLines) []FileFault {
	var several *yaml.TypeError
	if errors.As(err, &several) {
		var faults []FileFault
		for _, each := range several.Errors {
			faults = append(faults, faultOf(each))
		}
		return faults
	}
	f := faultOf(err.Error())
	var semantic *rulefmt.Error
	if f.Line == 0 && errors.As(err, &semantic) {
		// The parser knows the place of labels and annotations only by group and rule.
		group := slices.IndexFunc(lines, func(g groupLines) bool { return g.name == semantic.Group })
		f.Line = lines.at(max(group, 0), semantic.Rule-1)
	}
	return []FileFault{f}
}

// faultOf takes the line out of a message.
func faultOf(message string) FileFault {
	message = strings.TrimPrefix(message, "yaml: ")
	if found := placeBefore.FindStringSubmatch(message); found != nil {
		line, _ := strconv.Atoi(found[1])
		return FileFault{Line: line, Message: message[len(found[0]):]}
	}
	if found := lineWithin.FindStringSubmatchIndex(message); found != nil {
		line, _ := strconv.Atoi(message[found[2]:found[3]])
		return FileFault{Line: line, Message: message[:found[0]] + message[found[1]:]}
	}
	return FileFault{Message: message}
}

// ruleOf makes a rule of a rule of Prometheus.
func ruleOf(group *rulefmt.RuleGroup, r *rulefmt.Rule) FileRule {
	of := FileRule{Group: group.Name, Name: cmp.Or(r.Alert, r.Record), Notes: []FileNote{}}
	if r.Alert == "" {
		of.Left = "recording"
		return of
	}
	held, rounded := wholeMinutes(time.Duration(r.For))
	if rounded {
		of.note("rounded", "for: "+r.For.String())
	}
	if held > maxMinutes {
		of.Left = "long_for"
		return of
	}
	query := strings.TrimSpace(r.Expr)
	switch {
	case len(query) > maxParam:
		of.Left = "long_query"
		return of
	case query == "vector(1)":
		of.Left = "always"
		return of
	}
	quiet, _ := wholeMinutes(time.Duration(r.KeepFiringFor))
	kind := kindOf(promQLKind)
	of.Rule = Rule{
		Kind: promQLKind, Enabled: true, Params: Params{"query": query, "op": "any"},
		Count: max(held, 1), WindowMinutes: max(held, 1), QuietMinutes: min(max(quiet, kind.QuietMinutes), maxMinutes),
		Channels: []int64{}, Mutes: []Mute{}, Labels: Labels{},
	}
	said := maps.Clone(group.Labels)
	if said == nil {
		said = map[string]string{}
	}
	maps.Copy(said, r.Labels)
	of.Rule.Severity = of.severity(said["severity"])
	of.keep(said)
	of.Rule.Owner = shorten(cmp.Or(of.Rule.Labels["owner"], of.Rule.Labels["team"]), maxOwner)
	if link := cmp.Or(r.Annotations["runbook_url"], r.Annotations["runbook"]); link != "" {
		if !isTemplate(link) && isLink(link) {
			of.Rule.Runbook = link
		} else {
			of.note("runbook", link)
		}
	}
	of.Rule.Name = ruleName(r)
	return of
}

func (f *FileRule) note(what, about string) {
	f.Notes = append(f.Notes, FileNote{What: what, About: shorten(about, 200)})
}

// severities are the words for severities that rule files use.
var severities = map[string]string{
	"critical": Critical, "page": Critical, "error": Critical, "high": Critical, "emergency": Critical, "fatal": Critical, "p1": Critical,
	"warning": Warning, "warn": Warning, "medium": Warning, "major": Warning, "ticket": Warning, "p2": Warning, "": Warning,
	"info": Info, "information": Info, "informational": Info, "notice": Info, "low": Info, "minor": Info, "none": Info, "p3": Info,
}

// SeverityOf returns the severity that other systems mean by a word; Warning when
// nobody knows it.
func SeverityOf(word string) string { return cmp.Or(severities[strings.ToLower(word)], Warning) }

func (f *FileRule) severity(word string) string {
	if severities[strings.ToLower(word)] == "" {
		f.note("severity", word)
	}
	return SeverityOf(word)
}

// keep takes over the labels that a rule can have.
func (f *FileRule) keep(labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		switch one := (Labels{name: value}); {
		case name == "severity" && severities[strings.ToLower(value)] != "":
		case isTemplate(value):
			f.note("template", name)
		case one.check() != nil || len(f.Rule.Labels) == maxLabels:
			f.note("label", name)
		default:
			f.Rule.Labels[name] = value
		}
	}
}

// isTemplate reports whether Prometheus works out a text anew for each alert.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// ruleName is the alert with its summary, where that is the same for all it fires for.
func ruleName(r *rulefmt.Rule) string {
	summary := strings.TrimSpace(r.Annotations["summary"])
	alert := strings.Join(strings.Fields(r.Alert), " ")
	if name := alert + ": " + summary; summary != "" && !isTemplate(summary) && !strings.ContainsAny(summary, "\r\n") && utf8.RuneCountInString(name) <= maxNameLength {
		return name
	}
	return shorten(alert, maxNameLength)
}

// tellApart gives rules of one name different ones: files often have an alert
// once per severity. What is in a file twice is made once.
func tellApart(rules []FileRule) {
	same := map[string][]*FileRule{}
	for i := range rules {
		if rules[i].Left == "" {
			same[rules[i].Rule.Name] = append(same[rules[i].Rule.Name], &rules[i])
		}
	}
	for name, each := range same {
		var kept []*FileRule
		for _, f := range each {
			if slices.ContainsFunc(kept, func(other *FileRule) bool { return alike(&other.Rule, &f.Rule) }) {
				f.Left, f.Rule = "twice", Rule{}
			} else {
				kept = append(kept, f)
			}
		}
		if len(kept) == 1 {
			continue
		}
		taken := map[string]int{}
		for _, f := range kept {
			end := " (" + f.Rule.Severity + ")"
			if taken[f.Rule.Severity]++; taken[f.Rule.Severity] > 1 {
				end = fmt.Sprintf(" (%s %d)", f.Rule.Severity, taken[f.Rule.Severity])
			}
			f.Rule.Name = shorten(name, maxNameLength-len(end)) + end
		}
	}
}

// alike reports whether two rules of a name would tell the same.
func alike(a, b *Rule) bool {
	return a.sameCondition(b) && a.Count == b.Count && a.Severity == b.Severity
}

// wholeMinutes rounds up to whole minutes, and reports whether it did.
func wholeMinutes(d time.Duration) (int, bool) {
	minutes := int((d + time.Minute - 1) / time.Minute)
	return minutes, d%time.Minute != 0
}

// shorten cuts a text to so many characters.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// MarkTaken leaves out the rules whose name is taken.
func MarkTaken(rules []FileRule, taken map[string]bool) {
	for i := range rules {
		if rules[i].Left == "" && taken[rules[i].Rule.Name] {
			rules[i].Left = "exists"
		}
	}
}

// Wanted returns the rules to make of a file.
func Wanted(file []FileRule) []Rule {
	var rules []Rule
	for i := range file {
		if file[i].Left == "" {
			rules = append(rules, file[i].Rule)
		}
	}
	return rules
}
