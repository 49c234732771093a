package notify_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	fakesmtp "github.com/matrix-aiops/matrix/internal/fake/smtp"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/email"
)

// noon is the end of the hour that charts of tests show.
var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// slowMinutes is a chart of an alarm that has been firing for the last 20 minutes.
func slowMinutes() *notify.Chart {
	limit, usual := 1000.0, 400.0
	c := &notify.Chart{From: noon.Add(-time.Hour), To: noon, FiringFrom: noon.Add(-20 * time.Minute), FiringTo: noon, Limit: &limit, Unit: "ms"}
	for i := range 20 {
		c.Points = append(c.Points, notify.Point{At: noon.Add(time.Duration(i-20) * time.Minute), Value: 1100 + 60*float64(i), Usual: &usual, Count: 1})
	}
	return c
}

func decoded(t *testing.T, raw []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if where := os.Getenv("MATRIX_TEST_CHART"); where != "" { // to look at it
		if err := os.WriteFile(where, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return picture
}

// rows returns in which rows of a column a colour is, from the top.
func rows(picture image.Image, x int, r, g, b uint32) []int {
	var found []int
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		if pr, pg, pb, _ := picture.At(x, y).RGBA(); pr>>8 == r && pg>>8 == g && pb>>8 == b {
			found = append(found, y)
		}
	}
	return found
}

// The plot of a chart, and its scale in these tests: 0 to 3,000.
const (
	left, right, top, bottom = 130, 1090, 28, 382
	scale                    = 3000
)

func height(value float64) int { return bottom - int(value/scale*(bottom-top)+0.5) }

func TestTheMailOfAnAlarmShowsItsValuesAgainstTheLimitInTheProjectsTimeZone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s := fakesmtp.New(t, true)
		h := newHouse(t, db, email.New(email.Options{Guard: notify.Guard{Dev: true}, Roots: s.Roots()}))
		config, _ := json.Marshal(map[string]string{"host": "127.0.0.1", "port": s.Port(), "username": fakesmtp.User, "password": fakesmtp.Password,
			"from": "MATRIX <" + fakesmtp.User + ">", "to": "ann@example.com"})
		target := h.target("email", "team", string(config))
		if _, err := h.outbox.Targets().SetRouting(t.Context(), 1, notify.Routing{TimeZone: "Asia/Seoul"}, "ann"); err != nil {
			t.Fatal(err)
		}
		h.enqueue(notify.Message{Key: "a", Subject: "slow", Text: "it is slow", Language: "ko", Chart: slowMinutes(),
			Words: map[string]notify.Words{"en": {Subject: "slow", Text: "it is slow"}}})
		h.drain(target.ID)
		if len(s.Mails()) != 1 {
			t.Fatal(s.Refusals(), h.log())
		}
		mail := s.Mails()[0]
		picture := decoded(t, mail.Pictures["picture-1.png"])
		if size := picture.Bounds().Size(); size != image.Pt(1280, 440) {
			t.Fatalf("size %v", size)
		}
		// The limit goes from side to side, also where nothing was wrong.
		for _, x := range []int{left + 5, (left + right) / 2, right - 5} {
			got := rows(picture, x, 0x5f, 0x0f, 0x0f)
			if len(got) == 0 || got[0] > height(1000) || got[len(got)-1] < height(1000)-1 {
				t.Errorf("column %d: limit in rows %v, want around %d", x, got, height(1000))
			}
		}
		// The last bar, of 2,240 ms, ends where 2,240 is.
		bar := rows(picture, right-(right-left)/120, 0xe0, 0x31, 0x31)
		if len(bar) == 0 || bar[0] < height(2240)-1 || bar[0] > height(2240)+1 {
			t.Errorf("the last bar is in rows %v, want it from %d", bar[:min(len(bar), 3)], height(2240))
		}
		if early := rows(picture, left+200, 0xe0, 0x31, 0x31); len(early) != 0 {
			t.Errorf("a bar before anything matched: %v", early)
		}
		// The trouble is shaded, what was before it is not.
		if len(rows(picture, right-(right-left)/60*15+8, 0xff, 0xf0, 0xf0)) == 0 || len(rows(picture, left+200, 0xff, 0xf0, 0xf0)) != 0 {
			t.Error("the shade is not where the trouble was")
		}
		const words = "20:00–21:00 KST: 기준(≥ 1,000 ms)을 벗어난 시간 20분, 가장 나쁜 값 2,240 ms(20:59), 평소 400 ms"
		if !strings.Contains(mail.HTML, `alt="`+words+`" width="640"`) || !strings.Contains(mail.Text, "it is slow\n\n"+words+"\n") {
			t.Errorf("the words are not there:\n%s\n%s", mail.Text, mail.HTML)
		}
	})
}

