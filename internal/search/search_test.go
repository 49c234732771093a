package search

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// show writes a query the way it was understood.
func show(n Node) string {
	list := func(word string, nodes []Node) string {
		parts := make([]string, len(nodes))
		for i, n := range nodes {
			parts[i] = show(n)
		}
		return word + "(" + strings.Join(parts, " ") + ")"
	}
	switch n := n.(type) {
	case And:
		if len(n) == 1 {
			return show(n[0])
		}
		return list("and", n)
	case Or:
		return list("or", n)
	case Not:
		return "not(" + show(n.Node) + ")"
	case *Term:
		value := n.Value
		if len(n.More) > 0 {
			value = strings.Join(n.Values(), "|")
		}
		return fmt.Sprintf("%s%s[%s]@%d", n.Field, n.Op, value, n.Column)
	}
	return fmt.Sprintf("%T", n)
}

func TestAQueryIsReadAsItsWriterMeantIt(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		n, err := Parse(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		} else if got := show(n); got != want {
			t.Errorf("%s\n is %s\nnot %s", query, got, want)
		}
	}
	f("", "and()")
	f("  timeout ", "word[timeout]@3")
	f(`timeout "connection reset"`, "and(word[timeout]@1 phrase[connection reset]@9)")
	f("service:order-api level>=warn", "and(service=[order-api]@1 level>=[warn]@19)")
	f("duration:>2s", "duration>[2s]@1")
	f(`path~"^/v1 \"x\"\d"`, `path~[^/v1 "x"\d]@1`)
	f("-level:debug NOT x", "and(not(level=[debug]@2) not(word[x]@18))")
	f("a OR b c", "or(word[a]@1 and(word[b]@6 word[c]@8))")
	f("(a OR b) AND c", "and(or(word[a]@2 word[b]@7) word[c]@14)")
	f("has:http.route", "http.routehas[]@5")
	f("attr.customer!=\"\"", "attr.customer!=[]@1")
	f(`service:a,"b,c",d x,y`, "and(service=[a|b,c|d]@1 word[x,y]@19)")
	f("(service!=a,b(c)) p~a,b", "and(service!=[a|b(c)]@2 p~[a,b]@19)")
	f("결제 실패", "and(word[결제]@1 word[실패]@4)")
	f("f(x) a-b http://x/y?z", "and(word[f(x)]@1 word[a-b]@6 http=[//x/y?z]@10)")
	f("(status:5.. OR f(y))", "or(status=[5..]@2 word[f(y)]@16)")
	f("ORDER NOTE ANDROID", "and(word[ORDER]@1 word[NOTE]@7 word[ANDROID]@12)")
}

func TestAMistakeIsPointedAt(t *testing.T) {
	f := func(query string, column int) {
		t.Helper()
		_, err := Parse(query)
		if e := fault.As(err); e == nil || e.Kind != fault.Invalid || e.Field != "q" || !strings.HasPrefix(e.Message, fmt.Sprintf("column %d: ", column)) {
			t.Errorf("%s: %v, want column %d", query, err, column)
		}
	}
	f(`a "b`, 3)
	f("(a b", 1)
	f("a b)", 4)
	f("service:", 9)
	f("service: x", 9)
	f("a OR", 3)
	f("OR a", 1)
	f("NOT ", 1)
	f("service:a, b", 11)
	f("service:,b", 9)
	f(`service:"a"b`, 12)
	f(`"a"b`, 4)
	f("has:a,b", 5)
	f("a:"+strings.Repeat("b,", 50)+"b", 103)
	f(strings.Repeat("(", 20)+"a", 18)
	f(strings.Repeat("a ", 65), 129)
}

func TestNoQueryBreaksTheParser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		query := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", "(", ")", "-", "\"", "\\", ":", "=", "~", ">", " ", "OR", "NOT", "AND", "has:", "가", "\u2028"})).Draw(t, "query"), "")
		if n, err := Parse(query); err == nil {
			show(n)
		} else if !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v", query, err)
		}
	})
}
