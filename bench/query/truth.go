package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/load"
)

// newestRows is how many transactions a page shows.
const newestRows = 50

// slow is from when a transaction is asked for by duration: one in 45 is.
const slow = 100 * time.Millisecond

// truth is what was sent, as far as questions ask about it.
type truth struct {
	transactions int
	failed       int
	perService   map[string]int
	perEndpoint  map[string]map[string]int // by service
	newest       map[string][]load.Transaction
	newestSlow   map[string][]load.Transaction
	perCustomer  map[string]int
	ended        []int64            // unix ns, sorted
	samples      []load.Transaction // some, spread over the data
	statements   int                // calls of SQL
	rareWords    int
}

// truth lists what was sent again.
func (f *filling) truth() (*truth, error) {
	listed, err := load.Transactions(f.load("traces", f.spans))
	if err != nil {
		return nil, err
	}
	t := &truth{
		perService: map[string]int{}, perEndpoint: map[string]map[string]int{}, newest: map[string][]load.Transaction{}, newestSlow: map[string][]load.Transaction{},
		perCustomer: map[string]int{}, rareWords: load.RareWords(f.load("logs", f.logs)),
	}
	// Enough samples that no question is asked twice with the same one.
	rng, wanted := rand.New(rand.NewPCG(seed, seed)), 8*f.runs
	chance := float64(wanted) / float64(f.spans/2)
	for x := range listed {
		t.transactions++
		t.perService[x.Service]++
		if t.perEndpoint[x.Service] == nil {
			t.perEndpoint[x.Service] = map[string]int{}
		}
		t.perEndpoint[x.Service][x.Endpoint]++
		t.perCustomer[x.Customer]++
		t.ended = append(t.ended, x.Ended)
		t.newest[x.Service] = keepNewest(t.newest[x.Service], x)
		if x.Elapsed >= slow {
			t.newestSlow[x.Service] = keepNewest(t.newestSlow[x.Service], x)
		}
		if x.Failed {
			t.failed++
		}
		if rng.Float64() < chance {
			t.samples = append(t.samples, x)
		}
	}
	for _, lists := range []map[string][]load.Transaction{t.newest, t.newestSlow} {
		for service := range lists {
			lists[service] = cutNewest(lists[service])
		}
	}
	slices.Sort(t.ended)
	rng.Shuffle(len(t.samples), func(i, j int) { t.samples[i], t.samples[j] = t.samples[j], t.samples[i] })
	// Every fifth service is the last of its traces: the second span of its hops is a statement.
	t.statements = t.transactions / 5
	return t, nil
}

// keepNewest keeps at least the newest of a list.
func keepNewest(list []load.Transaction, x load.Transaction) []load.Transaction {
	if list = append(list, x); len(list) > 100*newestRows {
		list = cutNewest(list)
	}
	return list
}

// cutNewest returns the newest ones, the newest first.
func cutNewest(list []load.Transaction) []load.Transaction {
	slices.SortFunc(list, func(a, b load.Transaction) int { return cmp.Compare(b.Ended, a.Ended) })
	return list[:min(len(list), newestRows)]
}

// services lists the services by name.
func (t *truth) services() []string {
	var names []string
	for name := range t.perService {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
