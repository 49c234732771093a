package trace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// linked returns the span with links to those others.
func linked(s tracetest.Span, to ...tracetest.Span) tracetest.Span {
	for _, other := range to {
		s.Links = append(s.Links, trace.Link{TraceID: other.Trace, SpanID: other.ID})
	}
	return s
}

// messaging is what a test about messages stores, and the edges it wants, eitherWay.
func messaging(t *testing.T, want map[string]string, spans ...tracetest.Span) {
	t.Helper()
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1, spans...)
	eitherWay(t, db, store, func(t *testing.T) {
		t.Helper()
		_, edges := graph(t, store, trace.GraphQuery{})
		if diff := cmp.Diff(want, edges); diff != "" {
			t.Error(diff)
		}
	})
}

const topic = "messaging.destination.name"

func TestAConsumerThatLinksToItsProducersIsBehindTheirQueue(t *testing.T) {
	first := spanOf(1, "order", 2, 1, trace.KindProducer, 0, ms, topic, "orders")
	second := spanOf(2, "order", 4, 3, trace.KindProducer, 10*ms, ms, topic, "orders")
	third := spanOf(3, "return", 6, 5, trace.KindProducer, 20*ms, ms, topic, "returns")
	messaging(t, map[string]string{
		"service:order > queue:orders": "2/0", "queue:orders > service:delivery": "2/0",
		"service:return > queue:returns": "1/0", "queue:returns > service:delivery": "1/0",
	}, first, second, third,
		// A batch of one topic, in a trace of its own below a timer.
		spanOf(9, "delivery", 10, 0, trace.KindInternal, 20*time.Minute, time.Second),
		linked(spanOf(9, "delivery", 11, 10, trace.KindConsumer, 20*time.Minute+ms, 40*ms, topic, "orders"), first, second),
		// A batch of several topics names none of them.
		linked(spanOf(10, "delivery", 12, 0, trace.KindConsumer, 30*time.Minute, 40*ms, "server.address", "broker"), first, second, third))
}

func TestASideThatDoesNotNameTheTopicLearnsItFromTheOther(t *testing.T) {
	named := spanOf(1, "order", 2, 1, trace.KindProducer, 0, ms, topic, "orders")
	nameless := spanOf(2, "order", 4, 3, trace.KindProducer, 10*ms, ms, "server.address", "broker")
	linkedTo := spanOf(3, "order", 6, 5, trace.KindProducer, 10*ms, ms)
	messaging(t, map[string]string{
		"service:order > queue:orders":    "1/0",
		"service:order > queue:refunds":   "2/0",
		"queue:orders > service:delivery": "1/0",
		"queue:refunds > service:pay":     "2/0",
	}, named, nameless, linkedTo,
		spanOf(1, "delivery", 7, 2, trace.KindConsumer, 50*time.Minute, ms),
		spanOf(2, "pay", 8, 4, trace.KindConsumer, time.Second, ms, topic, "refunds"),
		linked(spanOf(8, "pay", 9, 0, trace.KindConsumer, time.Second, ms, topic, "refunds"), linkedTo))
}

func TestATopicThatNeitherSideNamesIsStillBetweenThem(t *testing.T) {
	sent := spanOf(1, "order", 2, 1, trace.KindProducer, 0, ms)
	messaging(t, map[string]string{"service:order > queue:": "1/0", "queue: > service:delivery": "1/0"},
		sent, linked(spanOf(2, "delivery", 3, 0, trace.KindConsumer, time.Second, ms), sent))
}

func TestAMessageThatIsPolledAndProcessedIsReceivedOnce(t *testing.T) {
	first := spanOf(1, "order", 2, 1, trace.KindProducer, 0, ms, topic, "orders")
	second := spanOf(2, "order", 4, 3, trace.KindProducer, 0, ms, topic, "orders")
	poll := func(n uint64, kind trace.Kind) tracetest.Span {
		return linked(spanOf(n, "delivery", trace.SpanID(n), 0, kind, time.Second, ms, topic, "orders", "messaging.operation.type", "receive"), first, second)
	}
	process := func(n uint64, id, parent trace.SpanID) tracetest.Span {
		return spanOf(n, "delivery", id, parent, trace.KindConsumer, 2*time.Second, 10*ms, topic, "orders", "messaging.operation.type", "process")
	}
	want := map[string]string{"service:order > queue:orders": "2/0", "queue:orders > service:delivery": "2/0"}
	for _, kind := range []trace.Kind{trace.KindConsumer, trace.KindClient} { // of older and of newer conventions
		t.Run(kind.String()+" above", func(t *testing.T) {
			messaging(t, want, first, second, poll(10, kind), linked(process(10, 11, 10), first), linked(process(10, 12, 10), second))
		})
		t.Run(kind.String()+" linked to", func(t *testing.T) {
			messaging(t, want, first, second, poll(10, kind), linked(process(1, 11, 2), poll(10, kind)), linked(process(2, 12, 4), poll(10, kind)))
		})
	}
	t.Run("beside", func(t *testing.T) {
		messaging(t, want, first, second, poll(10, trace.KindClient), process(1, 11, 2), process(2, 12, 4))
	})
	t.Run("alone", func(t *testing.T) {
		messaging(t, map[string]string{"service:order > queue:orders": "2/0", "queue:orders > service:delivery": "1/0"},
			first, second, poll(10, trace.KindClient))
	})
}

func TestAClientThatSendsIsNoReceiver(t *testing.T) {
	operation := "messaging.operation.type"
	created := spanOf(2, "order", 21, 20, trace.KindProducer, 0, ms, topic, "orders", operation, "create")
	messaging(t, map[string]string{"service:order > queue:orders": "2/0"},
		spanOf(1, "order", 11, 10, trace.KindClient, 0, ms, topic, "orders", operation, "send", "server.address", "broker"),
		created, linked(spanOf(2, "order", 22, 20, trace.KindClient, 0, ms, topic, "orders", operation, "send"), created),
		spanOf(3, "order", 31, 30, trace.KindClient, 0, ms, topic, "orders", operation, "settle"))
}

func TestAJoinOfAMinuteReadsTheMinutesAroundIt(t *testing.T) {
	db, store := tracetest.Open(t)
	if err := db.Exec(t.Context(), `INSERT INTO spans (project_id, retention_days, trace_id, span_id, service, name, kind, messaging, start, duration)
		SELECT 1, 20000, toFixedString(unhex(hex(MD5(toString(number)))), 16), number + 1, 'api', 's', 4, 'orders',
			toDateTime64('2025-06-17 13:03:00', 9, 'UTC') + toIntervalMillisecond(10 * number), 1000
		FROM numbers(360000)`); err != nil {
		t.Fatal(err)
	}
	read := func() uint64 {
		t.Helper()
		before := selectedRows(t, db)
		if _, err := store.Graph(t.Context(), 1, trace.GraphQuery{From: noon.Add(-10 * time.Minute), To: noon.Add(-9 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		return selectedRows(t, db) - before
	}
	// The table is sorted by five minutes of 30,000 spans, and read seven times.
	if n := read(); n > 500_000 {
		t.Errorf("%d rows were read for a minute of 6,000 spans", n)
	}
}
