package tenant

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// keyFresh is how long an answer about a key is used without asking again,
	// and so how long a revoked key may still work.
	keyFresh = time.Second
	// keyStale is how long a known key keeps working while the metadata
	// database does not answer: telemetry should outlive a short outage.
	keyStale = time.Minute
	// unknownFresh is how long a key that does not exist is refused without asking
	// again: keys are random, so none comes to exist after it was tried.
	unknownFresh = time.Minute
	// strangers is how many keys nobody knew a moment ago are looked up at a time:
	// a flood of invented ones takes few of the database's connections.
	strangers = 4
	// keyWithin bounds one look-up, and one note of a key's last use.
	keyWithin = 10 * time.Second
	// keyCacheMax bounds the cache against a flood of invented keys.
	keyCacheMax = 10_000
	// lastUsedEvery is how exact last_used_at is.
	lastUsedEvery = time.Minute
)

// Key is an ingest key: it can write telemetry of one project and read nothing.
type Key struct {
	ID         int64      `json:"id"`
	ProjectID  project.ID `json:"project_id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"the key's first characters"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  int64      `json:"created_by"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// NewKey is a Key with the secret itself, which is shown this one time.
type NewKey struct {
	Key
	Secret string `json:"secret"`
}

// KeyLimits is what the receivers need to know about a key's project.
type KeyLimits struct {
	KeyID     int64
	Rate      project.Rate
	Retention project.Retention
}

// Keys lists a project's keys, newest first, revoked ones included.
func (s *Store) Keys(ctx context.Context, p project.ID) ([]Key, error) {
	rows, err := s.db.Query(ctx, `SELECT id, project_id, name, hint, created_at, created_by, last_used_at, revoked_at
		FROM ingest_key WHERE project_id = $1 ORDER BY id DESC`, p)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (k Key, err error) {
		var created, used, revoked int64
		err = r.Scan(&k.ID, &k.ProjectID, &k.Name, &k.Hint, &created, &k.CreatedBy, &used, &revoked)
		k.CreatedAt, k.LastUsedAt, k.RevokedAt = metadb.FromMicros(created), optional(used), optional(revoked)
		return k, err
	})
}

func optional(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := metadb.FromMicros(micros)
	return &t
}

// CreateKey makes a key for a project. Only the result holds the secret.
func (s *Store) CreateKey(ctx context.Context, by Actor, p project.ID, name string) (k NewKey, err error) {
	if err := checkName(&name); err != nil {
		return k, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		k, err = s.insertKey(ctx, tx, by.UserID, p, name)
		return err
	})
	return k, err
}

func (s *Store) insertKey(ctx context.Context, tx *metadb.Tx, by int64, p project.ID, name string) (k NewKey, err error) {
	k.Key = Key{ProjectID: p, Name: name, CreatedAt: s.now().UTC(), CreatedBy: by}
	k.Secret, k.Hint = newSecret(keyPrefix)
	if k.ID, err = metadb.NextID(ctx, tx, "ingest_key"); err != nil {
		return k, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ingest_key (id, project_id, name, hint, hash, created_at, created_by, last_used_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
		k.ID, p, name, k.Hint, digest(k.Secret), metadb.Micros(k.CreatedAt), by)
	return k, err
}

// RevokeKey ends a key of the project. All nodes refuse it within a second.
func (s *Store) RevokeKey(ctx context.Context, p project.ID, id int64) error {
	n, err := s.db.Exec(ctx, `UPDATE ingest_key SET revoked_at = CASE revoked_at WHEN 0 THEN $3 ELSE revoked_at END
		WHERE project_id = $1 AND id = $2`, p, id, metadb.Micros(s.now()))
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "key %d does not exist", id)
	}
	s.keys.forget()
	return err
}

// AuthenticateKey returns the project an ingest key writes to. An unknown or
// revoked key is fault.Unauthenticated; a metadata database that does not
// answer is fault.Unavailable, except for keys used within the last minute.
func (s *Store) AuthenticateKey(ctx context.Context, key string) (project.ID, KeyLimits, error) {
	if !wellFormed(key, keyPrefix) {
		return 0, KeyLimits{}, errBadKey()
	}
	return s.authenticate(ctx, digest(key), s.lookUpKey)
}

// AuthenticateLocal returns the project that telemetry without a key belongs
// to where none is asked for: the oldest in use. Errors are those of
// AuthenticateKey.
func (s *Store) AuthenticateLocal(ctx context.Context) (project.ID, KeyLimits, error) {
	return s.authenticate(ctx, "", s.lookUpFirst)
}

