package tenant

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/metadb"
)

// FirstStart is what a new installation begins with. Password and Key are
// stored only as hashes: print them now or never.
type FirstStart struct {
	Email    string
	Password string
	Org      Organisation
	Group    Group
	Project  Project
	Key      string
}

// adminEmail is the first account's address; it is only a name to sign in with.
const adminEmail = "admin@localhost"

// Bootstrap makes the organisation "MATRIX" with the project "default", a system
// admin with a random password and an ingest key, when there is no account at
// all. seed, if not nil, runs in the same transaction. On later starts, and on
// every node but one when several start at once, it returns nil.
func (s *Store) Bootstrap(ctx context.Context, seed func(ctx context.Context, tx *metadb.Tx, p Project) error) (*FirstStart, error) {
	begun := func(q metadb.Querier) (yes bool, err error) {
		var accounts int
		err = q.QueryRow(ctx, `SELECT count(*) FROM account`).Scan(&accounts)
		return accounts > 0, err
	}
	if yes, err := begun(s.db); err != nil || yes {
		return nil, err
	}
	password := newPassword()
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return nil, err
	}
	var first *FirstStart
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		first = nil
		if yes, err := begun(tx); err != nil || yes {
			return err
		}
		made := &FirstStart{Email: adminEmail, Password: password}
		admin, err := s.insertUser(ctx, tx, adminEmail, "admin", hash, true)
		if err != nil {
			return err
		}
		if made.Org, made.Group, err = s.insertOrg(ctx, tx, KindTeam, "MATRIX", admin.ID); err != nil {
			return err
		}
		set := ProjectSettings{Name: "default"}
		if err := set.check(); err != nil {
			return err
		}
		if made.Project, err = s.insertProject(ctx, tx, made.Org.ID, made.Group.ID, admin.ID, set); err != nil {
			return err
		}
		key, err := s.insertKey(ctx, tx, admin.ID, made.Project.ID, "first start")
		if err != nil {
			return err
		}
		made.Key = key.Secret
		if seed != nil {
			if err := seed(ctx, tx, made.Project); err != nil {
				return err
			}
		}
		first = made
		return nil
	})
	if err != nil {
		return nil, err
	}
	return first, nil
}
