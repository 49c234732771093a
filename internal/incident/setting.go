package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// When the role incident-investigator may ask for more facts.
const (
	InvestigateOff = "off"
	// InvestigateUnclear is while the facts that code found carry no cause, or only
	// weakly one. It is the default: where they carry one, more facts cost tokens and
	// time and change nothing.
	InvestigateUnclear = "unclear"
	InvestigateAlways  = "always"
)

// AnalysisSettings are what a project wants of the analysis of its incidents.
type AnalysisSettings struct {
	Investigate string     `json:"investigate" enum:"off,unclear,always" doc:"when the role incident-investigator asks for more facts: never, where those found by code do not carry a cause, or for each incident"`
	Version     int64      `json:"version" doc:"0 while nothing was ever set"`
	UpdatedAt   *time.Time `json:"updated_at"`
	UpdatedBy   string     `json:"updated_by"`
}

// AnalysisSettings returns what the project has set, or the defaults.
func (s *Service) AnalysisSettings(ctx context.Context, p project.ID) (AnalysisSettings, error) {
	return analysisSettings(ctx, s.opts.DB, p)
}

func analysisSettings(ctx context.Context, q metadb.Querier, p project.ID) (AnalysisSettings, error) {
	set := AnalysisSettings{Investigate: InvestigateUnclear}
	var at int64
	err := q.QueryRow(ctx, `SELECT investigate, version, updated_at, updated_by FROM incident_analysis WHERE project_id = $1`, p).
		Scan(&set.Investigate, &set.Version, &at, &set.UpdatedBy)
	if err != nil && !errors.Is(err, metadb.ErrNoRows) {
		return set, fmt.Errorf("load analysis settings: %w", err)
	}
	set.UpdatedAt = optional(at)
	return set, nil
}

// SetAnalysisSettings changes them when set.Version is still the latest one, else
// it returns fault.Conflict. They hold from the next analysis on.
func (s *Service) SetAnalysisSettings(ctx context.Context, p project.ID, set AnalysisSettings, by string) (AnalysisSettings, error) {
	if !slices.Contains([]string{InvestigateOff, InvestigateUnclear, InvestigateAlways}, set.Investigate) {
		return set, fault.New(fault.Invalid, "investigate is off, unclear or always").WithField("investigate")
	}
	now := s.opts.Now()
	err := s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO incident_analysis (project_id, investigate, version, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (project_id) DO UPDATE SET investigate = excluded.investigate, version = excluded.version, updated_at = excluded.updated_at, updated_by = excluded.updated_by
			WHERE incident_analysis.version = $6`, p, set.Investigate, set.Version+1, metadb.Micros(now), by, set.Version)
		if err != nil {
			return fmt.Errorf("set analysis settings: %w", err)
		}
		latest, err := analysisSettings(ctx, tx, p)
		if err == nil && (n == 0 || latest.Version != set.Version+1) {
			err = fault.New(fault.Conflict, "the settings were changed by %s meanwhile: they are at version %d", latest.UpdatedBy, latest.Version)
		}
		set = latest
		return err
	})
	return set, err
}
