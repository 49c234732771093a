package issue

import (
	"fmt"
	"strings"
	"testing"
)

// read writes a parsed stack in short: exceptions by " | ", in-app frames with *.
func read(s Stack) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", s.Language)
	for i, e := range s.Exceptions {
		if i > 0 {
			b.WriteString(" |")
		}
		if e.Suppressed {
			b.WriteString(" suppressed")
		}
		fmt.Fprintf(&b, " %s(%s)", e.Type, e.Message)
		for _, f := range e.Frames {
			mark := ""
			if f.InApp {
				mark = "*"
			}
			fmt.Fprintf(&b, " %s%s.%s@%s:%d", mark, f.Module, f.Function, f.File, f.Line)
		}
		if e.Omitted > 0 {
			fmt.Fprintf(&b, " +%d", e.Omitted)
		}
	}
	return b.String()
}

const javaStack = `com.shop.OrderException: order 12 failed
	at com.shop.order.OrderService.lambda$place$3(OrderService.java:141)
	at com.shop.order.OrderService$$Lambda/0x00007f1c4c0d2a58.apply(Unknown Source)
	at com.shop.order.OrderService$$SpringCGLIB$$0.place(<generated>)
	at jdk.internal.reflect.GeneratedMethodAccessor42.invoke(Unknown Source)
	at java.base/java.lang.reflect.Method.invoke(Method.java:569)
	at app//com.shop.web.OrderController.place(OrderController.java:33)
	Suppressed: java.io.IOException: close
		at com.shop.io.Pipe.close(Pipe.java:9)
	Caused by: java.lang.Error: inner
		at com.shop.io.Pipe.flush(Pipe.java:4)
Caused by: java.sql.SQLTimeoutException: timed out after 30 s
	at com.mysql.cj.jdbc.ConnectionImpl.execute(ConnectionImpl.java:501)
	at com.shop.order.OrderRepository.insert(OrderRepository.kt)
	... 23 more
`

