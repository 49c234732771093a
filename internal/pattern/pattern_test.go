package pattern

import "testing"

func TestAPatternKeepsTheWordsOfTheProgram(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if got := string(Append(nil, []byte(body))); got != want {
			t.Errorf("%q\n is %q\nnot %q", body, got, want)
		}
	}
	f("user 42 logged in", "user <*> logged in")
	f("12:00:01.123 ERROR [main] x", "<*>:<*>:<*> ERROR [main] x")
	f("GET /v1/orders/1234?x=9&y=abc 200 12ms", "GET /<*>/orders/<*>?x=<*>&y=<*>")
	f(`{"level":"error","msg":"no room","n":5}`, `{"level":<*>,"msg":<*>,"n":<*>}`)
	f("level=info took=3s user=bob", "level=<*> took=<*> user=<*>")
	f("can't open 'a file' now", "can't open <*> now")
	f("id 3f2c9a1e-7b6d-4e1f-9a00-0123456789ab done", "id <*> done")
	f("a   b\tc", "a b c")
	f("first\nsecond 2", "first")
	f("\n  first", "first")
	f("결제 123 실패", "결제 <*> 실패")
	f("", "")
	f("1 2 3 x", "<*> x")
	f(`open "`, `open "`)
}
