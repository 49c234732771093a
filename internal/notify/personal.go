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

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	maxPersonalRules = 20
	maxWayAddress    = 254 // bytes
	// testEvery is how often a person may have a test message sent: it goes out in
	// the name of a project, to an address that only the person vouches for.
	testEvery = 10 * time.Second
)

// Personal is what one person wants to be told of, beside what the channels of
// projects get. A person without rules is told of nothing.
type Personal struct {
	// Language is "ko" or "en", or "" for that of the message.
	Language string `json:"language" enum:"ko,en,"`
	// TimeZone, Quiet and Digest are as in Routing.
	TimeZone string         `json:"time_zone"`
	Quiet    *Quiet         `json:"quiet,omitempty"`
	Digest   *Digest        `json:"digest,omitempty"`
	Ways     []Way          `json:"ways" doc:"where messages reach me, one for each kind of channel"`
	Rules    []PersonalRule `json:"rules" doc:"what I want to be told of: what fits one of them"`

	Version   int64     `json:"version"` // 1, 2, … at each change, 0 before the first
	UpdatedAt time.Time `json:"updated_at"`
}

// Way is an address at which a kind of channel reaches a person.
type Way struct {
	Kind string `json:"kind" maxLength:"50"`
	// Address is the kind's own: a chat, a phone number, a member. Of e-mail it is
	// empty: the account's is taken.
	Address string `json:"address" maxLength:"254" doc:"empty for e-mail, which goes to the account's address"`
}

// PersonalRule wants messages that fit all of its conditions told by its ways. A
// condition that is empty fits everything.
type PersonalRule struct {
	Name         string            `json:"name" maxLength:"100"`
	Organisation int64             `json:"organisation_id,omitempty" doc:"only of this organisation, 0 for all of mine"`
	Assigned     bool              `json:"assigned,omitempty" doc:"only of incidents that are assigned to me"`
	Owned        bool              `json:"owned,omitempty" doc:"only of what I own: the owner is my name or my e-mail address"`
	Severities   []string          `json:"severities,omitempty"`
	Services     []string          `json:"services,omitempty" doc:"names, or beginnings with * behind them"`
	Environments []string          `json:"environments,omitempty"`
	Owners       []string          `json:"owners,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Hours        *Hours            `json:"hours,omitempty"`
	Ways         []string          `json:"ways" doc:"kinds of my ways"`
}

// route is the rule's conditions as those of a route.
func (r PersonalRule) route() Route {
	return Route{Name: r.Name, Severities: r.Severities, Services: r.Services, Environments: r.Environments, Owners: r.Owners, Labels: r.Labels, Hours: r.Hours}
}

// routing is a person's times as those of a project.
func (p Personal) routing() Routing {
	return Routing{TimeZone: p.TimeZone, Quiet: p.Quiet, Digest: p.Digest}
}

// Person is an account as far as messages go.
type Person struct {
	Name, Email string
	// Organisation is that of the project in question.
	Organisation int64
	// Acts reports whether the person may work on incidents: others get no links
	// that do so.
	Acts bool
	// Hidden is what the person does not see unmasked in the project.
	Hidden []mask.Class
}

// Carrier is a Channel that can bring a message to one person instead of where
// its config says.
type Carrier interface {
	Channel
	// CheckAddress returns fault.Invalid for what is no person's address. An empty
	// one is the person's e-mail address, where the kind goes by that.
	CheckAddress(address string) error
	// To returns config with the person as the only recipient; fault.Invalid for a
	// config that can reach no person. email is the account's.
	To(config json.RawMessage, address, email string) (json.RawMessage, error)
}

// Carriers returns the kinds of channels that reach people, sorted.
func (s *Targets) Carriers() []string {
	return slices.DeleteFunc(s.Kinds(), func(kind string) bool { _, ok := s.channels[kind].(Carrier); return !ok })
}

// Personal returns what an account wants to be told of.
func (o *Outbox) Personal(ctx context.Context, account int64) (Personal, error) {
	return readPersonal(ctx, o.opts.DB, account)
}

func readPersonal(ctx context.Context, q metadb.Querier, account int64) (Personal, error) {
	p := Personal{Ways: []Way{}, Rules: []PersonalRule{}}
	var body string
	var version, updated int64
	err := q.QueryRow(ctx, `SELECT body, version, updated_at FROM notify_person WHERE account_id = $1`, account).Scan(&body, &version, &updated)
	if errors.Is(err, metadb.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &p)
	}
	if err != nil {
		return p, fmt.Errorf("load what a person wants to be told of: %w", err)
	}
	p.Version, p.UpdatedAt = version, metadb.FromMicros(updated)
	return p, nil
}

// SetPersonal replaces what an account wants to be told of. p.Version is the
// version that was edited: fault.Conflict when it is not the current one.
func (o *Outbox) SetPersonal(ctx context.Context, account int64, p Personal) (Personal, error) {
	if err := p.check(o.targets); err != nil {
		return p, err
	}
	edited := p.Version
	p.Version, p.UpdatedAt = edited+1, o.opts.Now().UTC().Truncate(time.Microsecond)
	body, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("store what a person wants to be told of: %w", err)
	}
	err = o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		stored, err := readPersonal(ctx, tx, account)
		if err != nil {
			return err
		}
		if stored.Version != edited {
			return fault.New(fault.Conflict, "your notifications were changed in another window: load them again")
		}
		_, err = tx.Exec(ctx, `INSERT INTO notify_person (account_id, body, version, updated_at, tested_at) VALUES ($1, $2, $3, $4, 0)
			ON CONFLICT (account_id) DO UPDATE SET body = excluded.body, version = excluded.version, updated_at = excluded.updated_at`,
			account, string(body), p.Version, metadb.Micros(p.UpdatedAt))
		if err != nil {
			return err
		}
		for _, way := range p.Ways {
			id, err := metadb.NextID(ctx, tx, "notify_target")
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO notify_way (id, account_id, kind) VALUES ($1, $2, $3) ON CONFLICT (account_id, kind) DO NOTHING`, id, account, way.Kind)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("store what a person wants to be told of: %w", err)
	}
	return p, nil
}

