package issue

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// State is where the work on an issue stands.
type State string

// The states. Those of the first three are open: nobody has dealt with them.
const (
	New       State = "new"       // seen for the first time within newFor
	Ongoing   State = "ongoing"   // known and open
	Regressed State = "regressed" // came back after it was resolved, within newFor
	Resolved  State = "resolved"  // mended, at once or in a version
	Ignored   State = "ignored"   // for ever, until a time, or for so many occurrences more
)

// States are all of them, in the order they are shown.
var States = []State{New, Regressed, Ongoing, Resolved, Ignored}

// newFor is how long a new or regressed issue stands out.
const newFor = 7 * 24 * time.Hour

// seenIn is when an issue was seen in one version, among what arrived last.
type seenIn struct {
	version     string
	first, last time.Time
}

// regressedIn returns the version in which a resolved issue came back. An issue
// that was resolved in a version comes back only in one that is not older;
// firstSeen tells when a version was first seen in the project, for versions whose
// names do not tell their order. What does not name its version counts.
func (i *Issue) regressedIn(seen []seenIn, firstSeen func(version string) (time.Time, bool)) (version string, yes bool) {
	if i.State != Resolved {
		return "", false
	}
	for _, s := range seen {
		if !s.last.After(i.StateSince) {
			continue
		}
		if i.ResolvedVersion == "" || s.version == "" || !i.before(s.version, firstSeen) {
			return s.version, true
		}
	}
	return "", false
}

// before reports whether a version is older than the one that was to mend the issue.
func (i *Issue) before(version string, firstSeen func(string) (time.Time, bool)) bool {
	if version == i.ResolvedVersion {
		return false
	}
	if order, ok := compareVersions(version, i.ResolvedVersion); ok {
		return order < 0
	}
	began, known := firstSeen(version)
	if !known {
		return false // seen now for the first time
	}
	if mended, known := firstSeen(i.ResolvedVersion); known {
		return began.Before(mended)
	}
	return began.Before(i.StateSince) // the mended version has not come yet
}

// compareVersions orders versions that are written like 1.2, v1.2.3-rc.1 or
// 2024.11.05+build. ok is false when either is not.
func compareVersions(a, b string) (order int, ok bool) {
	av, apre, aok := parseVersion(a)
	bv, bpre, bok := parseVersion(b)
	if !aok || !bok {
		return 0, false
	}
	for i := range max(len(av), len(bv)) {
		var x, y uint64
		if i < len(av) {
			x = av[i]
		}
		if i < len(bv) {
			y = bv[i]
		}
		if x != y {
			return cmp.Compare(x, y), true
		}
	}
	switch { // 1.0-rc.1 comes before 1.0
	case apre == bpre:
		return 0, true
	case apre == "":
		return 1, true
	case bpre == "":
		return -1, true
	}
	return comparePre(apre, bpre), true
}

func parseVersion(s string) (numbers []uint64, pre string, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(s), "v"), "+")
	core, pre, _ := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	if len(parts) > 6 {
		return nil, "", false
	}
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return nil, "", false
		}
		numbers = append(numbers, n)
	}
	// A lone number may be a commit that happens to have no letter.
	return numbers, pre, len(parts) > 1 || len(core) < 7
}

// comparePre orders pre-releases part by part, numbers before words.
func comparePre(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, xerr := strconv.ParseUint(as[i], 10, 64)
		y, yerr := strconv.ParseUint(bs[i], 10, 64)
		var order int
		switch {
		case xerr == nil && yerr == nil:
			order = cmp.Compare(x, y)
		case xerr == nil:
			order = -1
		case yerr == nil:
			order = 1
		default:
			order = strings.Compare(as[i], bs[i])
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// expired returns the state that an issue has by the time alone: it stops
// standing out, and an ignoring that was to last until then ends.
func (i *Issue) expired(now time.Time) (State, bool) {
	switch i.State {
	case New, Regressed:
		return Ongoing, now.Sub(i.StateSince) >= newFor
	case Ignored:
		return Ongoing, i.IgnoredUntil != nil && !now.Before(*i.IgnoredUntil)
	}
	return i.State, false
}

// turn puts the issue into a state, without the conditions of the one before.
func (i *Issue) turn(state State, at time.Time) {
	i.State, i.StateSince = state, at.UTC().Truncate(time.Microsecond)
	i.ResolvedVersion, i.IgnoredUntil, i.IgnoredCount = "", nil, 0
	i.Version++
}
