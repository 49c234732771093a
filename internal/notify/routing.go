package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/clock"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	maxRoutes  = 50
	maxMatches = 50
	maxWord    = 200
)

// Routing says which of a project's channels get a message, and when. A project
// without one sends everything to every enabled channel at once.
type Routing struct {
	// TimeZone is that of every time of day in it, like "Asia/Seoul".
	TimeZone string `json:"time_zone"`
	// FirstOnly stops at the first route that fits; else a message goes to the channels of all that fit.
	FirstOnly bool    `json:"first_only"`
	Routes    []Route `json:"routes"`
	// Quiet holds what is not urgent till the morning, Digest gathers it. Both
	// concern channels that people read.
	Quiet  *Quiet  `json:"quiet,omitempty"`
	Digest *Digest `json:"digest,omitempty"`

	Version   int64     `json:"version"` // 1, 2, … at each change, 0 before the first
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
}

// Route sends messages that fit all of its conditions to its channels. A
// condition that is empty fits everything.
type Route struct {
	Name         string            `json:"name"`
	Severities   []string          `json:"severities,omitempty"`
	Services     []string          `json:"services,omitempty"` // names, or beginnings with * behind them
	Environments []string          `json:"environments,omitempty"`
	Owners       []string          `json:"owners,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Hours        *Hours            `json:"hours,omitempty"`
	Channels     []int64           `json:"channels"`
}

// Hours are times of a week.
type Hours struct {
	Weekdays []int  `json:"weekdays,omitempty"` // 0 is Sunday; none for every day
	From     string `json:"from"`               // "09:00"
	To       string `json:"to"`                 // "18:00"; before From it is of the next day
}

// Quiet holds messages below a severity during its hours and tells them together when these are over.
type Quiet struct {
	Hours Hours  `json:"hours"`
	Below string `json:"below"` // warning or critical
}

// Digest gathers messages below a severity and tells them together every so often.
type Digest struct {
	Below        string `json:"below"`         // warning or critical
	EveryMinutes int    `json:"every_minutes"` // 5 to 1440
}

// Routing returns a project's routing, the empty one when it has none.
func (s *Targets) Routing(ctx context.Context, p project.ID) (Routing, error) {
	return readRouting(ctx, s.db, p)
}

func readRouting(ctx context.Context, q metadb.Querier, p project.ID) (Routing, error) {
	r := Routing{Routes: []Route{}}
	var body string
	var version, updated int64
	var by string
	err := q.QueryRow(ctx, `SELECT body, version, updated_at, updated_by FROM notify_routing WHERE project_id = $1`, p).
		Scan(&body, &version, &updated, &by)
	if errors.Is(err, metadb.ErrNoRows) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &r)
	}
	if err != nil {
		return r, fmt.Errorf("load routing: %w", err)
	}
	r.Version, r.UpdatedAt, r.UpdatedBy = version, metadb.FromMicros(updated), by
	return r, nil
}

// SetRouting replaces a project's routing and returns it. r.Version is the
// version that was edited: fault.Conflict when it is not the current one.
func (s *Targets) SetRouting(ctx context.Context, p project.ID, r Routing, by string) (Routing, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		stored, err := readRouting(ctx, tx, p)
		if err != nil {
			return err
		}
		if stored.Version != r.Version {
			return fault.New(fault.Conflict, "the routing was changed by %s in the meantime: load it again", stored.UpdatedBy)
		}
		rows, err := tx.Query(ctx, `SELECT id FROM notify_target WHERE project_id = $1`, p)
		ids, err := metadb.Collect(rows, err, func(r *metadb.Rows) (id int64, err error) { return id, r.Scan(&id) })
		if err != nil {
			return fmt.Errorf("store routing: %w", err)
		}
		if err := r.check(ids); err != nil {
			return err
		}
		r.Version, r.UpdatedAt, r.UpdatedBy = stored.Version+1, s.now().UTC().Truncate(time.Microsecond), by
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("store routing: %w", err)
		}
		n, err := tx.Exec(ctx, `INSERT INTO notify_routing (project_id, body, version, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (project_id) DO UPDATE SET body = excluded.body, version = excluded.version,
				updated_at = excluded.updated_at, updated_by = excluded.updated_by WHERE notify_routing.version = $6`,
			p, string(body), r.Version, metadb.Micros(r.UpdatedAt), by, stored.Version)
		if err != nil {
			return fmt.Errorf("store routing: %w", err)
		}
		if n == 0 {
			return fault.New(fault.Conflict, "the routing was changed in the meantime: load it again")
		}
		return nil
	})
	return r, err
}

// Names reports the routes that send to a channel.
func (r Routing) Names(channel int64) []string {
	var names []string
	for _, route := range r.Routes {
		if slices.Contains(route.Channels, channel) {
			names = append(names, route.Name)
		}
	}
	return names
}

// check validates r against the channels that the project has, and trims its names.
func (r *Routing) check(channels []int64) error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	r.TimeZone = cmp.Or(r.TimeZone, "UTC")
	if _, err := time.LoadLocation(r.TimeZone); err != nil || r.TimeZone == "Local" {
		return bad("time_zone", "time_zone must be a zone like Asia/Seoul")
	}
	if len(r.Routes) > maxRoutes {
		return bad("routes", "routes must be at most %d", maxRoutes)
	}
	if r.Routes == nil {
		r.Routes = []Route{}
	}
	for i := range r.Routes {
		field, why := r.Routes[i].check()
		if why == "" {
			field, why = r.Routes[i].checkChannels(channels)
		}
		if why != "" {
			return bad(fmt.Sprintf("routes.%d.%s", i, field), "%s: %s", cmp.Or(r.Routes[i].Name, fmt.Sprintf("route %d", i+1)), why)
		}
	}
	if q := r.Quiet; q != nil {
		if why := q.Hours.check(); why != "" {
			return bad("quiet.hours", "quiet hours: %s", why)
		}
		if q.Hours.From == q.Hours.To {
			return bad("quiet.hours", "quiet hours must end: from and to are the same")
		}
		if q.Below != Warning && q.Below != Critical {
			return bad("quiet.below", "below must be warning or critical")
		}
	}
	if d := r.Digest; d != nil {
		if d.Below != Warning && d.Below != Critical {
			return bad("digest.below", "below must be warning or critical")
		}
		if d.EveryMinutes < 5 || d.EveryMinutes > 24*60 {
			return bad("digest.every_minutes", "every_minutes must be 5 to 1440")
		}
	}
	return nil
}

// check returns the field of a condition that is wrong and why, or "", "".
func (r *Route) check() (field, why string) {
	r.Name = strings.TrimSpace(r.Name)
	if r.Name == "" || utf8.RuneCountInString(r.Name) > maxName {
		return "name", fmt.Sprintf("name must have 1 to %d characters", maxName)
	}
	for _, s := range r.Severities {
		if s != Info && s != Warning && s != Critical {
			return "severities", "severities must be info, warning or critical"
		}
	}
	words := slices.Concat(r.Services, r.Environments, r.Owners)
	for name, value := range r.Labels {
		words = append(words, name, value)
	}
	if len(words) > 4*maxMatches || slices.ContainsFunc(words, func(w string) bool { return w == "" || len(w) > maxWord }) {
		return "services", fmt.Sprintf("what is matched must have 1 to %d bytes", maxWord)
	}
	if r.Hours != nil {
		if why := r.Hours.check(); why != "" {
			return "hours", why
		}
	}
	return "", ""
}

// checkChannels is check for where r sends.
func (r *Route) checkChannels(channels []int64) (field, why string) {
	if len(r.Channels) == 0 {
		return "channels", "it needs a channel"
	}
	for _, id := range r.Channels {
		if !slices.Contains(channels, id) {
			return "channels", "the project has no such channel"
		}
	}
	return "", ""
}

func (h Hours) weekly() clock.Weekly {
	days := make([]time.Weekday, len(h.Weekdays))
	for i, d := range h.Weekdays {
		days[i] = time.Weekday(d)
	}
	return clock.Weekly{Days: days, From: h.From, To: h.To}
}

func (h *Hours) check() string {
	_, why := h.weekly().Check()
	return why
}

// zone is the time zone of r, UTC for one that this machine does not know.
func (r Routing) zone() *time.Location {
	if zone, err := time.LoadLocation(r.TimeZone); err == nil {
		return zone
	}
	return time.UTC
}

// Channels returns the channels that r chooses for m at a time, and whether any route fitted.
func (r Routing) Channels(m Message, at time.Time) (channels []int64, fits bool) {
	at = at.In(r.zone())
	for _, route := range r.Routes {
		if !route.fits(m, at) {
			continue
		}
		channels, fits = append(channels, route.Channels...), true
		if r.FirstOnly {
			break
		}
	}
	return channels, fits
}

func (r Route) fits(m Message, at time.Time) bool {
	for name, value := range r.Labels {
		if m.Labels[name] != value {
			return false
		}
	}
	return oneOf(r.Severities, cmp.Or(m.Severity, Critical)) && oneOf(r.Services, m.Service) && oneOf(r.Environments, m.Environment) &&
		oneOf(r.Owners, m.Owner) && (r.Hours == nil || r.Hours.hold(at))
}

// oneOf reports whether word is one of list, which is empty for any.
func oneOf(list []string, word string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(want string) bool {
		if start, open := strings.CutSuffix(want, "*"); open {
			return strings.HasPrefix(word, start)
		}
		return want == word
	})
}

// hold reports whether at, in the zone of h, is within h.
func (h Hours) hold(at time.Time) bool {
	_, ok := h.window(at)
	return ok
}

// window returns when the hours that at lies in end.
func (h Hours) window(at time.Time) (end time.Time, ok bool) { return h.weekly().Window(at) }

// due returns when m is told to people, the zero time for at once.
func (r Routing) due(m Message, now time.Time) time.Time {
	grade := Grade(m.Severity)
	var due time.Time
	if d := r.Digest; d != nil && grade < Grade(d.Below) {
		// At whole intervals of the day, so that what comes within one is told together.
		local := now.In(r.zone())
		midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
		every := time.Duration(d.EveryMinutes) * time.Minute
		due = midnight.Add(now.Sub(midnight).Truncate(every) + every)
	}
	if q := r.Quiet; q != nil && grade < Grade(q.Below) {
		at := now
		if due.After(at) { // a digest that would fall into quiet hours waits for their end
			at = due
		}
		if end, quiet := q.Hours.window(at.In(r.zone())); quiet {
			due = end
		}
	}
	return due
}