// check reports the first field that is wrong, and trims names and addresses.
func (p *Personal) check(targets *Targets) error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	if p.Language != "" && p.Language != "ko" && p.Language != "en" {
		return bad("language", "language must be ko or en, or empty for that of the message")
	}
	times := p.routing()
	if err := times.check(nil); err != nil {
		return err
	}
	p.TimeZone = times.TimeZone
	if p.Ways == nil {
		p.Ways = []Way{}
	}
	if p.Rules == nil {
		p.Rules = []PersonalRule{}
	}
	var kinds []string
	for i := range p.Ways {
		way, field := &p.Ways[i], fmt.Sprintf("ways.%d.", i)
		carrier, ok := targets.channels[way.Kind].(Carrier)
		switch {
		case !ok:
			return bad(field+"kind", "kind must be one of %s", strings.Join(targets.Carriers(), ", "))
		case slices.Contains(kinds, way.Kind):
			return bad(field+"kind", "there can be one way of kind %s", way.Kind)
		}
		kinds = append(kinds, way.Kind)
		if way.Address = strings.TrimSpace(way.Address); len(way.Address) > maxWayAddress {
			return bad(field+"address", "an address has at most %d bytes", maxWayAddress)
		}
		if err := carrier.CheckAddress(way.Address); err != nil {
			return fault.As(err).WithField(field + "address")
		}
	}
	if len(p.Rules) > maxPersonalRules {
		return bad("rules", "rules must be at most %d", maxPersonalRules)
	}
	for i := range p.Rules {
		r, field := &p.Rules[i], fmt.Sprintf("rules.%d.", i)
		route := r.route()
		if where, why := route.check(); why != "" {
			return bad(field+where, "%s: %s", cmp.Or(r.Name, fmt.Sprintf("rule %d", i+1)), why)
		}
		r.Name = route.Name
		if len(r.Ways) == 0 {
			return bad(field+"ways", "%s: it needs a way", r.Name)
		}
		if i := slices.IndexFunc(r.Ways, func(kind string) bool { return !slices.Contains(kinds, kind) }); i >= 0 {
			return bad(field+"ways", "%s: you have no way of kind %s", r.Name, r.Ways[i])
		}
	}
	return nil
}

