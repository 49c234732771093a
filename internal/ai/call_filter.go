package ai

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// CallFilter says which calls are meant; an empty field means all.
type CallFilter struct {
	// From and To are when a call began, in [From, To). What is outside is not read.
	From, To time.Time
	Role     string
	// RoleOf is org or installation: whose the role is.
	RoleOf   string
	Version  int
	Ref      string
	Provider string
	Model    string
	Status   string
	// Schema is valid, invalid or none: what was found when the answer was checked.
	Schema string
	// Caller is a part of the kind or the name of who asked, or of what for.
	Caller string
	// Person and Token are the number of the account that asked and of the API
	// token it asked with, "0" for none.
	Person, Token string
	Purpose       string
	MinLatencyMs  int
	// Text is a part of what was said, as it was sent: masked.
	Text string
}

// callsMatching is the condition of a CallFilter but for its time.
const callsMatching = ` AND ({role:String} = '' OR role = {role:String}) AND ({role_of:String} = '' OR (role_owner = 0) = ({role_of:String} = 'installation')) AND ({version:UInt32} = 0 OR role_version = {version:UInt32})
	AND ({ref:String} = '' OR caller_ref = {ref:String}) AND ({provider:String} = '' OR provider = {provider:String}) AND ({model:String} = '' OR model = {model:String})
	AND ({status:String} = '' OR status = {status:String})
	AND ({schema:String} = '' OR ifNull(if(schema_valid, 'valid', 'invalid'), 'none') = {schema:String})
	AND ({caller:String} = '' OR positionCaseInsensitiveUTF8(concat(caller_kind, ' ', caller_name, ' ', purpose), {caller:String}) > 0)
	AND ({person:String} = '' OR person = toUInt64OrZero({person:String})) AND ({token:String} = '' OR token = toUInt64OrZero({token:String}))
	AND ({purpose:String} = '' OR purpose = {purpose:String})
	AND latency_ms >= {min_latency:UInt32}
	AND ({text:String} = '' OR positionCaseInsensitiveUTF8(message, {text:String}) > 0 OR positionCaseInsensitiveUTF8(answer, {text:String}) > 0
		OR positionCaseInsensitiveUTF8(system, {text:String}) > 0 OR positionCaseInsensitiveUTF8(error, {text:String}) > 0)`

// where is the condition of a filter, with its params.
func (f *CallFilter) where() (string, []clickhouse.Param, error) {
	within, params, err := begunIn(f.From, f.To)
	if err != nil {
		return "", nil, err
	}
	switch f.Schema {
	case "", "valid", "invalid", "none":
	default:
		return "", nil, fault.New(fault.Invalid, "an answer is valid, invalid or none").WithField("schema")
	}
	switch f.RoleOf {
	case "", "org", "installation":
	default:
		return "", nil, fault.New(fault.Invalid, "a role is of the org or of the installation").WithField("role_of")
	}
	for _, number := range []struct{ field, value string }{{"person", f.Person}, {"token", f.Token}} {
		if _, err := strconv.ParseUint(number.value, 10, 64); number.value != "" && err != nil {
			return "", nil, fault.New(fault.Invalid, "this is not a number").WithField(number.field)
		}
	}
	return within + callsMatching, append(params,
		clickhouse.P("role_of", f.RoleOf), clickhouse.P("role", f.Role), clickhouse.P("version", uint32(max(f.Version, 0))), clickhouse.P("ref", f.Ref), clickhouse.P("provider", f.Provider),
		clickhouse.P("model", f.Model), clickhouse.P("status", f.Status), clickhouse.P("schema", f.Schema), clickhouse.P("caller", f.Caller),
		clickhouse.P("min_latency", uint32(max(f.MinLatencyMs, 0))), clickhouse.P("text", f.Text),
		clickhouse.P("person", f.Person), clickhouse.P("token", f.Token), clickhouse.P("purpose", f.Purpose),
	), nil
}

// begunIn is the condition of calls that began in [from, to); an end that is zero
// is open. Partitions and parts of others are not read.
func begunIn(from, to time.Time) (condition string, params []clickhouse.Param, err error) {
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return "", nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	if !from.IsZero() {
		condition, params = ` AND at >= {from:DateTime64(3)}`, append(params, clickhouse.P("from", from.UTC()))
	}
	if !to.IsZero() {
		condition, params = condition+` AND at < {to:DateTime64(3)}`, append(params, clickhouse.P("to", to.UTC()))
	}
	return condition, params, nil
}

// VersionStats is how the answers of one version of a role were, over calls that
// found it by a label: tries, replays and experiments do not count.
type VersionStats struct {
	Role      string
	Owner     Owner
	Version   int
	Calls     int
	Answered  int // with status ok
	Checked   int // against the schema
	Valid     int
	Looked    int // whether they are grounded
	Grounded  int
	P50Ms     float64
	P95Ms     float64
	Priced    int // calls whose cost is known
	CostUSD   float64
	Model     string // that answered most
	FirstCall time.Time
	LastCall  time.Time
}

