package ai

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/project"
)

// attribute notes for whom a call was made.
func (c *Call) attribute(caller Caller, at place) {
	c.Org, c.Group = at.org, at.group
	c.Person, c.Token, c.Purpose = caller.Person, caller.Token, caller.purpose()
}

// purpose is what a call is for, as its record, its budgets and the usage name it.
func (c Caller) purpose() string { return cmp.Or(c.Purpose, c.Kind) }

// places remembers where projects are, so that a record needs no query: a project
// moves rarely.
type places struct {
	mu    sync.Mutex
	known map[project.ID]placed
}

type placed struct {
	place
	until time.Time
}

const (
	placeWithin = time.Minute
	placeWait   = 2 * time.Second // for the metadata, which may be away
	maxPlaces   = 10_000
)

// of returns what is remembered of where a project is.
func (s *places) of(p project.ID) (at place, found, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, found := s.known[p]
	return known.place, found, found && time.Now().Before(known.until)
}

// keep remembers where a project is.
func (s *places) keep(p project.ID, at place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxPlaces {
		s.known = map[project.ID]placed{}
	}
	s.known[p] = placed{at, time.Now().Add(placeWithin)}
}

// placeOf returns the organisation and the group of a project as they were within
// the last minute; none when they cannot be told, for the record of a call is kept
// all the same.
func (g *Gateway) placeOf(p project.ID) place {
	if g.place == nil || p == 0 {
		return place{}
	}
	at, err := g.locate(p)
	if err != nil {
		g.log.Warn("the organisation of a project is not known", "project_id", p, "error", err)
	}
	return at
}

// locate is placeOf with the error that keeps it from telling; a place that was
// known before is told all the same.
func (g *Gateway) locate(p project.ID) (place, error) {
	known, found, fresh := g.places.of(p)
	if fresh {
		return known, nil
	}
	// The caller may be gone by now, what it asked is recorded still.
	ctx, cancel := context.WithTimeout(context.Background(), placeWait)
	defer cancel()
	var at place
	var err error
	if at.org, at.group, err = g.place(ctx, p); err != nil {
		if found {
			return known, nil
		}
		return place{}, err
	}
	g.places.keep(p, at)
	return at, nil
}

// askedColumns are the columns of ai_calls that say who asked and when that was
// stored.
type askedColumns struct {
	org, group, person, token proto.ColUInt64
	purpose                   *lowColumn
	pricedColumns
}

func newAskedColumns() askedColumns {
	return askedColumns{purpose: low(), pricedColumns: newPricedColumns()}
}

func (c *askedColumns) append(call *Call) {
	c.org.Append(count(call.Org))
	c.group.Append(count(call.Group))
	c.person.Append(count(call.Person))
	c.token.Append(count(call.Token))
	c.purpose.Append(call.Purpose)
	c.pricedColumns.append(call.PriceVersion)
}

func (c *askedColumns) block() proto.Input {
	return append(proto.Input{
		{Name: "org_id", Data: c.org}, {Name: "group_id", Data: c.group}, {Name: "person", Data: c.person}, {Name: "token", Data: c.token}, {Name: "purpose", Data: c.purpose},
	}, c.pricedColumns.block()...)
}

// pricedColumns are what both tables have to count a row again.
type pricedColumns struct {
	price  proto.ColUInt64
	stored *proto.ColDateTime64
}

func newPricedColumns() pricedColumns {
	return pricedColumns{stored: new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)}
}

func (c *pricedColumns) append(version int64) {
	c.price.Append(count(version))
	c.stored.Append(time.Now())
}

func (c *pricedColumns) block() proto.Input {
	return proto.Input{{Name: "price_version", Data: c.price}, {Name: "stored_at", Data: c.stored}}
}

// askedRow is what a read of a call finds of them.
type askedRow struct {
	OrgID        uint64 `ch:"org_id"`
	GroupID      uint64 `ch:"group_id"`
	Person       uint64 `ch:"person"`
	Token        uint64 `ch:"token"`
	Purpose      string `ch:"purpose"`
	PriceVersion uint64 `ch:"price_version"`
}

const askedFacts = `org_id, group_id, person, token, purpose::String AS purpose, price_version`

func (r *askedRow) fill(c *Call) {
	c.Org, c.Group, c.Person, c.Token = int64(r.OrgID), int64(r.GroupID), int64(r.Person), int64(r.Token)
	c.Purpose, c.PriceVersion = r.Purpose, int64(r.PriceVersion)
}
