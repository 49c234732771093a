package shop

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// The databases of the shop.
var (
	orderDB     = database{"mysql", "order-db.shop.internal", "shop_order", "order_app"}
	inventoryDB = database{"mysql", "stock-db.shop.internal", "shop_stock", "stock_app"}
	deliveryDB  = database{"mysql", "delivery-db.shop.internal", "shop_delivery", "delivery_app"}
	paymentDB   = database{"postgresql", "pay-db.shop.internal", "pay", "pay_app"}
	catalogDB   = database{"postgresql", "catalog-db.shop.internal", "catalog", "catalog_app"}
	memberDB    = database{"postgresql", "member-db.shop.internal", "member", "member_app"}
)

// flow is what one user does.
type flow func(*trace, *pod)

// flows with their share of the traffic, in percent.
var flows = []struct {
	share int
	flow  flow
}{
	{34, product}, {20, search}, {10, login}, {14, order}, {18, history}, {4, track},
}

func pick(rng *rand.Rand) flow {
	n := rng.IntN(100)
	for _, f := range flows {
		if n -= f.share; n < 0 {
			return f.flow
		}
	}
	return product
}

// product shows a product with its stock.
func product(t *trace, _ *pod) {
	id := 10_000 + t.rng.IntN(5_000)
	path := fmt.Sprintf("/v1/api/products/%d", id)
	const route = "/v1/api/products/{productId}"
	t.enter("GET", route, path, "", catalog, func(c call) int {
		c.compute(c.around(500*time.Microsecond), "GET "+route, showing)
		c.redis("GET", fmt.Sprintf("product:%d", id), c.around(700*time.Microsecond))
		if c.chance(3) {
			c.log(productLog, debug, fmt.Sprintf("cache miss for product:%d, loading it from the database", id))
			c.connection(c.around(60 * time.Microsecond))
			c.sqlRows(catalogDB, "SELECT p.product_no, p.name, p.price, b.name FROM product p JOIN brand b ON b.brand_no = p.brand_no WHERE p.product_no = ?", "", c.around(3*time.Millisecond), 1)
			c.redis("SETEX", fmt.Sprintf("product:%d ? ?", id), c.around(600*time.Microsecond))
		}
		c.callGRPC(inventory, "shop.inventory.v1.InventoryService", "GetStock", func(c call) int {
			c.spend(c.around(300 * time.Microsecond))
			c.redis("GET", fmt.Sprintf("stock:%d", id), c.around(600*time.Microsecond))
			if left := c.words.IntN(400); left < 12 {
				c.log(stockLog, warn, fmt.Sprintf("재고 부족 임박: 상품 %d, 남은 수량 %d", id, left), num("product_no", id))
			} else {
				c.log(stockLog, debug, fmt.Sprintf("stock of product %d: %d available", id, left))
			}
			return grpcOK
		})
		c.compute(c.around(700*time.Microsecond), "GET "+route, showing)
		c.log(productLog, info, fmt.Sprintf("상품 조회 productId=%d channel=%s", id, channels[c.words.IntN(len(channels))]))
		return 200
	})
}

var channels = [...]string{"web", "app", "partner"}

// search lists products.
func search(t *trace, _ *pod) {
	words := [...]string{"라이언", "춘식이", "텀블러", "인형", "키링", "usb"}
	word := words[t.rng.IntN(len(words))]
	query := "q=" + word + "&size=40"
	const route = "/v1/api/products"
	t.enter("GET", route, route, query, catalog, func(c call) int {
		began := c.now
		c.compute(c.around(700*time.Microsecond), "GET "+route, searching)
		c.connection(c.around(80 * time.Microsecond))
		c.sqlRows(catalogDB, "SELECT p.product_no, p.name, p.price FROM product p WHERE p.search_vector @@ plainto_tsquery(?) ORDER BY p.popularity DESC LIMIT ?", "product", c.around(24*time.Millisecond), 40)
		c.sqlRows(catalogDB, "SELECT c.category_no, COUNT(*) FROM product_category c WHERE c.product_no = ANY (?) GROUP BY c.category_no", "product_category", c.around(6*time.Millisecond), 9)
		c.compute(c.around(2*time.Millisecond), "GET "+route, searching)
		took := c.now.Sub(began)
		c.log(searchLog, info, fmt.Sprintf("상품 검색 '%s': %d건 중 40건, %d ms", word, 40+c.words.IntN(900), took.Milliseconds()))
		if took >= slowSearchAt {
			c.log(searchLog, warn, fmt.Sprintf("search for '%s' took %d ms, more than %d ms", word, took.Milliseconds(), slowSearchAt.Milliseconds()))
		}
		return 200
	})
}

