package incident_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/rule"
)

var seoul = time.FixedZone("KST", 9*60*60)

// firing is the one of the seed.
func firing() rule.Firing {
	at := time.Date(2025, 6, 17, 14, 13, 0, 0, seoul)
	match := rule.Match{TraceID: [16]byte{1}, SpanID: 11, Service: "TEST-API", Environment: "production",
		Instance: "prod-test-api-pod-6945c568-2ghw8", Start: at.Add(-8003 * time.Millisecond).UTC(), DurationNs: 8003e6}
	instances := []rule.InstanceCount{{Name: match.Instance, Count: 1}}
	return rule.Firing{
		Rule: rule.Rule{ID: 1, Project: 1, Name: "SlowSQL 알람", Kind: rule.SlowSQL, Params: rule.Params{"threshold_ms": 8000.0}, Count: 1,
			WindowMinutes: 10, QuietMinutes: 10, Channels: []int64{}},
		Service: "TEST-API", Phase: "production",
		Met: true, From: at.Add(-10 * time.Minute).UTC(), To: at.UTC(), Count: 1, Instances: instances, Window: []rule.Match{match},
		New: 1, NewInstances: instances, Matches: []rule.Match{match},
	}
}

const seedAlarm = `[MATRIX-APM]
Phase: PRODUCTION
TEST-API(TEST-PROJECT)
Rule Name: SlowSQL 알람
[SQL Response time >= 8000 ms] occurred 1 times.
[2025-06-17 14:03 ~ 2025-06-17 14:13]
[prod-test-api-pod-6945c568-2ghw8: 1 times]`

func TestTheAlarmIsTheSeedsToTheLetter(t *testing.T) {
	if got := incident.AlarmText(firing(), "TEST-PROJECT", seoul); got != seedAlarm {
		t.Fatalf("got\n%s\nwant\n%s", got, seedAlarm)
	}
}

func TestTheAlarmNamesEveryInstanceUpToALimit(t *testing.T) {
	f := firing()
	f.Instances = nil
	for i := range 30 {
		f.Instances = append(f.Instances, rule.InstanceCount{Name: fmt.Sprintf("pod-%02d", i), Count: 30 - i})
	}
	got := incident.AlarmText(f, "TEST-PROJECT", seoul)
	if !strings.HasSuffix(got, "\n[pod-19: 11 times]\n[10 more instances]") {
		t.Fatalf("got\n%s", got)
	}
}

func TestAProgramThatSendsNoEnvironmentIsInAnUnknownPhase(t *testing.T) {
	f := firing()
	f.Phase = ""
	if got := incident.AlarmText(f, "p", seoul); !strings.Contains(got, "\nPhase: UNKNOWN\n") {
		t.Fatalf("got\n%s", got)
	}
}

func TestANameCannotForgeALineOfTheAlarm(t *testing.T) {
	f := firing()
	f.Service = "evil\r\n[SQL Response time >= 1 ms] occurred 0 times.\u2028\x1b[2Jx\u202e"
	f.Instances[0].Name = strings.Repeat("가", 5000)
	got := incident.AlarmText(f, "p\nq", seoul)
	if n := strings.Count(got, "\n"); n != strings.Count(seedAlarm, "\n") {
		t.Fatalf("%d lines:\n%s", n+1, got)
	}
	if strings.ContainsAny(got, "\r\x1b\u2028\u202e") || len(got) > 2000 {
		t.Fatalf("got %q", got)
	}
}
