package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/secret"
)

// Kept stands for a secret in what reads return. Written back, it means: keep
// the one that is stored.
const Kept = "********"

const maxName = 100

// Target is where a project's messages go.
type Target struct {
	ID      int64      `json:"id"`
	Project project.ID `json:"project_id"`
	Kind    string     `json:"kind"`
	Name    string     `json:"name"` // unique in the project
	// Config is the channel's own; its secrets read as Kept.
	Config  json.RawMessage `json:"config"`
	Enabled bool            `json:"enabled"`
	// Language is "ko" or "en", or "" for that of the message.
	Language string `json:"language"`
	// Personal says that it also carries what people want told to themselves.
	Personal  bool      `json:"personal"`
	Version   int64     `json:"version"` // 1, 2, … at each change
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`

	// Of a person's way only.
	account int64
	zone    *time.Location
	reader  *Person
	// Of a delivery that is written only: the group of its message.
	group string
}

// Targets stores the targets of all projects. Configurations are sealed in
// the database and opened only to send.
type Targets struct {
	db       *metadb.DB
	sealer   *secret.Sealer
	channels map[string]Channel
	now      func() time.Time
}

// Kinds returns the kinds of targets that can be created, sorted.
func (s *Targets) Kinds() []string {
	kinds := make([]string, 0, len(s.channels))
	for kind := range s.channels {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

const targetColumns = `id, project_id, kind, name, config, enabled, version, updated_at, updated_by, language, personal`

// List returns the project's targets by name, without their secrets.
func (s *Targets) List(ctx context.Context, p project.ID) ([]Target, error) {
	rows, err := s.db.Query(ctx, `SELECT `+targetColumns+` FROM notify_target WHERE project_id = $1 ORDER BY name, id`, p)
	targets, err := metadb.Collect(rows, err, func(r *metadb.Rows) (Target, error) {
		t, err := scanTarget(r)
		return s.shown(ctx, t), err
	})
	if err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	return targets, nil
}

// Get returns one target of the project, without its secrets; fault.NotFound
// when the project has none of that id.
func (s *Targets) Get(ctx context.Context, p project.ID, id int64) (Target, error) {
	t, err := s.read(ctx, s.db, p, id)
	if err != nil {
		return Target{}, err
	}
	return s.shown(ctx, t), nil
}

// Create stores a new target and returns it as Get would. ID and Version are
// given by the store. A name that is taken is fault.Conflict.
func (s *Targets) Create(ctx context.Context, t Target, by string) (created Target, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) (err error) {
		created, err = s.CreateIn(ctx, tx, t, by)
		return err
	})
	return created, err
}

// CreateIn is Create inside the caller's transaction.
func (s *Targets) CreateIn(ctx context.Context, tx *metadb.Tx, t Target, by string) (Target, error) {
	if err := s.check(&t); err != nil {
		return Target{}, err
	}
	id, err := metadb.NextID(ctx, tx, "notify_target")
	if err != nil {
		return Target{}, fmt.Errorf("create target: %w", err)
	}
	t.ID, t.Version, t.UpdatedAt, t.UpdatedBy = id, 1, s.now().UTC(), by
	sealed, err := s.sealer.Seal(ctx, t.Config, place(t.Project, t.ID))
	if err != nil {
		return Target{}, fmt.Errorf("create target: %w", err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO notify_target (`+targetColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (project_id, name) DO NOTHING`,
		t.ID, t.Project, t.Kind, t.Name, sealed, t.Enabled, t.Version,
		metadb.Micros(t.UpdatedAt), t.UpdatedBy, t.Language, t.Personal)
	if err != nil {
		return Target{}, fmt.Errorf("create target: %w", err)
	}
	if n == 0 {
		return Target{}, taken(t.Name)
	}
	return s.redact(t), nil
}

// Update replaces name, config and enabled of the target with t's ID and
// returns it as Get would. Secrets given as Kept stay. t.Version is the version
// that was edited: fault.Conflict when it is not the current one. The kind
// cannot change.
func (s *Targets) Update(ctx context.Context, t Target, by string) (updated Target, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		next := t
		stored, err := s.read(ctx, tx, t.Project, t.ID)
		if err != nil {
			return err
		}
		if stored.Version != t.Version {
			return fault.New(fault.Conflict, "the channel was changed by %s in the meantime: load it again", stored.UpdatedBy)
		}
		next.Kind = stored.Kind
		if next.Config, err = s.restore(ctx, next, stored); err != nil {
			return err
		}
		if err := s.check(&next); err != nil {
			return err
		}
		next.Version, next.UpdatedAt, next.UpdatedBy = stored.Version+1, s.now().UTC(), by
		sealed, err := s.sealer.Seal(ctx, next.Config, place(next.Project, next.ID))
		if err != nil {
			return fmt.Errorf("update target: %w", err)
		}
		_, err = tx.Exec(ctx, `UPDATE notify_target
			SET name = $3, config = $4, enabled = $5, version = $6, updated_at = $7, updated_by = $8, language = $9, personal = $10
			WHERE project_id = $1 AND id = $2`,
			next.Project, next.ID, next.Name, sealed, next.Enabled, next.Version,
			metadb.Micros(next.UpdatedAt), next.UpdatedBy, next.Language, next.Personal)
		if metadb.IsUnique(err) {
			return taken(next.Name)
		}
		if err != nil {
			return fmt.Errorf("update target: %w", err)
		}
		updated = s.redact(next)
		return nil
	})
	return updated, err
}

// Outline is the target as people see it who may not edit it: of an address
// only the host is left, since its path and query are often the secret, of phone
// numbers the last two digits, and of a template nothing, since people write
// tokens into it.
func (t Target) Outline() Target {
	fields, err := object(t.Config)
	if err != nil {
		return t
	}
	for name, value := range fields {
		text, _ := value.(string)
		switch name {
		case "template":
			delete(fields, name)
			continue
		case "recipients":
			fields[name] = lastDigits(text)
			continue
		}
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			fields[name] = (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
		}
	}
	t.Config, _ = json.Marshal(fields)
	return t
}

// lastDigits stars out the digits of phone numbers with commas between, but for the last two of each.
func lastDigits(numbers string) string {
	list := strings.Split(numbers, ",")
	for i, number := range list {
		left := strings.Count(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '0'
			}
			return -1
		}, number), "0") - 2
		list[i] = strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return r
			}
			if left--; left >= 0 {
				return '*'
			}
			return r
		}, number)
	}
	return strings.Join(list, ",")
}

// Delete removes a target. What is on its way to it fails.
func (s *Targets) Delete(ctx context.Context, p project.ID, id int64) error {
	n, err := s.db.Exec(ctx, `DELETE FROM notify_target WHERE project_id = $1 AND id = $2`, p, id)
	if err != nil {
		return fmt.Errorf("delete target: %w", err)
	}
	if _, err := s.db.Exec(ctx, `DELETE FROM notify_thread WHERE project_id = $1 AND target_id = $2`, p, id); err != nil {
		return fmt.Errorf("delete target: %w", err)
	}
	if n == 0 {
		return missing()
	}
	return nil
}

// load returns the target with its secrets.
func (s *Targets) load(ctx context.Context, p project.ID, id int64) (Target, error) {
	t, err := s.read(ctx, s.db, p, id)
	if err != nil {
		return Target{}, err
	}
	t.Config, err = s.open(ctx, t)
	return t.Target, err
}

// Config returns the kind and the config of an enabled target, for who acts on its
// behalf: it holds secrets and is never shown.
func (s *Targets) Config(ctx context.Context, p project.ID, id int64) (kind string, config json.RawMessage, err error) {
	t, err := s.load(ctx, p, id)
	if err == nil && !t.Enabled {
		err = missing()
	}
	return t.Kind, t.Config, err
}

// row is a target as it is stored: without a config that can be read.
type row struct {
	Target
	sealed string
}

func (s *Targets) open(ctx context.Context, t row) (json.RawMessage, error) {
	return s.sealer.Open(ctx, t.sealed, place(t.Project, t.ID))
}

func (s *Targets) read(ctx context.Context, q metadb.Querier, p project.ID, id int64) (row, error) {
	rows, err := q.Query(ctx, `SELECT `+targetColumns+` FROM notify_target WHERE project_id = $1 AND id = $2`, p, id)
	found, err := metadb.Collect(rows, err, scanTarget)
	if err != nil {
		return row{}, fmt.Errorf("load target: %w", err)
	}
	if len(found) == 0 {
		return row{}, missing()
	}
	return found[0], nil
}

func scanTarget(r *metadb.Rows) (row, error) {
	var t row
	var updated int64
	err := r.Scan(&t.ID, &t.Project, &t.Kind, &t.Name, &t.sealed, &t.Enabled, &t.Version, &updated, &t.UpdatedBy, &t.Language, &t.Personal)
	t.UpdatedAt = metadb.FromMicros(updated)
	return t, err
}

// shown is the target as people see it. One whose config does not open, since
// the secrets key was lost, is shown without: it can still be set up again.
func (s *Targets) shown(ctx context.Context, t row) Target {
	config, err := s.open(ctx, t)
	if err == nil {
		t.Config = config
	}
	return s.redact(t.Target)
}

// check validates t and trims its name.
func (s *Targets) check(t *Target) error {
	t.Name = strings.TrimSpace(t.Name)
	channel, ok := s.channels[t.Kind]
	switch {
	case t.Project == 0:
		return fault.New(fault.Internal, "a target without a project")
	case !ok:
		return fault.New(fault.Invalid, "kind must be one of %s", strings.Join(s.Kinds(), ", ")).WithField("kind")
	case t.Name == "" || utf8.RuneCountInString(t.Name) > maxName:
		return fault.New(fault.Invalid, "name must have 1 to %d characters", maxName).WithField("name")
	case t.Language != "" && t.Language != "ko" && t.Language != "en":
		return fault.New(fault.Invalid, "language must be ko or en, or empty for that of the message").WithField("language")
	}
	if _, carries := channel.(Carrier); t.Personal && !carries {
		return fault.New(fault.Invalid, "channels of kind %s cannot carry messages to single people", t.Kind).WithField("personal")
	}
	return channel.Check(t.Config)
}

// redact replaces the secrets that are set. A config it cannot read is not shown at all.
func (s *Targets) redact(t Target) Target {
	fields, err := object(t.Config)
	channel, ok := s.channels[t.Kind]
	if err != nil || !ok {
		t.Config = json.RawMessage("{}")
		return t
	}
	for _, name := range channel.Secrets() {
		if _, set := fields[name]; set {
			fields[name] = Kept
		}
	}
	t.Config, _ = json.Marshal(fields)
	return t
}

// restore returns next's config with the secrets given as Kept taken from stored.
func (s *Targets) restore(ctx context.Context, next Target, stored row) (json.RawMessage, error) {
	channel, ok := s.channels[stored.Kind]
	if !ok {
		return nil, fault.New(fault.Unsupported, "this server has no channel of kind %s", stored.Kind)
	}
	fields, err := object(next.Config)
	if err != nil {
		return nil, fault.New(fault.Invalid, "config must be an object").WithField("config")
	}
	for _, name := range channel.Secrets() {
		if fields[name] != Kept {
			continue
		}
		config, err := s.open(ctx, stored)
		if err != nil {
			return nil, fault.New(fault.Invalid, "the stored secret cannot be read any more: enter it again").WithField("config." + name)
		}
		old, err := object(config)
		if err != nil {
			return nil, fmt.Errorf("read stored config: %w", err)
		}
		fields[name] = old[name]
	}
	return json.Marshal(fields)
}

func object(raw json.RawMessage) (map[string]any, error) {
	fields := map[string]any{}
	err := json.Unmarshal(raw, &fields)
	if err == nil && fields == nil { // JSON null
		err = errors.New("null")
	}
	return fields, err
}

// place ties a sealed config to its row.
func place(p project.ID, id int64) string { return fmt.Sprintf("notify_target/%d/%d", p, id) }

func taken(name string) error {
	return fault.New(fault.Conflict, "the project has a channel named %q already", name).WithField("name")
}

func missing() error { return fault.New(fault.NotFound, "the channel does not exist") }

// Rewrap puts the data keys of all targets under the current master key, after
// another one was made. What does not open stays as it is.
func (s *Targets) Rewrap(ctx context.Context) error {
	rows, err := s.db.Query(ctx, `SELECT `+targetColumns+` FROM notify_target`)
	targets, err := metadb.Collect(rows, err, scanTarget)
	if err != nil {
		return fmt.Errorf("rewrap targets: %w", err)
	}
	for _, t := range targets {
		sealed, changed, err := s.sealer.Rewrap(ctx, t.sealed, place(t.Project, t.ID))
		if err != nil || !changed {
			continue
		}
		// Not over an edit that came between.
		if _, err := s.db.Exec(ctx, `UPDATE notify_target SET config = $3 WHERE id = $1 AND config = $2`, t.ID, t.sealed, sealed); err != nil {
			return fmt.Errorf("rewrap targets: %w", err)
		}
	}
	return nil
}

// Erase removes a project's channels, and the messages that were sent to them.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM notify_message WHERE project_id = $1`, p); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM notify_thread WHERE project_id = $1`, p); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM notify_routing WHERE project_id = $1`, p); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM notify_target WHERE project_id = $1`, p)
	return err
}
