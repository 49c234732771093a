package shop

import (
	"fmt"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// totalHistory is the statement that becomes slow. order-api runs with the agent's sanitiser off, so it comes with its literals.
const totalHistory = `/* order.selectTotalHistory */
SELECT COUNT(1)
  FROM (
        WITH step1 AS (
            SELECT o.order_no, o.member_no, o.ordered_at, o.total_amount
              FROM tb_order o
             WHERE o.member_no = %d
               AND o.ordered_at >= '%s'
               AND o.order_status <> 'CANCELLED'
        ), step2 AS (
            SELECT s.order_no, s.ordered_at, i.product_no, i.quantity
              FROM step1 s
              JOIN tb_order_item i ON i.order_no = s.order_no
        ), step3 AS (
            SELECT s.order_no, s.ordered_at, s.product_no, p.paid_at, p.pay_method
              FROM step2 s
              LEFT JOIN tb_payment_history p ON p.order_no = s.order_no AND p.pay_status IN ('PAID', 'REFUNDED')
        )
        SELECT s.order_no, s.product_no, d.delivered_at
          FROM step3 s
          LEFT JOIN tb_delivery_history d ON d.order_no = s.order_no
         WHERE DATE_FORMAT(s.ordered_at, '%%Y%%m') BETWEEN '%s' AND '%s'
       ) total`

// The times of a transaction that meets the fault. Of 11,354 ms it spends 11,327 ms in SQL, 8,003 ms of them in
// its eleventh step.
const (
	faultyTotal   = 11_354 * time.Millisecond
	faultyCount   = 8_003 * time.Millisecond
	faultyItems   = 1_632 * time.Millisecond
	faultyOrders  = 1_480 * time.Millisecond
	faultyMember  = 212 * time.Millisecond
	faultyOutside = faultyTotal - faultyCount - faultyItems - faultyOrders - faultyMember
)

// historyTimes are how long each part of the transaction takes.
type historyTimes struct {
	member, orders, items, count time.Duration // the statements
	session, points              time.Duration // Redis, and the call to member
	rest                         time.Duration // everything between them
}

func (t *trace) historyTimes(p *pod) historyTimes {
	if t.slow && p == t.fleet.sick(t.start) {
		t.slowed = true
		h := historyTimes{member: faultyMember, orders: faultyOrders, items: faultyItems, count: faultyCount,
			session: 1100 * time.Microsecond, points: 9 * time.Millisecond}
		h.rest = faultyOutside - h.session - h.points
		if t.jitter {
			h.count += time.Duration(t.rng.IntN(1900)) * time.Millisecond
			h.orders = t.around(h.orders)
			h.items = t.around(h.items)
		}
		return h
	}
	return historyTimes{
		member: t.around(2 * time.Millisecond), orders: t.around(9 * time.Millisecond), items: t.around(14 * time.Millisecond), count: t.around(38 * time.Millisecond),
		session: t.around(800 * time.Microsecond), points: t.around(6 * time.Millisecond), rest: t.around(11 * time.Millisecond),
	}
}

// history shows a member the orders of the past. The transaction in order-api has twelve steps; on is the pod
// that serves it, nil for any.
func history(t *trace, on *pod) {
	memberNo := 88_000_000 + t.rng.IntN(999_999)
	page := 1 + t.rng.IntN(4)
	query := fmt.Sprintf("page=%d&size=20", page)
	if on == nil {
		on = t.pod(orderAPI)
	}
	serve := func(c call) int {
		h := t.historyTimes(on)
		pause := h.rest / 14
		c.spend(pause)
		c.method(controller, "com.shop.order.web.OrderHistoryController", "history", func(c call, _ *tracepb.Span) {
			c.spend(pause)
			c.redis("GET", fmt.Sprintf("session:%d", memberNo), h.session)
			c.method(annotated, "com.shop.order.service.OrderHistoryService", "search", func(c call, _ *tracepb.Span) {
				c.spend(pause)
				c.traced(pause, h.member, "com.shop.order.repository.MemberRepository", "selectMember", 41, func(c call) *tracepb.Span {
					return c.sql(orderDB, fmt.Sprintf("/* member.selectMember */ SELECT m.member_no, m.grade, m.joined_at FROM tb_member m WHERE m.member_no = %d", memberNo), "tb_member", h.member)
				})
				c.spend(pause)
				c.traced(pause, h.orders, "com.shop.order.repository.OrderRepository", "selectOrders", 57, func(c call) *tracepb.Span {
					return c.sql(orderDB, fmt.Sprintf("/* order.selectOrders */ SELECT o.order_no, o.ordered_at, o.order_status, o.total_amount FROM tb_order o WHERE o.member_no = %d ORDER BY o.ordered_at DESC LIMIT 20", memberNo), "tb_order", h.orders)
				})
				c.spend(2 * pause)
				stacked(c.sql(orderDB, "/* order.selectOrderItems */ SELECT i.order_no, i.product_no, i.quantity, i.price FROM tb_order_item i WHERE i.order_no IN (?, ?, ?, ?, ?, ?, ?, ?)", "tb_order_item", h.items), h.items, "com.shop.order.service.OrderHistoryService", "search", 63)
				c.spend(2 * pause)
				from, to := t.start.AddDate(-3, 0, 0), t.start
				c.traced(pause, h.count, "com.shop.order.repository.OrderHistoryRepository", "selectTotalHistory", 112, func(c call) *tracepb.Span {
					return c.sql(orderDB, fmt.Sprintf(totalHistory, memberNo, from.Format("2006-01-02"), from.Format("200601"), to.Format("200601")), "", h.count)
				})
				rows := c.words.IntN(240)
				if h.count >= slowFrom {
					c.log(sqlLog, warn, fmt.Sprintf("느린 SQL: order.selectTotalHistory %d ms (기준 %d ms), 조회 %d건", h.count.Milliseconds(), slowFrom.Milliseconds(), rows), str("sql.id", "order.selectTotalHistory"))
				}
				c.log(historyLog, info, fmt.Sprintf("주문 내역 조회: 회원번호=%d, %d쪽, 전체 %d건", memberNo, page, rows), num("member_no", memberNo))
			})
			c.spend(pause)
			c.memberPoints(memberNo, h.points)
			c.spend(h.rest - 12*pause)
		})
		return 200
	}
	const route = "/v1/api/orders/history"
	t.on(t.pod(gateway), "http", nil).serveHTTP("GET", route, route, query, func(c call) int {
		began := c.now
		status := c.callPod(on, "GET", route, route, query, serve)
		c.access("GET", route, target(route, query), status, began)
		return status
	})
}

// memberPoints asks member for the points of a member and takes exactly the given time.
func (c call) memberPoints(memberNo int, took time.Duration) {
	end := c.now.Add(took)
	path := fmt.Sprintf("/internal/members/%d/points", memberNo)
	const route = "/internal/members/{memberNo}/points"
	host := member.name + ".shop.svc.cluster.local"
	c.requestHTTP("GET", fmt.Sprintf("http://%s:%d%s", host, member.port, path), host, member.port, func(c call, _ *tracepb.Span) int {
		c.spend(took / 8)
		c.on(c.trace.pod(member), "http", c.parent).serveHTTP("GET", route, path, "", func(c call) int {
			c.spend(took / 8)
			c.sql(memberDB, "SELECT p.balance FROM member_point p WHERE p.member_no = ?", "member_point", took/2)
			c.log(pointLog, debug, fmt.Sprintf("balance of member %d is %d points", memberNo, 10*c.words.IntN(5_000)))
			return 200
		})
		c.now = end
		return 200
	})
}

// traced runs a statement inside of a repository method, after some work of the method's own.
func (c call) traced(work, took time.Duration, class, function string, line int, statement func(call) *tracepb.Span) {
	s := c.method(repository, class, function, func(c call, _ *tracepb.Span) {
		c.spend(work)
		stacked(statement(c), took, class, function, line)
	})
	stacked(s, took, class, function, line)
}

// stacked adds the stack trace that the agent's span-stacktrace extension, set to one second, takes at the end of slow spans.
func stacked(s *tracepb.Span, took time.Duration, class, function string, line int) {
	if took < time.Second {
		return
	}
	frames := append([]string{
		"io.opentelemetry.javaagent.shaded.instrumentation.api.instrumenter.Instrumenter.doEnd(Instrumenter.java:325)",
		"io.opentelemetry.javaagent.instrumentation.jdbc.JdbcAdviceScope.end(JdbcAdviceScope.java:106)",
		"com.mysql.cj.jdbc.ClientPreparedStatement.executeQuery(ClientPreparedStatement.java:1003)",
		"com.zaxxer.hikari.pool.ProxyPreparedStatement.executeQuery(ProxyPreparedStatement.java:52)",
		"org.apache.ibatis.executor.statement.PreparedStatementHandler.query(PreparedStatementHandler.java:65)",
		fmt.Sprintf("%s.%s(%s.java:%d)", class, function, simpleName(class), line),
		"com.shop.order.service.OrderHistoryService.search(OrderHistoryService.java:71)",
		"com.shop.order.web.OrderHistoryController.history(OrderHistoryController.java:38)",
	}, servletFrames...)
	s.Attributes = append(s.Attributes, str("code.stacktrace", stack(frames)))
}