// QualityOf adds up the project's calls that began in [from, to) by version, the
// newest version of each role first. role "" means all.
func (g *Gateway) QualityOf(ctx context.Context, p project.ID, role string, from, to time.Time) ([]VersionStats, error) {
	if !from.Before(to) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	var rows []struct {
		Role     string    `ch:"role"`
		Owner    uint64    `ch:"role_owner"`
		Version  uint32    `ch:"role_version"`
		Calls    uint64    `ch:"calls"`
		Answered uint64    `ch:"answered"`
		Checked  uint64    `ch:"checked"`
		Valid    uint64    `ch:"valid"`
		Looked   uint64    `ch:"looked"`
		Grounded uint64    `ch:"grounded_calls"`
		P50      float64   `ch:"p50"`
		P95      float64   `ch:"p95"`
		Priced   uint64    `ch:"priced"`
		Cost     float64   `ch:"cost"`
		Model    []string  `ch:"top_model"`
		First    time.Time `ch:"first_call"`
		Last     time.Time `ch:"last_call"`
	}
	err := g.calls.telemetry.Select(ctx, p, &rows, `SELECT role, role_owner, role_version, count() AS calls, countIf(status = '`+CallOK+`') AS answered,
			countIf(schema_valid IS NOT NULL) AS checked, countIf(schema_valid = true) AS valid,
			countIf(grounded IS NOT NULL) AS looked, countIf(grounded = true) AS grounded_calls,
			quantileExact(0.5)(toFloat64(latency_ms)) AS p50, quantileExact(0.95)(toFloat64(latency_ms)) AS p95,
			countIf(cost_usd IS NOT NULL) AS priced, sum(ifNull(cost_usd, 0)) AS cost,
			topK(1)(model::String) AS top_model, min(at) AS first_call, max(at) AS last_call
		FROM (SELECT call_id, at, role, role_owner, role_version, status, schema_valid, grounded, latency_ms, cost_usd, model FROM ai_calls
			WHERE project_id = {project:UInt32} AND at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)} AND role != '' AND label != ''
				AND ({role:String} = '' OR role = {role:String}) LIMIT 1 BY call_id)
		GROUP BY role, role_owner, role_version ORDER BY role, role_owner, role_version DESC LIMIT 500`,
		clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("role", role))
	if err != nil {
		return nil, fmt.Errorf("add up the quality of ai calls: %w", err)
	}
	out := make([]VersionStats, 0, len(rows))
	for _, r := range rows {
		v := VersionStats{Role: r.Role, Owner: Owner(r.Owner), Version: int(r.Version), Calls: int(r.Calls), Answered: int(r.Answered), Checked: int(r.Checked), Valid: int(r.Valid),
			Looked: int(r.Looked), Grounded: int(r.Grounded), P50Ms: r.P50, P95Ms: r.P95, Priced: int(r.Priced), CostUSD: r.Cost, FirstCall: r.First.UTC(), LastCall: r.Last.UTC()}
		if len(r.Model) > 0 {
			v.Model = r.Model[0]
		}
		out = append(out, v)
	}
	return out, nil
}

// Sampled is a call that a sample picked.
type Sampled struct {
	Project project.ID
	CallID  string
	At      time.Time
}

// Sample picks answered calls of a role of the installation since a moment, of all projects: those
// of the calls whose id falls into the share, so that a call that was picked once
// is picked again. Calls that name their version are not among them. version 0
// means all but those in but.
func (g *Gateway) Sample(ctx context.Context, role string, version int, but []int, sharePercent int, since time.Time, limit int) ([]Sampled, error) {
	others := make([]uint32, len(but))
	for i, v := range but {
		others[i] = uint32(v)
	}
	var rows []struct {
		Project uint32    `ch:"project_id"`
		CallID  string    `ch:"call_id"`
		At      time.Time `ch:"at"`
	}
	err := g.calls.telemetry.SystemSelect(ctx, &rows, `SELECT project_id, call_id, at FROM ai_calls
		WHERE at >= {since:DateTime64(3)} AND role = {role:String} AND role_owner = 0 AND status = '`+CallOK+`' AND label != '' AND answer != ''
			AND ({version:UInt32} = 0 AND NOT has({but:Array(UInt32)}, role_version) OR role_version = {version:UInt32} AND {version:UInt32} != 0)
			AND sipHash64(call_id) % 100 < {share:UInt32}
		ORDER BY at LIMIT 1 BY call_id LIMIT {limit:UInt64}`,
		clickhouse.P("since", since.UTC()), clickhouse.P("role", role), clickhouse.P("version", uint32(max(version, 0))), clickhouse.P("but", others),
		clickhouse.P("share", uint32(max(sharePercent, 0))), clickhouse.P("limit", uint64(max(limit, 0))))
	if err != nil {
		return nil, fmt.Errorf("sample ai calls: %w", err)
	}
	out := make([]Sampled, len(rows))
	for i, r := range rows {
		out[i] = Sampled{project.ID(r.Project), r.CallID, r.At.UTC()}
	}
	return out, nil
}
