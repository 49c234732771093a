package issue

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestAResolvedIssueComesBackOnlyInAVersionNotOlder(t *testing.T) {
	first := map[string]time.Time{"blue": noon.Add(-48 * time.Hour), "green": noon.Add(-time.Hour), "red": noon.Add(time.Hour)}
	firstSeen := func(v string) (time.Time, bool) { at, ok := first[v]; return at, ok }
	f := func(state State, resolvedIn, version string, after time.Duration, want bool) {
		t.Helper()
		i := Issue{State: state, StateSince: noon, ResolvedVersion: resolvedIn}
		seen := []seenIn{{version, noon.Add(after - time.Second), noon.Add(after)}}
		if _, got := i.regressedIn(seen, firstSeen); got != want {
			t.Errorf("%s in %q, seen in %q %s later: regressed %v", state, resolvedIn, version, after, got)
		}
	}
	f(Resolved, "", "1.0", time.Minute, true)
	f(Resolved, "", "", time.Minute, true)
	f(Resolved, "", "1.0", 0, false)
	f(Resolved, "", "1.0", -time.Minute, false)
	f(Resolved, "1.2.0", "1.1.9", time.Minute, false)
	f(Resolved, "1.2.0", "1.2.0", time.Minute, true)
	f(Resolved, "1.2.0", "v1.10.0", time.Minute, true)
	f(Resolved, "1.2.0", "1.2.0-rc.1", time.Minute, false)
	f(Resolved, "1.2.0", "", time.Minute, true)
	f(Resolved, "green", "blue", time.Minute, false)
	f(Resolved, "green", "red", time.Minute, true)
	f(Resolved, "green", "unseen", time.Minute, true)
	f(Resolved, "next", "blue", time.Minute, false)
	f(Resolved, "next", "green", time.Minute, false)
	f(Resolved, "next", "red", 2*time.Hour, true)
	for _, state := range []State{New, Ongoing, Regressed, Ignored} {
		f(state, "", "1.0", time.Minute, false)
	}
}

func TestVersionsAreOrderedAsTheirNumbersSay(t *testing.T) {
	f := func(a, b string, want int, wantOK bool) {
		t.Helper()
		got, ok := compareVersions(a, b)
		if ok != wantOK || got != want {
			t.Errorf("%s and %s: %d %v, want %d %v", a, b, got, ok, want, wantOK)
		}
	}
	f("1.2", "1.10", -1, true)
	f("v2.0.0", "2", 0, true)
	f("2024.11.05", "2024.9.30", 1, true)
	f("1.0.0-rc.2", "1.0.0-rc.10", -1, true)
	f("1.0.0-alpha", "1.0.0-1", 1, true)
	f("1.0.0-rc", "1.0.0-rc.1", -1, true)
	f("1.0.0+7", "1.0.0+9", 0, true)
	f("1.0", "main", 0, false)
	f("12345678", "87654321", 0, false) // commits
	f("", "1", 0, false)
}

func TestTimeAloneEndsAState(t *testing.T) {
	past, future := noon.Add(-time.Minute), noon.Add(time.Minute)
	f := func(i Issue, want State) {
		t.Helper()
		state := i.State
		if next, ok := i.expired(noon); ok {
			state = next
		}
		if state != want {
			t.Errorf("%+v is %s, want %s", i, state, want)
		}
	}
	f(Issue{State: New, StateSince: noon.Add(-newFor + time.Second)}, New)
	f(Issue{State: New, StateSince: noon.Add(-newFor)}, Ongoing)
	f(Issue{State: Regressed, StateSince: noon.Add(-newFor)}, Ongoing)
	f(Issue{State: Ignored, StateSince: noon.Add(-1000 * time.Hour)}, Ignored)
	f(Issue{State: Ignored, IgnoredUntil: &future}, Ignored)
	f(Issue{State: Ignored, IgnoredUntil: &past}, Ongoing)
	f(Issue{State: Resolved, StateSince: noon.Add(-1000 * time.Hour)}, Resolved)
}
