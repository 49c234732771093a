package mask_test

import (
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/mask"
)

func TestRedactShowsWhatKindOfValueWasThere(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := mask.Redact(in, mask.Personal()...); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("mail kim@example.com to 010-1234-5678 card 4111 1111 1111 1111 rrn 900101-1234568", "mail [email] to [phone] card [card] rrn [resident]")
	f("kim@example.com", "[email]")
	f("https://shop.example.com/users?email=kim@example.com&phone=010-1234-5678&page=2", "https://shop.example.com/users?email=[email]&phone=[phone]&page=2")
	f("https://shop.example.com/users?email=kim%40example.com", "https://shop.example.com/users?email=[email]")
	f("/users/kim@example.com/orders/17", "/users/[email]/orders/17")
	f("SELECT * FROM users WHERE email='kim@example.com' AND id = 42", "SELECT * FROM users WHERE email='[email]' AND id = 42")
	f("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123def456ghi789", "Bearer [secret]")
	f(`{"email":"kim@example.com"}`, `{"email":"[email]"}`)
	f("no stock for item 4711 at 10.0.0.7", "no stock for item 4711 at 10.0.0.7")
	f("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c")
	f("GET /api/v1/orders/{id}", "GET /api/v1/orders/{id}")
	f("", "")
}

func TestRedactTakesLiteralsOnlyWhenAsked(t *testing.T) {
	const text = "duplicate key value violates it: Key (city)=(Busan) already exists"
	if got := mask.Redact(text, mask.Personal()...); got != text {
		t.Errorf("got %q", got)
	}
	if got, want := mask.Redact(text, mask.Literal), "duplicate key value violates it: Key (city)=(?) already exists"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRedactLeavesTokensOfASession(t *testing.T) {
	masked, err := mask.NewSession().Mask("write to kim@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if got := mask.Redact(masked, mask.Personal()...); got != masked {
		t.Errorf("%q became %q", masked, got)
	}
}

func FuzzRedactLeavesNoAddress(f *testing.F) {
	f.Add("to ", " and on")
	f.Add("GET https://x.example.com/?q=", "&z=1")
	f.Add("INSERT INTO t VALUES ('", "')")
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + " kim@example.com " + after
		if got := mask.Redact(text, mask.Personal()...); strings.Contains(got, "kim@example.com") {
			t.Errorf("%q became %q", text, got)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	const line = "2026-11-29T12:00:01Z INFO order 4711 of kim@example.com paid with card ending 1111 by gateway-7, took 31 ms, GET https://shop.example.com/orders/4711?page=2"
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		mask.Redact(line, mask.Email, mask.Phone)
	}
}