// wants returns the kinds of ways by which a person wants to be told of m.
func (p Personal) wants(account int64, who Person, m Message, at time.Time) []string {
	if m.For == account { // meant for this person: by every way
		var kinds []string
		for _, r := range p.Rules {
			kinds = append(kinds, r.Ways...)
		}
		return slices.Compact(slices.Sorted(slices.Values(kinds)))
	}
	if m.For != 0 {
		return nil
	}
	at = at.In(p.routing().zone())
	var kinds []string
	for _, r := range p.Rules {
		mine := func(owner string) bool {
			return owner != "" && (strings.EqualFold(owner, who.Name) || strings.EqualFold(owner, who.Email))
		}
		if (r.Organisation == 0 || r.Organisation == who.Organisation) && (!r.Assigned || m.Assignee == account) &&
			(!r.Owned || mine(m.Owner)) && r.route().fits(m, at) {
			kinds = append(kinds, r.Ways...)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(kinds)))
}

// wanting is a person who may want to be told.
type wanting struct {
	account int64
	Personal
}

// everybody returns all people who want to be told of something, but one alone when
// only is not 0.
func everybody(ctx context.Context, q metadb.Querier, only int64) ([]wanting, error) {
	rows, err := q.Query(ctx, `SELECT account_id, body FROM notify_person WHERE $1 = 0 OR account_id = $1 ORDER BY account_id`, only)
	found, err := metadb.Collect(rows, err, func(r *metadb.Rows) (w wanting, err error) {
		var body string
		if err := r.Scan(&w.account, &body); err != nil {
			return w, err
		}
		return w, json.Unmarshal([]byte(body), &w.Personal)
	})
	return slices.DeleteFunc(found, func(w wanting) bool { return len(w.Rules) == 0 }), err
}

// personalJob finds the people who want to be told of a message. It is a job of its
// own, so that the transaction that writes the message does not wait for it.
type personalJob struct {
	Message int64 `json:"message_id"`
}

// Kind implements river.JobArgs.
func (personalJob) Kind() string { return "notify_personal" }