// login signs a member in; one in fifteen types a wrong password.
func login(t *trace, _ *pod) {
	t.enter("POST", "/v1/api/login", "/v1/api/login", "", member, func(c call) int {
		c.spend(c.around(400 * time.Microsecond))
		c.method(repository, "com.shop.member.repository.MemberRepository", "findByEmail", func(c call, _ *tracepb.Span) {
			c.sql(memberDB, "SELECT m.member_no, m.email, m.password_hash, m.status FROM member m WHERE m.email = ?", "member", c.around(2*time.Millisecond))
		})
		c.spend(c.around(70 * time.Millisecond)) // the password hash
		memberNo := 88_000_000 + c.words.IntN(999_999)
		if c.chance(15) {
			c.log(loginLog, warn, fmt.Sprintf("로그인 실패: 비밀번호가 맞지 않습니다. 회원번호=%d, 연속 실패 %d회", memberNo, 1+c.words.IntN(4)), num("member_no", memberNo))
			return 401
		}
		c.redis("SETEX", "session:? ? ?", c.around(700*time.Microsecond))
		c.sql(memberDB, "UPDATE member SET last_login_at = now() WHERE member_no = ?", "member", c.around(3*time.Millisecond))
		c.log(loginLog, info, fmt.Sprintf("로그인 성공: 회원번호=%d", memberNo), num("member_no", memberNo))
		return 200
	})
}

var (
	payTimeout = &exception{"java.net.http.HttpTimeoutException", "request timed out", append([]string{
		"java.net.http/jdk.internal.net.http.HttpClientImpl.send(HttpClientImpl.java:569)",
		"com.shop.payment.partner.ApprovalClient.approve(ApprovalClient.java:74)",
		"com.shop.payment.service.PaymentService.approve(PaymentService.java:118)",
	}, grpcFrames...)}
	payUnavailable = &exception{"io.grpc.StatusRuntimeException", "UNAVAILABLE: approval timed out", append([]string{
		"io.grpc.stub.ClientCalls.toStatusRuntimeException(ClientCalls.java:268)",
		"com.shop.order.payment.PaymentGateway.approve(PaymentGateway.java:52)",
		"com.shop.order.service.OrderService.place(OrderService.java:141)",
	}, servletFrames...)}
	deadlock = &exception{"com.mysql.cj.jdbc.exceptions.MySQLTransactionRollbackException", "Deadlock found when trying to get lock; try restarting transaction", append([]string{
		"com.mysql.cj.jdbc.exceptions.SQLError.createSQLException(SQLError.java:123)",
		"com.mysql.cj.jdbc.ClientPreparedStatement.executeUpdate(ClientPreparedStatement.java:1061)",
		"com.shop.inventory.repository.StockRepository.reserve(StockRepository.java:88)",
	}, grpcFrames...)}
)

