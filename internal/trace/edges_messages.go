package trace

import "time"

// lag is how long after it was sent a message can be received and still be
// found by the span that sent it, where only that one names the topic.
const lag = time.Hour

// messageCalls finds the messages that were sent and received in [from, to), in
// the columns of edgeJoin: each an edge between a service and a topic. Both sides
// name the topic, so it matters neither how far apart they are nor whether a
// parent or links connect them. These spans are messages:
//
//   - a producer sends, a consumer receives,
//   - a client span with a destination sends, or receives where its operation says so: newer
//     conventions record a poll like that. One that settles does neither.
//
// A message is counted once: of a span whose service has another of its kind
// below it or linked to it, only the other counts, as of a poll whose messages have spans of
// their own, and of a client that sends messages that other spans created.
//
// Where one side does not name the topic, the other does: a span that receives
// is connected by its parent and its links to the spans that sent, be it one or a batch.
//
// Source: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ 1.37
const messageCalls = `
	SELECT false AS told_by_caller, start AS at, environment, duration, status = 2 AS error,
		if(receives, 'queue', 'service') AS from_kind, if(receives, topic, service) AS from_name,
		if(receives, 'service', 'queue') AS to_kind, '' AS to_system, if(receives, service, topic) AS to_name, '' AS to_address
	FROM (
		SELECT start, environment, duration, status, service, receives, arrayJoin(multiIf(messaging != '', [messaging], empty(topics), [peer], topics)) AS topic
		FROM (
			SELECT start, environment, duration, status, service, receives, messaging, peer, groupUniqArrayIf(topic, topic != '') AS topics
			FROM (
				SELECT *, arrayJoin(if(messaging = '' AND receives AND notEmpty(origins), origins, [(trace_id, span_id)])) AS message FROM (` + messageSpans + `)
			) AS m LEFT ANY JOIN (
				SELECT (trace_id, span_id) AS message, messaging AS topic FROM spans
				WHERE ` + spansBefore + ` AND messaging != '' AND trace_id IN (
					SELECT arrayJoin(` + originSpans + `).1 FROM spans WHERE ` + spansBetween + ` AND kind = 5 AND messaging = '')
				UNION ALL
				SELECT arrayJoin(` + originSpans + `) AS message, messaging AS topic FROM spans
				WHERE ` + spansApart + ` AND kind = 5 AND messaging != ''
			) AS named ON m.message = named.message
			GROUP BY trace_id, span_id, start, environment, duration, status, service, receives, messaging, peer
		)
	)`

// messageSpans are the spans that messageCalls counts: those that no other span
// of their service stands for.
const messageSpans = `
	SELECT trace_id, span_id, start, environment, duration, status, service, messaging, peer, origins,
		kind = 5 OR operation IN ('receive', 'process', 'deliver') AS receives
	FROM (
		SELECT trace_id, span_id, start, environment, duration, status, service, messaging, peer, kind, ` + originSpans + ` AS origins, '' AS operation
		FROM spans
		WHERE ` + spansBetween + ` AND cityHash64(trace_id) % {keep:UInt64} = 0 AND kind IN (4, 5)
		UNION ALL
		SELECT trace_id, span_id, start, environment, duration, status, service, messaging, peer, kind, ` + linkedSpans + ` AS origins,
			attr_values[indexOf(attr_keys, if(has(attr_keys, 'messaging.operation.type'), 'messaging.operation.type', 'messaging.operation'))] AS operation
		FROM spans
		WHERE ` + spansBetween + ` AND cityHash64(trace_id) % {keep:UInt64} = 0 AND kind = 3 AND messaging != '' AND db_system = ''
	)
	WHERE operation != 'settle' AND NOT (kind = 3 AND NOT receives AND notEmpty(origins))
		AND NOT arrayExists(id -> (service, receives, id) IN (
				SELECT service, kind = 5, arrayJoin(` + originSpans + `) FROM spans WHERE ` + spansApart + ` AND kind IN (4, 5)),
			if(kind = 3, arrayPushBack(origins, (trace_id, span_id)), [(trace_id, span_id)]))`

// originSpans are the spans that a row of spans has as its parent or links to.
const originSpans = `arrayFilter(o -> o.2 != 0, arrayPushBack(` + linkedSpans + `, (trace_id, parent_id)))`

// linkedSpans are the spans that a row of spans links to.
const linkedSpans = `arrayMap(l -> (toFixedString(unhex(l.1), 16), reinterpretAsUInt64(reverse(unhex(l.2)))),
	JSONExtract(links, 'Array(Tuple(trace_id String, span_id String))'))`
