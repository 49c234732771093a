package mask_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// secret draws a value of the house with the class it has.
func secret() *rapid.Generator[mask.Value] {
	name := `[a-z][a-z0-9]{2,8}(_[a-z0-9]{1,6}){0,2}`
	of := func(c mask.Class, g *rapid.Generator[string]) *rapid.Generator[mask.Value] {
		return rapid.Map(g, func(s string) mask.Value { return mask.Value{Class: c, Text: s} })
	}
	return rapid.OneOf(
		of(mask.Table, rapid.StringMatching(name)),
		of(mask.Table, rapid.StringMatching(name+`\.`+name)),
		of(mask.Database, rapid.StringMatching(`[A-Z][A-Za-z0-9_]{2,10}`)),
		of(mask.Host, rapid.StringMatching(`[a-z][a-z0-9-]{1,8}[a-z0-9](\.[a-z]{3,8}){1,2}\.(com|kr|internal)`)),
		of(mask.IP, rapid.StringMatching(`10\.[1-9][0-9]\.[1-9][0-9]\.[1-9][0-9]`)),
		of(mask.JDBCURL, rapid.StringMatching(`jdbc:(mysql|postgresql|mariadb)://[a-z][a-z0-9-]{2,10}[a-z]:[1-9][0-9]{3}/[a-z_]{3,10}(\?user=[a-z]{3,8})?`)),
		of(mask.URL, rapid.StringMatching(`https?://[a-z][a-z0-9]{2,8}\.kakao\.com(:[1-9][0-9]{3})?/[a-z0-9]{3,8}(/[a-z0-9]{3,8}){0,3}(\?[a-z]{3}=[a-z0-9]{3,5})?`)),
		of(mask.Email, rapid.StringMatching(`[a-z]{3,8}(\.[a-z]{3})?@[a-z]{3,8}\.(com|co\.kr)`)),
		of(mask.Phone, rapid.StringMatching(`010-[1-9][0-9]{3}-[0-9]{4}`)),
		of(mask.Literal, rapid.StringMatching(`[가-힣]{2,4}( [a-z"]{3,8})?`)),
		of(mask.Path, rapid.StringMatching(`/[a-z]{3,9}(/[a-z0-9{}]{3,9}){1,3}[a-z]`)),
	)
}

var frames = []string{
	"%s took 8003 ms", "오류: %s에서 지연", "(%s)", "`%s`", "caused by '%s' at step 11", "SELECT * FROM %s WHERE a = 1",
	"host=%s;", "[E3] call: %s → 503", "%s", "\"%s\"", "see %s, then retry", "UPDATE %s SET x = 'kim'",
}

func conversation() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		values := rapid.SliceOfN(secret(), 1, 8).Draw(t, "values")
		var lines []string
		for _, v := range values {
			lines = append(lines, strings.Replace(rapid.SampledFrom(frames).Draw(t, "frame"), "%s", v.Text, 1))
		}
		return strings.Join(lines, "\n")
	})
}

func TestNoLearnedOriginalSurvivesAndEveryTextComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(secret(), 1, 12).Draw(t, "values")
		s := mask.NewSession()
		s.Learn(values...)
		for range rapid.IntRange(1, 3).Draw(t, "texts") {
			var lines []string
			for _, v := range values {
				text := v.Text
				if rapid.Bool().Draw(t, "upper") {
					text = strings.ToUpper(text)
				}
				lines = append(lines, strings.Replace(rapid.SampledFrom(frames).Draw(t, "frame"), "%s", text, 1))
			}
			text := strings.Join(lines, "\n")
			out, err := s.Mask(text)
			if err != nil {
				t.Fatalf("Mask(%q): %v", text, err)
			}
			if back := s.Unmask(out); back != text {
				t.Fatalf("x      %q\nmasked %q\nback   %q", text, out, back)
			}
			for _, v := range values {
				// Shorter names stand in the frames, or in a random token by chance.
				if len(v.Text) > 6 && strings.Contains(strings.ToLower(out), strings.ToLower(v.Text)) {
					t.Fatalf("%s %q survived in %q", v.Class, v.Text, out)
				}
			}
		}
	})
}

func TestDetectedValuesNeedNoLearning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := secret().Filter(func(v mask.Value) bool {
			return v.Class == mask.Host || v.Class == mask.IP || v.Class == mask.JDBCURL || v.Class == mask.URL ||
				v.Class == mask.Email || v.Class == mask.Phone || v.Class == mask.Path
		}).Draw(t, "value")
		out, err := mask.NewSession().Mask("Connection to " + v.Text + " timed out")
		if err != nil || strings.Contains(out, v.Text) {
			t.Fatalf("%s %q → %q, %v", v.Class, v.Text, out, err)
		}
	})
}

func TestMaskedConversationsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := conversation().Draw(t, "text")
		s := mask.NewSession()
		once, err := s.Mask(text)
		if err != nil {
			t.Fatalf("Mask(%q): %v", text, err)
		}
		twice, err := s.Mask(once)
		if err != nil || once != twice {
			t.Fatalf("err %v\ntext  %q\nonce  %q\ntwice %q", err, text, once, twice)
		}
	})
}

// FuzzMask: whatever the text, the session either refuses it or gives it back exactly.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{
		"jdbc:mysql://real-database-url.com:3306/real_db", "SELECT * FROM a, `b`.c WHERE d='e''f'", "http://u:p@h:1/p?q=r#s",
		"::1 fe80::1 1.2.3.4:5 [::ffff:1.2.3.4]", "A@b.co a@B.CO", "/a//b/{c}/", "'", "\xff'\xfe'\xff", "한글'글'한글", "jdbc:h2:mem:x",
	} {
		f.Add(seed, "user", "Users")
	}
	f.Fuzz(func(t *testing.T, text, one, two string) {
		s := mask.NewSession()
		s.Learn(mask.Value{Class: mask.Table, Text: one}, mask.Value{Class: mask.Host, Text: two}, mask.Value{Class: mask.Literal, Text: one + two})
		out, err := s.Mask(text)
		if err != nil {
			if out != "" {
				t.Fatalf("an error came with a text: %q", out)
			}
			return
		}
		if back := s.Unmask(out); back != text {
			t.Fatalf("x      %q\nmasked %q\nback   %q", text, out, back)
		}
		if again, err := s.Mask(out); err != nil || again != out {
			t.Fatalf("%v\nonce  %q\ntwice %q", err, out, again)
		}
		if first := strings.TrimLeft(out, " \t\r\n"); first != "" && !strings.ContainsAny(first[:1], `{["`) { // else it would be read as JSON
			if err := s.Gate([]byte(out)); err != nil {
				t.Fatalf("%v in %q", err, out)
			}
		}
		u := s.Unmasker()
		if streamed := u.Write(out[:len(out)/2]) + u.Write(out[len(out)/2:]) + u.Flush(); streamed != text {
			t.Fatalf("streamed %q", streamed)
		}
	})
}