// order places an order. One payment in forty times out at the partner, one reservation in a hundred meets a
// deadlock and is tried again.
func order(t *trace, _ *pod) {
	memberNo, items := 88_000_000+t.rng.IntN(999_999), 1+t.rng.IntN(4)
	orderNo := 20_250_000_000 + t.words.IntN(9_999_999)
	t.enter("POST", "/v1/api/orders", "/v1/api/orders", "", orderAPI, func(c call) int {
		status := 201
		c.method(controller, "com.shop.order.web.OrderController", "place", func(c call, s *tracepb.Span) {
			s.Attributes = append(s.Attributes, str("enduser.id", fmt.Sprint(memberNo)))
			c.spend(c.around(800 * time.Microsecond))
			c.log(orderLog, info, fmt.Sprintf("주문 접수: 회원번호=%d, 상품 %d종, 결제금액 %d원", memberNo, items, 1_000*(9+c.words.IntN(180))), num("member_no", memberNo))
			c.memberPoints(memberNo, c.around(6*time.Millisecond))
			c.callGRPC(inventory, "shop.inventory.v1.InventoryService", "Reserve", func(c call) int {
				c.reserve(items)
				return grpcOK
			})
			c.connection(c.around(70 * time.Microsecond))
			c.sql(orderDB, "/* order.insertOrder */ INSERT INTO tb_order (member_no, order_status, total_amount, ordered_at) VALUES (?, 'PLACED', ?, NOW(3))", "tb_order", c.around(4*time.Millisecond))
			for range items {
				c.sql(orderDB, "/* order.insertOrderItem */ INSERT INTO tb_order_item (order_no, product_no, quantity, price) VALUES (?, ?, ?, ?)", "tb_order_item", c.around(2*time.Millisecond))
			}
			if c.callGRPC(payment, "shop.payment.v1.PaymentService", "Approve", call.approve) != grpcOK {
				c.sql(orderDB, "/* order.updateStatus */ UPDATE tb_order SET order_status = 'PAYMENT_FAILED' WHERE order_no = ?", "tb_order", c.around(3*time.Millisecond))
				c.fail(s, payUnavailable)
				c.logException(orderLog, severe, payUnavailable, fmt.Sprintf("주문 실패: 결제 승인을 받지 못했습니다. 주문번호=%d", orderNo))
				status = 503
				return
			}
			c.sql(orderDB, "/* order.updateStatus */ UPDATE tb_order SET order_status = 'PAID' WHERE order_no = ?", "tb_order", c.around(3*time.Millisecond))
			c.publish("order-events", delivery, func(c call) {
				c.spend(c.around(time.Millisecond))
				c.sql(deliveryDB, "INSERT INTO tb_delivery (order_no, status, created_at) VALUES (?, 'READY', NOW())", "tb_delivery", c.around(4*time.Millisecond))
				c.logJSON(consumerLog, info, parcel{Event: "delivery.created", OrderNo: orderNo, Status: "READY", Hub: hubs[c.words.IntN(len(hubs))]})
			})
			c.spend(c.around(900 * time.Microsecond))
			c.log(orderLog, info, fmt.Sprintf("order %d placed with %d items", orderNo, items), num("order_no", orderNo))
		})
		return status
	})
}

// parcel is what delivery logs, as JSON.
type parcel struct {
	Event      string `json:"event"`
	OrderNo    int    `json:"order_no,omitempty"`
	DeliveryNo string `json:"delivery_no,omitempty"`
	Status     string `json:"status"`
	Hub        string `json:"hub,omitempty"`
	Hops       int    `json:"hops,omitempty"`
}

var hubs = [...]string{"곤지암", "옥천", "대전", "칠곡", "부산신항"}

// reserve takes items out of the stock.
func (c call) reserve(items int) {
	const statement = "UPDATE tb_stock SET available = available - ? WHERE product_no = ? AND available >= ?"
	c.spend(c.around(400 * time.Microsecond))
	for range items {
		if c.chance(100) {
			c.fail(c.sql(inventoryDB, statement, "tb_stock", c.around(50*time.Millisecond)), deadlock)
			c.logException(stockLog, warn, deadlock, fmt.Sprintf("deadlock on tb_stock, trying again to reserve product %d", 10_000+c.words.IntN(5_000)))
		}
		c.sql(inventoryDB, statement, "tb_stock", c.around(3*time.Millisecond))
		c.redis("DEL", "stock:?", c.around(600*time.Microsecond))
	}
}

var cards = [...]string{"card of issuer 11", "card of issuer 26", "easy pay", "bank transfer"}