// authenticate answers from the cache, or with what lookUp finds. Who asks for
// the same hash at the same time waits for one look-up.
func (s *Store) authenticate(ctx context.Context, hash string, lookUp func(context.Context, string) (keyEntry, error)) (project.ID, KeyLimits, error) {
	now := s.now()
	entry, known := s.keys.get(hash)
	if !known || now.Sub(entry.at) >= entry.fresh {
		fresh, err := s.askOnce(ctx, hash, !known || entry.project == 0, lookUp)
		switch {
		case err == nil:
			entry = fresh
		case known && now.Sub(entry.at) < keyStale && entry.project != 0:
		default:
			return 0, KeyLimits{}, fault.Wrap(err, fault.Unavailable, "keys cannot be checked now")
		}
	}
	if entry.project == 0 {
		return 0, KeyLimits{}, errBadKey()
	}
	return entry.project, entry.limits, nil
}

// askOnce shares one look-up, which outlives a caller that goes away.
func (s *Store) askOnce(ctx context.Context, hash string, stranger bool, lookUp func(context.Context, string) (keyEntry, error)) (keyEntry, error) {
	asked := s.asking.DoChan(hash, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keyWithin)
		defer cancel()
		if stranger {
			select {
			case s.strangers <- struct{}{}:
				defer func() { <-s.strangers }()
			case <-ctx.Done():
				return keyEntry{}, ctx.Err()
			}
		}
		entry, err := lookUp(ctx, hash)
		if err == nil {
			s.keys.put(hash, entry)
		}
		return entry, err
	})
	select {
	case answer := <-asked:
		if answer.Err != nil {
			return keyEntry{}, answer.Err
		}
		return answer.Val.(keyEntry), nil
	case <-ctx.Done():
		return keyEntry{}, ctx.Err()
	}
}

func errBadKey() error {
	return fault.New(fault.Unauthenticated, "the ingest key is unknown or revoked")
}

// lookUpKey asks the database; an entry without project says that there is no such key.
func (s *Store) lookUpKey(ctx context.Context, hash string) (keyEntry, error) {
	entry := keyEntry{at: s.now(), fresh: keyFresh}
	var used int64
	err := s.db.QueryRow(ctx, `SELECT p.id, k.id, p.span_rate, p.log_rate, p.metric_rate, p.retention_days, p.log_retention_days,
			p.metric_retention_days, k.last_used_at
		FROM ingest_key k JOIN project p ON p.id = k.project_id
		WHERE k.hash = $1 AND k.revoked_at = 0 AND p.archived_at = 0`, hash).
		Scan(&entry.project, &entry.limits.KeyID, &entry.limits.Rate.Traces, &entry.limits.Rate.Logs, &entry.limits.Rate.Metrics, &entry.limits.Retention.Traces, &entry.limits.Retention.Logs,
			&entry.limits.Retention.Metrics, &used)
	if errors.Is(err, metadb.ErrNoRows) {
		return keyEntry{at: entry.at, fresh: unknownFresh}, nil
	}
	if err != nil {
		return entry, err
	}
	if entry.at.Sub(metadb.FromMicros(used)) >= lastUsedEvery {
		s.notes.Go(func() { s.noteUse(entry.limits.KeyID, entry.at) })
	}
	return entry, nil
}

// lookUpFirst is lookUpKey for telemetry without a key.
func (s *Store) lookUpFirst(ctx context.Context, _ string) (keyEntry, error) {
	entry := keyEntry{at: s.now(), fresh: keyFresh}
	first, err := s.FirstProject(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		return entry, nil
	case err != nil:
		return entry, err
	}
	entry.project = first.ID
	entry.limits = KeyLimits{Rate: first.Rate, Retention: first.Retention}
	return entry, nil
}

// noteUse runs beside the request: telemetry does not wait for a busy writer
// because somebody may look at when a key was used.
func (s *Store) noteUse(key int64, at time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), keyWithin)
	defer cancel()
	if _, err := s.db.Exec(ctx, `UPDATE ingest_key SET last_used_at = $2 WHERE id = $1`, key, metadb.Micros(at)); err != nil {
		s.log.WarnContext(ctx, "last use of a key was not noted", "key_id", key, "error", err.Error())
	}
}

// Flush returns when the last uses of keys are noted. Call it when no more keys
// are asked about, before the database is closed.
func (s *Store) Flush(ctx context.Context) error {
	noted := make(chan struct{})
	go func() {
		s.notes.Wait()
		close(noted)
	}()
	select {
	case <-noted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keyCache remembers answers about keys, good and bad, by hash.
type keyCache struct {
	mu      sync.RWMutex
	entries map[string]keyEntry
}

type keyEntry struct {
	project project.ID // 0 = no such key
	limits  KeyLimits
	at      time.Time
	fresh   time.Duration // from at: not asked again
}

func (c *keyCache) get(hash string) (keyEntry, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, ok := c.entries[hash]
	return entry, ok
}

func (c *keyCache) put(hash string, entry keyEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= keyCacheMax {
		for old, e := range c.entries { // bad keys go first: they are what a flood is made of
			if e.project == 0 {
				delete(c.entries, old)
			}
		}
	}
	if len(c.entries) >= keyCacheMax {
		clear(c.entries)
	}
	c.entries[hash] = entry
}

func (c *keyCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}
