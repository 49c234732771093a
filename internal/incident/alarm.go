package incident

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/matrix-aiops/matrix/internal/rule"
)

const (
	alarmInstances = 20  // lines; more than that nobody reads in a message
	alarmName      = 200 // characters of a name in an alarm
)

// unknownPhase stands for a missing deployment environment. An empty line would
// look like a broken message.
const unknownPhase = "UNKNOWN"

// alarmText is the plain alarm, line by line the one MATRIX users know. It is
// the same in every language.
func alarmText(f rule.Firing, projectName string, zone *time.Location) string {
	var b strings.Builder
	b.WriteString("[MATRIX-APM]\n")
	fmt.Fprintf(&b, "Phase: %s\n", phaseName(f.Phase))
	fmt.Fprintf(&b, "%s(%s)\n", oneLine(cmp.Or(f.Service, f.Subject, "-")), oneLine(projectName))
	fmt.Fprintf(&b, "Rule Name: %s\n", oneLine(f.Rule.Name))
	if f.Subject != "" {
		fmt.Fprintf(&b, "Subject: %s\n", oneLine(f.Subject))
	}
	b.WriteString(occurred(f) + "\n")
	const minute = "2006-01-02 15:04"
	fmt.Fprintf(&b, "[%s ~ %s]", f.From.In(zone).Format(minute), f.To.In(zone).Format(minute))
	for i, instance := range f.Instances {
		if instance.Name == "" && f.Rule.Minutes() {
			continue // a measure of the service as a whole
		}
		if i == alarmInstances {
			fmt.Fprintf(&b, "\n[%d more instances]", len(f.Instances)-i)
			break
		}
		fmt.Fprintf(&b, "\n[%s: %d times]", oneLine(instance.Name), instance.Count)
	}
	if f.Rule.Runbook != "" {
		fmt.Fprintf(&b, "\nRunbook: %s", f.Rule.Runbook)
	}
	return b.String()
}

// occurred says what happened and how often.
func occurred(f rule.Firing) string {
	condition := f.Rule.Condition()
	text := fmt.Sprintf("[%s] occurred %d times.", oneLine(condition.String()), f.Count)
	if !f.Rule.Minutes() {
		return text
	}
	text = fmt.Sprintf("[%s] in %d of %d minutes", oneLine(condition.String()), f.Count, f.Rule.WindowMinutes)
	if len(f.Window) > 0 && condition.Op != "" {
		worst := f.Window[0]
		text += ", " + f.Rule.Measured(worst.Value) + " at worst"
		if worst.Usual != nil {
			text += ", usually " + f.Rule.Measured(*worst.Usual)
		}
	}
	return text + "."
}

func phaseName(phase string) string {
	if phase = strings.ToUpper(oneLine(phase)); phase != "" {
		return phase
	}
	return unknownPhase
}

// oneLine makes a name that a monitored program chose fit for a line: it cannot
// add lines of its own.
func oneLine(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || !unicode.IsPrint(r)
	}), " ")
	if r := []rune(name); len(r) > alarmName {
		return string(r[:alarmName]) + "…"
	}
	return name
}