// approve asks the payment company for its approval.
func (c call) approve() int {
	c.spend(c.around(600 * time.Microsecond))
	paymentNo := fmt.Sprintf("PAY-%08d", c.words.IntN(99_999_999))
	c.connection(c.around(60 * time.Microsecond))
	c.sql(paymentDB, "INSERT INTO payment (order_no, amount, status) VALUES (?, ?, ?) RETURNING payment_no", "payment", c.around(4*time.Millisecond))
	code, timedOut := grpcOK, c.chance(40)
	c.requestHTTP("POST", "https://api.pay-partner.example/v2/approvals", "api.pay-partner.example", 443, func(c call, s *tracepb.Span) int {
		if timedOut {
			c.spend(3 * time.Second)
			c.fail(s, payTimeout)
			c.logException(paymentLog, severe, payTimeout, fmt.Sprintf("approval of %s at api.pay-partner.example failed after 3000 ms", paymentNo))
			s.Attributes = append(s.Attributes, str("error.type", payTimeout.kind))
			return 0
		}
		c.spend(c.around(120 * time.Millisecond))
		return 200
	})
	status := "APPROVED"
	if timedOut {
		status, code = "FAILED", grpcUnavailable
	}
	c.sql(paymentDB, "UPDATE payment SET status = '"+status+"', approved_at = now() WHERE payment_no = ?", "payment", c.around(3*time.Millisecond))
	if !timedOut {
		c.log(paymentLog, info, fmt.Sprintf("payment %s approved, %s", paymentNo, cards[c.words.IntN(len(cards))]), str("payment_no", paymentNo))
	}
	return code
}

// track shows where a parcel is.
func track(t *trace, _ *pod) {
	no := fmt.Sprint(700_000 + t.rng.IntN(90_000))
	path := "/v1/api/deliveries/" + no
	t.enter("GET", "/v1/api/deliveries/{deliveryNo}", path, "", delivery, func(c call) int {
		c.spend(c.around(500 * time.Microsecond))
		c.sql(deliveryDB, "SELECT d.delivery_no, d.status, d.updated_at FROM tb_delivery d WHERE d.delivery_no = ?", "tb_delivery", c.around(2*time.Millisecond))
		// One query for each place the parcel has been at: the classic N+1.
		hops := 2 + c.rng.IntN(6)
		for range hops {
			c.sql(deliveryDB, "SELECT h.hub_name, h.scanned_at FROM tb_delivery_hub h WHERE h.hub_no = ?", "tb_delivery_hub", c.around(time.Millisecond))
		}
		c.logJSON(deliveryLog, debug, parcel{Event: "delivery.tracked", DeliveryNo: no, Status: "IN_TRANSIT", Hub: hubs[c.words.IntN(len(hubs))], Hops: hops})
		return 200
	})
}

// enter brings a request of a user through the gateway to a service.
func (t *trace) enter(method, route, path, query string, to *service, serve func(call) int) {
	t.on(t.pod(gateway), "http", nil).serveHTTP(method, route, path, query, func(c call) int {
		began := c.now
		c.spend(c.around(300 * time.Microsecond))
		status := c.callHTTP(to, method, route, path, query, serve)
		c.spend(c.around(200 * time.Microsecond))
		c.access(method, route, target(path, query), status, began)
		return status
	})
}

// The frames below the shop's own code.
var (
	servletFrames = []string{
		"java.base/java.lang.reflect.Method.invoke(Method.java:569)",
		"org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:258)",
		"org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1089)",
		"jakarta.servlet.http.HttpServlet.service(HttpServlet.java:658)",
		"org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:138)",
		"org.apache.coyote.http11.Http11Processor.service(Http11Processor.java:399)",
		"org.apache.tomcat.util.net.NioEndpoint$SocketProcessor.doRun(NioEndpoint.java:1797)",
		"java.base/java.lang.Thread.run(Thread.java:840)",
	}
	grpcFrames = []string{
		"io.grpc.stub.ServerCalls$UnaryServerCallHandler$UnaryServerCallListener.onHalfClose(ServerCalls.java:182)",
		"io.grpc.internal.ServerImpl$JumpToApplicationThreadServerStreamListener$1HalfClosed.runInContext(ServerImpl.java:860)",
		"java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)",
		"java.base/java.lang.Thread.run(Thread.java:840)",
	}
)

func simpleName(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