func TestAStackTraceOfEveryLanguageIsRead(t *testing.T) {
	f := func(kind, message, text, want string) {
		t.Helper()
		s := Parse(kind, message, text)
		(&Rules{}).Mark(&s)
		if got := read(s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f("", "", javaStack, "java: com.shop.OrderException(order 12 failed)"+
		" *com.shop.order.OrderService.lambda$place$3@OrderService.java:141 com.shop.order.OrderService$$Lambda/0x00007f1c4c0d2a58.apply@:0"+
		" com.shop.order.OrderService$$SpringCGLIB$$0.place@:0 jdk.internal.reflect.GeneratedMethodAccessor42.invoke@:0"+
		" java.lang.reflect.Method.invoke@Method.java:569 *com.shop.web.OrderController.place@OrderController.java:33"+
		" | suppressed java.io.IOException(close) *com.shop.io.Pipe.close@Pipe.java:9"+
		" | suppressed java.lang.Error(inner) *com.shop.io.Pipe.flush@Pipe.java:4"+
		" | java.sql.SQLTimeoutException(timed out after 30 s) com.mysql.cj.jdbc.ConnectionImpl.execute@ConnectionImpl.java:501"+
		" *com.shop.order.OrderRepository.insert@OrderRepository.kt:0 +23")
	f("Other", "given", "java.lang.X: printed\n\tat com.shop.A.b(A.java:1)", "java: Other(given) *com.shop.A.b@A.java:1")
	f("TypeError", "x is undefined", `TypeError: x is undefined
    at Cart.total (/app/src/cart.js:12:5)
    at async Object.<anonymous> (/app/node_modules/koa/lib/app.js:3:1)
    at new Order (file:///app/src/order.mjs:8:9)
    at /app/src/index.js:4:2
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  [cause]: Error: no price
      at price (/app/src/price.js:7:3)`,
		"javascript: TypeError(x is undefined) *.Cart.total@/app/src/cart.js:12 .Object.<anonymous>@/app/node_modules/koa/lib/app.js:3"+
			" *.Order@file:///app/src/order.mjs:8 *.@/app/src/index.js:4 .process.processTicksAndRejections@node:internal/process/task_queues:95"+
			" | Error(no price) *.price@/app/src/price.js:7")
	f("", "", "total@https://shop.example/static/cart.js:12:5\n@https://shop.example/static/app.js:1:1\n",
		"javascript: () *.total@https://shop.example/static/cart.js:12 *.@https://shop.example/static/app.js:1")
	f("", "", `Traceback (most recent call last):
  File "/app/shop/db.py", line 7, in connect
    raise OSError("refused")
OSError: refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/flask/app.py", line 880, in full_dispatch
    rv = self.dispatch()
         ^^^^^^^^^^^^^^^
  File "/app/shop/order.py", line 31, in place
    connect()
shop.errors.OrderError: cannot place: 3
`, "python: shop.errors.OrderError(cannot place: 3) *.place@/app/shop/order.py:31 .full_dispatch@/usr/lib/python3.12/site-packages/flask/app.py:880"+
		" | OSError(refused) *.connect@/app/shop/db.py:7")
	f("", "", `panic: index out of range [5] with length 3

goroutine 7 [running]:
panic({0x1a2b, 0x3c})
	/usr/local/go/src/runtime/panic.go:770 +0x132
shop/order.(*Service).Place.func1(0xc000, 0x2)
	/src/order/service.go:41 +0x1d
main.main()
	/src/main.go:9 +0x25

goroutine 8 [select]:
main.other()
	/src/main.go:99 +0x25
`, "go: panic(index out of range [5] with length 3) .panic@/usr/local/go/src/runtime/panic.go:770 *shop/order.(*Service).Place.func1@/src/order/service.go:41"+
		" *main.main@/src/main.go:9")
	f("", "", `Shop.OrderException: cannot place
 ---> System.TimeoutException: too slow
   at Shop.Db.Run(String sql, Int32 n) in /src/Db.cs:line 12
   --- End of inner exception stack trace ---
   at Shop.Orders.<PlaceAsync>d__12.MoveNext() in C:\src\Orders.cs:line 44
   at System.Threading.Tasks.Task.Wait()
   at Shop.Orders..ctor(Int32 n)`,
		"dotnet: Shop.OrderException(cannot place) *Shop.Orders.<PlaceAsync>d__12.MoveNext@C:\\src\\Orders.cs:44 System.Threading.Tasks.Task.Wait@:0 *Shop.Orders..ctor@:0"+
			" | System.TimeoutException(too slow) *Shop.Db.Run@/src/Db.cs:12")
	f("", "", "app/order.rb:12:in `place': no stock (Shop::StockError)\n\tfrom /usr/lib/ruby/gems/3.3/gems/rack/lib/rack.rb:3:in `block in call'\n\tfrom app.rb:1:in '<main>'\napp/db.rb:2:in 'Db#run': refused (IOError)",
		"ruby: Shop::StockError(no stock) *.place@app/order.rb:12 .call@/usr/lib/ruby/gems/3.3/gems/rack/lib/rack.rb:3 *.<main>@app.rb:1 | IOError(refused) *Db.run@app/db.rb:2")
	f("", "", `RuntimeException: inner in /app/src/Db.php:4
Stack trace:
#0 /app/src/Db.php(4): Shop\Db->run()
#1 {main}

Next LogicException: outer in /app/src/Order.php:9
Stack trace:
#0 /app/vendor/slim/App.php(99): Shop\Order::place(Object(X))
#1 [internal function]: Shop\Order->go()`,
		`php: LogicException(outer in /app/src/Order.php:9) Shop\Order.place@/app/vendor/slim/App.php:99 Shop\Order.go@:0`+
			` | RuntimeException(inner in /app/src/Db.php:4) *Shop\Db.run@/app/src/Db.php:4`)
	f("E", "m", "nothing of a stack", ": E(m)")
	f("E", "m", "", ": E(m)")
}

// fingerprint is that of a stack under rules that nobody changed.
func fingerprint(kind, message, text string) uint64 {
	s := Parse(kind, message, text)
	(&Rules{}).Mark(&s)
	return Fingerprint(Algorithm, "", &s)
}

func TestWhatVariesDoesNotChangeTheFingerprint(t *testing.T) {
	same := func(a, b string) {
		t.Helper()
		if fingerprint("", "", a) != fingerprint("", "", b) {
			t.Errorf("apart:\n%s\n%s", a, b)
		}
	}
	differ := func(a, b string) {
		t.Helper()
		if fingerprint("", "", a) == fingerprint("", "", b) {
			t.Errorf("together:\n%s\n%s", a, b)
		}
	}
	same(javaStack, strings.NewReplacer(":141)", ":150)", "lambda$place$3", "lambda$place$12", "0x00007f1c4c0d2a58", "0x00007f1c4c0daaaa",
		"SpringCGLIB$$0", "SpringCGLIB$$7", "Accessor42", "Accessor1", "order 12", "order 99", "... 23", "... 24").Replace(javaStack))
	same(javaStack, strings.Replace(javaStack, "\tat com.shop.order.OrderService$$SpringCGLIB$$0.place(<generated>)\n", "", 1))
	same(javaStack, strings.Replace(javaStack, "com.shop.io.Pipe.close(", "com.shop.io.Pipe.end(", 1)) // suppressed
	differ(javaStack, strings.Replace(javaStack, "OrderRepository.insert", "OrderRepository.update", 1))
	differ(javaStack, strings.Replace(javaStack, "SQLTimeoutException", "SQLException", 1))
	recursion := func(n int) string {
		return "E: x\n" + strings.Repeat("\tat com.shop.Tree.left(Tree.java:3)\n\tat com.shop.Tree.right(Tree.java:5)\n", n) + "\tat com.shop.Main.main(Main.java:1)"
	}
	same(recursion(3), recursion(40))
	same("E: x\n    at f (https://shop.example/a/cart-4f3a9c21.js:1:2)", "E: x\n    at f (https://cdn.example/a/cart-0badcafe.js?v=3:9:1)")
	differ("E: x\n    at f (/app/a.js:1:2)", "E: x\n    at f (/app/b.js:1:2)")
	same("panic: x\n\ngoroutine 1 [running]:\nmain.f.func1()\n\t/a/m.go:1 +0x1", "panic: y\n\ngoroutine 9 [running]:\nmain.f.func2()\n\t/a/m.go:7 +0x2")

	// Without an in-app frame the message decides, without its values.
	if fingerprint("E", "user 12 is gone", "") != fingerprint("E", "user 7712 is gone", "") {
		t.Error("a number in a message makes another issue")
	}
	if fingerprint("E", "user 12 is gone", "") == fingerprint("E", "no room", "") || fingerprint("E", "m", "") == fingerprint("F", "m", "") {
		t.Error("other messages or types are one issue")
	}
	s := Parse("E", "m", javaStack)
	if Fingerprint(1, "mine", &s) != Fingerprint(1, "mine", &Stack{}) || Fingerprint(1, "mine", &s) == Fingerprint(1, "yours", &s) {
		t.Error("a fingerprint that the application gives is not what decides")
	}
}

// What is remembered of an error must be what reading it anew yields.
func TestARememberedGroupIsThatOfItsStack(t *testing.T) {
	g := &Grouping{ways: []way{{algorithm: Algorithm}}}
	f := func(kind, message, stack string) {
		t.Helper()
		want := fingerprint(kind, message, stack)
		for range 2 {
			if got := g.Group(kind, message, stack, ""); got.Fingerprint != want {
				t.Errorf("%s %s: %x, want %x", kind, message, got.Fingerprint, want)
			}
		}
	}
	frames := "\n\tat com.shop.A.b(A.java:1)"
	f("E", "order 1 failed", "E: order 1 failed"+frames)
	f("E", "order 2 failed", "E: order 2 failed"+frames)
	f("", "order 2 failed", "F: order 2 failed"+frames)
	f("E", "order 2 failed", "E: order 2 failed")
	f("E", "x", "E: x ---> F: x\n   at A.B.C() in /a.cs:line 1")
	f("E", "x ---> F: x", "E: x ---> F: x\n   at A.B.C() in /a.cs:line 1")
	f("E", "x ---> G: x", "E: x ---> G: x\n   at A.B.C() in /a.cs:line 1")
	f("E", "y", "")
}

func TestRulesDecideWhatIsInApp(t *testing.T) {
	f := func(include, exclude, frame string, want bool) {
		t.Helper()
		r := Rules{Include: strings.Fields(include), Exclude: strings.Fields(exclude)}
		if err := r.check(); err != nil {
			t.Fatal(err)
		}
		s := Parse("", "", "E: x\n\tat "+frame)
		r.Mark(&s)
		if got := s.Exceptions[0].Frames[0].InApp; got != want {
			t.Errorf("+%s -%s %s: in-app %v", include, exclude, frame, got)
		}
	}
	f("", "", "com.shop.A.b(A.java:1)", true)
	f("", "", "org.springframework.A.b(A.java:1)", false)
	f("org.springframework.mine.", "", "org.springframework.mine.A.b(A.java:1)", true)
	f("", "com.shop.", "com.shop.A.b(A.java:1)", false)
	f("com.shop.", "com.shop.generated.", "com.shop.generated.A.b(A.java:1)", false)
	f("com.shop.generated.keep.", "com.shop.*.", "com.shop.generated.keep.A.b(A.java:1)", true)
	f("com.shop.", "com.shop.", "com.shop.A.b(A.java:1)", false)
	f("", "*Repository.", "com.shop.OrderRepository.b(A.java:1)", false)
	f("com.shop.", "", "com.shop.A$$Lambda/0x1.b(Unknown Source)", false)
	f("", "/app/lib/", "f (/app/lib/x.js:1:2)", false)
	for _, bad := range []Rules{{Include: []string{"*"}}, {Exclude: []string{strings.Repeat("x", 300)}}} {
		if bad.check() == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func FuzzAStackTraceIsReadInBounds(f *testing.F) {
	for _, seed := range []string{javaStack, "Traceback (most recent call last):\n  File \"x\", line 1, in f\nE: x", "goroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1",
		"#0 /a.php(1): X->y()", "a.rb:1:in `x': m (E)", "E: x\n ---> F: y\n   at A.B() in /a.cs:line 1\n   --- End of inner exception stack trace ---", "f@http://x/y.js:1:2"} {
		f.Add("E", "m", seed)
	}
	f.Fuzz(func(t *testing.T, kind, message, text string) {
		s := Parse(kind, message, text)
		(&Rules{Include: []string{"a*b"}}).Mark(&s)
		again := Parse(kind, message, text)
		(&Rules{Include: []string{"a*b"}}).Mark(&again)
		if a, b := Fingerprint(Algorithm, "", &s), Fingerprint(Algorithm, "", &again); a != b || a == 0 {
			t.Errorf("fingerprints %x and %x of one stack", a, b)
		}
		frames := 0
		for _, e := range s.Exceptions {
			frames += len(e.Frames)
			for _, f := range e.Frames {
				if len(f.Function) > maxFrameText || f.Line < 0 {
					t.Errorf("frame %+v", f)
				}
			}
		}
		if len(s.Exceptions) == 0 || len(s.Exceptions) > maxExceptions || frames > maxFrames {
			t.Errorf("%d exceptions, %d frames", len(s.Exceptions), frames)
		}
		_ = s.Culprit()
	})
}