// tellPeople is the job behind personalJob. Running it twice writes nothing twice.
func (o *Outbox) tellPeople(ctx context.Context, j personalJob) error {
	var body json.RawMessage
	err := o.opts.DB.QueryRow(ctx, `SELECT body FROM notify_message WHERE id = $1`, j.Message).Scan(&body)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell people: %w", err)
	}
	m, err := decodeMessage(body)
	if err != nil {
		return fmt.Errorf("tell people: %w", err)
	}
	people, err := everybody(ctx, o.opts.DB, m.For)
	if err != nil {
		return fmt.Errorf("tell people: %w", err)
	}
	now := o.opts.Now()
	type told struct {
		wanting
		name  string
		kinds []string
	}
	var all []told
	for _, w := range people {
		who, err := o.opts.Person(ctx, w.account, m.Project)
		if kind := fault.KindOf(err); err != nil && (kind == fault.NotFound || kind == fault.Denied) {
			continue // may not even know that there is such a project
		}
		if err != nil {
			return fmt.Errorf("tell people: %w", err)
		}
		if kinds := w.wants(w.account, who, m, now); len(kinds) > 0 {
			all = append(all, told{w, who.Name, kinds})
		}
	}
	if len(all) == 0 {
		return nil
	}
	err = o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		for _, w := range all {
			for _, kind := range w.kinds {
				t := Target{Project: m.Project, Kind: kind, Name: w.name, account: w.account}
				err := tx.QueryRow(ctx, `SELECT w.id FROM notify_way w WHERE w.account_id = $1 AND w.kind = $2
					AND NOT EXISTS (SELECT 1 FROM notify_delivery d WHERE d.message_id = $3 AND d.target_id = w.id)`, w.account, kind, j.Message).Scan(&t.ID)
				if errors.Is(err, metadb.ErrNoRows) {
					continue // told before
				}
				if err != nil {
					return err
				}
				if err := o.write(ctx, tx, j.Message, m, t, w.routing().due(m, now)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tell people: %w", err)
	}
	return nil
}

// way returns the target that a way is in a project: the first of its channels that
// carries personal messages of the kind, set to the person. Who may no longer read
// the project gets nothing: fault.Denied.
func (o *Outbox) way(ctx context.Context, p project.ID, id int64) (Target, error) {
	t := Target{ID: id, Project: p}
	err := o.opts.DB.QueryRow(ctx, `SELECT account_id, kind FROM notify_way WHERE id = $1`, id).Scan(&t.account, &t.Kind)
	if errors.Is(err, metadb.ErrNoRows) || o.opts.Person == nil {
		return t, missing()
	}
	if err != nil {
		return t, fmt.Errorf("load way: %w", err)
	}
	who, err := o.opts.Person(ctx, t.account, p)
	switch kind := fault.KindOf(err); {
	case err != nil && (kind == fault.NotFound || kind == fault.Denied):
		return t, fault.New(fault.Denied, "the person may not read this project any more")
	case err != nil:
		return t, fmt.Errorf("load person: %w", err)
	}
	personal, err := readPersonal(ctx, o.opts.DB, t.account)
	if err != nil {
		return t, err
	}
	i := slices.IndexFunc(personal.Ways, func(w Way) bool { return w.Kind == t.Kind })
	carrier, ok := o.targets.channels[t.Kind].(Carrier)
	if i < 0 || !ok {
		return t, fault.New(fault.Denied, "the person does not want to be told this way any more")
	}
	var channel int64
	err = o.opts.DB.QueryRow(ctx, `SELECT id FROM notify_target WHERE project_id = $1 AND kind = $2 AND enabled AND personal ORDER BY id LIMIT 1`, p, t.Kind).Scan(&channel)
	if errors.Is(err, metadb.ErrNoRows) {
		return t, fault.New(fault.Invalid, "the project has no channel of this kind that carries personal messages")
	}
	if err != nil {
		return t, fmt.Errorf("load carrier: %w", err)
	}
	by, err := o.targets.load(ctx, p, channel)
	if err != nil {
		return t, err
	}
	t.Name, t.Language, t.Enabled, t.zone, t.reader = who.Name, personal.Language, true, personal.routing().zone(), &who
	t.Config, err = carrier.To(by.Config, personal.Ways[i].Address, who.Email)
	return t, err
}

// addressee returns a channel of the project or a person's way in it.
func (o *Outbox) addressee(ctx context.Context, p project.ID, id int64) (Target, error) {
	t, err := o.targets.load(ctx, p, id)
	if fault.Is(err, fault.NotFound) {
		return o.way(ctx, p, id)
	}
	return t, err
}

// named returns what is known of an addressee without asking who may be told: its
// kind is empty when there is none.
func named(ctx context.Context, tx *metadb.Tx, p project.ID, id int64) (Target, error) {
	t := Target{ID: id, Project: p}
	err := tx.QueryRow(ctx, `SELECT kind, name, language FROM notify_target WHERE id = $1 AND project_id = $2`, id, p).Scan(&t.Kind, &t.Name, &t.Language)
	if !errors.Is(err, metadb.ErrNoRows) {
		return t, err
	}
	err = tx.QueryRow(ctx, `SELECT account_id, kind FROM notify_way WHERE id = $1`, id).Scan(&t.account, &t.Kind)
	if errors.Is(err, metadb.ErrNoRows) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	personal, err := readPersonal(ctx, tx, t.account)
	if err != nil {
		return t, err
	}
	t.Language, t.zone = personal.Language, personal.routing().zone()
	err = tx.QueryRow(ctx, `SELECT target_name FROM notify_delivery WHERE target_id = $1 ORDER BY id DESC LIMIT 1`, id).Scan(&t.Name)
	if errors.Is(err, metadb.ErrNoRows) {
		err = nil
	}
	return t, err
}

// forReader is m as a person may read it: without what is masked for them, and
// without links that act when they may not.
func (m Message) forReader(who *Person) Message {
	if who == nil {
		return m
	}
	if len(who.Hidden) > 0 {
		m.Subject, m.Text = mask.Redact(m.Subject, who.Hidden...), mask.Redact(m.Text, who.Hidden...)
	}
	if !who.Acts {
		m.Actions = nil
	}
	return m
}

// Reaches counts, for each kind, in how many of the projects a channel carries
// personal messages.
func (o *Outbox) Reaches(ctx context.Context, projects []project.ID) (map[string]int, error) {
	reach := map[string]int{}
	carrying, err := o.carrying(ctx, projects)
	for kind, in := range carrying {
		reach[kind] = len(in)
	}
	return reach, err
}

// carrying returns the projects, of those given, in which a kind carries personal messages.
func (o *Outbox) carrying(ctx context.Context, projects []project.ID) (map[string][]project.ID, error) {
	type carries struct {
		kind string
		in   project.ID
	}
	rows, err := o.opts.DB.Query(ctx, `SELECT DISTINCT kind, project_id FROM notify_target WHERE enabled AND personal ORDER BY kind, project_id`)
	all, err := metadb.Collect(rows, err, func(r *metadb.Rows) (c carries, err error) { return c, r.Scan(&c.kind, &c.in) })
	if err != nil {
		return nil, fmt.Errorf("look for carriers: %w", err)
	}
	found := map[string][]project.ID{}
	for _, c := range all {
		if slices.Contains(projects, c.in) {
			found[c.kind] = append(found[c.kind], c.in)
		}
	}
	return found, nil
}

// TestPersonal sends m to an account by its way of a kind now, past the outbox,
// through the first of the projects that can, and returns how that went.
func (o *Outbox) TestPersonal(ctx context.Context, account int64, kind string, projects []project.ID, m Message) error {
	var id int64
	err := o.opts.DB.QueryRow(ctx, `SELECT id FROM notify_way WHERE account_id = $1 AND kind = $2`, account, kind).Scan(&id)
	if errors.Is(err, metadb.ErrNoRows) {
		return fault.New(fault.NotFound, "save your address of this kind first")
	}
	if err != nil {
		return fmt.Errorf("test way: %w", err)
	}
	carrying, err := o.carrying(ctx, projects)
	if err != nil {
		return err
	}
	if len(carrying[kind]) == 0 {
		return fault.New(fault.Conflict, "no project of yours has a channel of this kind that carries personal messages: ask who edits its channels")
	}
	now := o.opts.Now()
	n, err := o.opts.DB.Exec(ctx, `UPDATE notify_person SET tested_at = $2 WHERE account_id = $1 AND tested_at <= $3`,
		account, metadb.Micros(now), metadb.Micros(now.Add(-testEvery)))
	if err != nil {
		return fmt.Errorf("test way: %w", err)
	}
	if n == 0 {
		return fault.New(fault.RateLimited, "a test message was sent a moment ago").WithRetryAfter(testEvery)
	}
	t, err := o.way(ctx, carrying[kind][0], id)
	if err != nil {
		return err
	}
	m.Project, m.Key = t.Project, fmt.Sprintf("test/%d/%d", id, now.UnixNano())
	return o.send(ctx, t, m)
}

// PersonalLog returns what became of the messages to an account that are about the
// projects, newest first; before is an id, 0 for the newest.
func (o *Outbox) PersonalLog(ctx context.Context, account int64, projects []project.ID, before int64, limit int) ([]Delivery, error) {
	in := make([]string, len(projects))
	for i, p := range projects {
		in[i] = fmt.Sprint(int64(p))
	}
	if len(in) == 0 {
		return []Delivery{}, nil
	}
	log, err := o.deliveries(ctx, `SELECT `+deliveryColumns+` FROM notify_delivery d JOIN notify_message m ON d.message_id = m.id
		WHERE d.account_id = $1 AND d.account_id <> 0 AND m.project_id IN (`+strings.Join(in, ", ")+`)
			AND ($2 = 0 OR d.id < $2) ORDER BY d.id DESC LIMIT $3`, account, before, limit)
	if err != nil || o.opts.Person == nil {
		return log, err
	}
	readers := map[project.ID]Person{}
	for i := range log {
		d := &log[i]
		who, known := readers[d.Project]
		if !known {
			if who, err = o.opts.Person(ctx, account, d.Project); err != nil {
				return nil, err
			}
			readers[d.Project] = who
		}
		d.Subject = Message{Subject: d.Subject}.forReader(&who).Subject
	}
	return log, nil
}
