package mask_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

func TestATokenIsRestoredHoweverItIsBroken(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "orders"})
	token := masked(t, s, "orders")
	half := len(token) / 2
	a, b := token[:half], token[half:]
	for _, form := range []string{a + "\n" + b, a + "-\n" + b, a + "\r\n  " + b, a + " \n\t" + b, a + "\u200b" + b, a + "\u00ad" + b, "**" + token + "**", "`" + token + "`",
		"_" + token + "_", "“" + token + "”", strings.ToUpper(a) + "\n" + strings.ToUpper(b)} {
		want := strings.NewReplacer("**", "**", token, "orders").Replace(form)
		if strings.Contains(form, a) && !strings.Contains(form, token) || strings.Contains(form, strings.ToUpper(a)) {
			want = "orders"
		}
		if got := s.Unmask(form + " 끝"); got != want+" 끝" {
			t.Errorf("Unmask(%q) = %q, want %q", form, got, want)
		}
	}
	if got := s.UnmaskJSON(`{"a":"` + a + `\n` + b + `"}`); got != `{"a":"orders"}` {
		t.Errorf("got %s", got)
	}
	for _, other := range []string{a + " " + b, a + "\n\n" + b, a + ", " + b, a + "\n- " + b} {
		if got := s.Unmask(other); got != other {
			t.Errorf("Unmask(%q) = %q", other, got)
		}
	}
}

func TestAParticleOfKoreanStaysBehindTheOriginal(t *testing.T) {
	s := mask.NewSession()
	out := masked(t, s, "host db-main.corp, SELECT a FROM tb_order")
	fields := strings.Fields(out)
	host, table := strings.TrimSuffix(fields[1], ","), fields[5]
	for _, particle := range []string{"에서", "은", "는", "이", "가", "을", "의", "로", "와"} {
		if got := s.Unmask(host + particle + " **" + table + "**" + particle); got != "db-main.corp"+particle+" **tb_order**"+particle {
			t.Errorf("got %q", got)
		}
	}
}

func TestATokenTheModelMadeUpIsReportedAndLeft(t *testing.T) {
	s := mask.NewSession()
	s.Learn(mask.Value{Class: mask.Table, Text: "orders"})
	token := masked(t, s, "orders at 10.1.2.3, build tbl234ac")
	ours := strings.Fields(token)[0]
	made := "tbl987xy"
	if made == ours {
		made = "tbl987xz"
	}
	wrongClass := "host" + ours[3:]
	answer := ours + " joins " + made + "에서 " + wrongClass + ", Tbl234ac, 198.18.200.201, mail222cc@x.example, 4bf92f3577b34da6a3ce929d0e0e4736, version 3.222cc"
	got := s.Unknown(answer)
	for _, want := range []string{made, wrongClass, "198.18.200.201"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %q", want, got)
		}
	}
	for _, v := range got {
		if v == ours || v == "Tbl234ac" || strings.HasPrefix(v, "4bf") {
			t.Errorf("%q is reported", v)
		}
	}
	if back := s.Unmask(answer); !strings.Contains(back, made) || strings.Contains(back, ours+" ") {
		t.Errorf("got %q", back)
	}
}

func TestAConversationIsContinuedWithTheSameTokens(t *testing.T) {
	policy := mask.Policy{Allow: []string{"status.kakao.com"}}
	s := mask.NewSession(mask.WithPolicy(policy))
	s.Learn(mask.Value{Class: mask.Table, Text: "tb_member"}, mask.Value{Class: mask.Literal, Text: "\xff\xfe raw"})
	text := "Tb_Member and tb_member and TB_MEMBER at db.kakao.com 10.1.2.3 010-1234-5678, kim@kakao.com, GET /v1/x, \xff\xfe raw; not tbl234ac"
	first := masked(t, s, text)
	kept, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := mask.NewSession(mask.WithPolicy(policy))
	if err := again.UnmarshalBinary(kept); err != nil {
		t.Fatal(err)
	}
	if got := masked(t, again, text); got != first {
		t.Errorf("then %q\nnow  %q", first, got)
	}
	if got := again.Unmask(first); got != text {
		t.Errorf("came back as %q", got)
	}
	if err := again.Gate([]byte(first)); err != nil {
		t.Error(err)
	}
	if again.Gate([]byte("tb_member")) == nil {
		t.Error("what was learned is forgotten")
	}
	if got := again.Unknown("tbl234ac"); len(got) != 0 {
		t.Errorf("what stood in a text is unknown: %q", got)
	}
	if err := again.UnmarshalBinary(kept); !fault.Is(err, fault.Conflict) {
		t.Errorf("err %v", err)
	}
	if err := new(mask.Session).UnmarshalBinary(kept); err != nil {
		t.Error(err)
	}
	if err := mask.NewSession().UnmarshalBinary([]byte("x")); err == nil {
		t.Error("broken state is taken")
	}
}

func TestAStreamInAnyPiecesEqualsTheWholeAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mask.NewSession()
		out, err := s.Mask(conversation().Draw(t, "text"))
		if err != nil {
			t.Fatal(err)
		}
		// The model answers in Korean, breaks a token, repeats the beginning of one, and makes one up.
		answer := "요약: " + out + "에서 **지연** 😀\n"
		if tokens := s.Tokens(); len(tokens) > 0 {
			token := rapid.SampledFrom(tokens).Draw(t, "token").Token
			cut := rapid.IntRange(1, len(token)-1).Draw(t, "cut")
			answer += token[:cut] + "\n" + token[cut:] + "은 " + token[:cut] + " " + token[:cut] + "\u200b" + token[cut:] + "의 " + token[:cut]
		}
		seed := rapid.Uint64().Draw(t, "seed")
		for _, most := range []int{1, 2, 3, 7, 40} {
			random := rand.New(rand.NewPCG(seed, uint64(most)))
			u := s.Unmasker()
			var got strings.Builder
			for rest := answer; rest != ""; {
				n := min(1+random.IntN(most), len(rest))
				piece := u.Write(rest[:n])
				if !strings.HasPrefix(s.Unmask(answer), got.String()+piece) {
					t.Fatalf("%q is not the beginning of %q", got.String()+piece, s.Unmask(answer))
				}
				if strings.ToValidUTF8(piece, "") != piece {
					t.Fatalf("half a character: %q", piece)
				}
				got.WriteString(piece)
				rest = rest[n:]
			}
			got.WriteString(u.Flush())
			if got.String() != s.Unmask(answer) {
				t.Fatalf("pieces up to %d: %q\nwant %q", most, got.String(), s.Unmask(answer))
			}
		}
	})
}

func TestWhatWasMaskedIsFoundInTheOriginal(t *testing.T) {
	s := mask.NewSession()
	text := "김철수 at db.kakao.com: GET https://pay.kakao.com/v1, then db.kakao.com"
	out, found, err := s.Find(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, string(f.Class)+" "+text[f.Start:f.End])
		if !strings.Contains(out, f.Token) {
			t.Errorf("%s is not in %q", f.Token, out)
		}
	}
	if want := "host db.kakao.com, host pay.kakao.com, path v1, host db.kakao.com"; strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
}