func TestTheLabelsOfAChartAreInTheZoneOfItsReader(t *testing.T) {
	f := func(zone, language, want string) {
		t.Helper()
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		picture := slowMinutes().Picture(language, place)
		if !strings.HasPrefix(picture.Alt, want) {
			t.Errorf("%s: %q, want %q", zone, picture.Alt, want)
		}
		if utc := slowMinutes().Picture(language, time.UTC); zone != "UTC" && bytes.Equal(utc.PNG, picture.PNG) {
			t.Errorf("the picture for %s is that for UTC", zone)
		}
	}
	f("Asia/Seoul", "en", "20:00–21:00 KST: 20 minutes beyond the limit (≥ 1,000 ms), at worst 2,240 ms (20:59), usually 400 ms")
	f("UTC", "en", "11:00–12:00 UTC: ")
	f("Asia/Kolkata", "en", "16:30–17:30 IST: ")
}

func TestAChartOfLowValuesHasItsLimitAboveThem(t *testing.T) {
	limit := 0.7
	c := notify.Chart{From: noon.Add(-time.Hour), To: noon, FiringFrom: noon.Add(-10 * time.Minute), FiringTo: noon, Limit: &limit, Below: true,
		Points: []notify.Point{{At: noon.Add(-2 * time.Minute), Value: 0.31, Count: 1}, {At: noon.Add(-time.Minute), Value: 0.5, Count: 1}}}
	picture := c.Picture("en", time.UTC)
	if want := "11:00–12:00 UTC: 2 minutes beyond the limit (≤ 0.7), at worst 0.31 (11:58)"; picture.Alt != want {
		t.Errorf("%q", picture.Alt)
	}
	drawn := decoded(t, picture.PNG)
	line, bar := rows(drawn, right-5, 0x5f, 0x0f, 0x0f), rows(drawn, right-(right-left)/120, 0xe0, 0x31, 0x31)
	if len(line) == 0 || len(bar) == 0 || line[0] >= bar[0] {
		t.Errorf("limit in rows %v, bar from %v", line, bar)
	}
}

func TestOfWhatCannotBeDrawnThereIsNoPicture(t *testing.T) {
	f := func(name string, change func(c *notify.Chart)) {
		t.Helper()
		c := slowMinutes()
		change(c)
		if c.Picture("en", time.UTC) != nil {
			t.Errorf("%s was drawn", name)
		}
	}
	f("nothing", func(c *notify.Chart) { c.Points = nil })
	f("what is outside of its time", func(c *notify.Chart) { c.From, c.To = noon.Add(time.Hour), noon.Add(2*time.Hour) })
	f("no time", func(c *notify.Chart) { c.To = c.From })
	f("a month", func(c *notify.Chart) { c.From = c.To.AddDate(0, -1, 0) })
}

func TestAChartSurvivesAnyValues(t *testing.T) {
	usual := 1e300
	for _, v := range []float64{0, -5, 1e-9, 1e300, -1e300} {
		limit := v / 2
		c := slowMinutes()
		c.Limit, c.Points = &limit, []notify.Point{{At: noon.Add(-time.Minute), Value: v, Usual: &usual, Count: 1}, {At: noon.Add(-2 * time.Minute), Value: -v, Count: 1}}
		decoded(t, c.Picture("ko", time.UTC).PNG)
	}
}
