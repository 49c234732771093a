package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
)

// postman is a channel that people read and that brings messages to single people.
type postman struct {
	reader
	to []string // where each message went
}

func (p *postman) CheckAddress(address string) error {
	if strings.Contains(address, " ") {
		return fault.New(fault.Invalid, "no address")
	}
	return nil
}

func (p *postman) To(config json.RawMessage, address, email string) (json.RawMessage, error) {
	if string(config) == `{"broken":"yes"}` {
		return nil, fault.New(fault.Invalid, "this channel reaches no people")
	}
	if address == "" {
		address = email
	}
	return json.Marshal(map[string]string{"to": address})
}

func (p *postman) Send(ctx context.Context, config json.RawMessage, m notify.Message) error {
	var c struct {
		To string `json:"to"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return err
	}
	p.to = append(p.to, c.To)
	return p.scripted.Send(ctx, config, m)
}

// people are the accounts of the house, in organisation 4, which project 1 is of.
// What one of them may read is changed by the test.
type people map[int64]notify.Person

func (p people) ask(_ context.Context, account int64, in project.ID) (notify.Person, error) {
	who, ok := p[account]
	if !ok || in != 1 {
		return notify.Person{}, fault.New(fault.NotFound, "project %s does not exist", in)
	}
	return who, nil
}

const ann, bob = 11, 12

func newPeople() people {
	return people{
		ann: {Name: "Ann", Email: "ann@example.com", Organisation: 4, Acts: true},
		bob: {Name: "Bob", Email: "bob@example.com", Organisation: 4, Acts: true},
	}
}

// houseOfPeople has a channel that carries personal messages and is no project channel's way.
func houseOfPeople(t *testing.T, db *metadb.DB, who people) (*house, *postman) {
	t.Helper()
	p := &postman{}
	h := newHouseWith(t, db, func(o *notify.Options) { o.Person = who.ask }, p)
	_, err := h.outbox.Targets().Create(t.Context(), notify.Target{Project: 1, Kind: "scripted", Name: "carrier",
		Config: json.RawMessage(`{"to":"team"}`), Enabled: true, Personal: true}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	return h, p
}

func (h *house) wants(account int64, p notify.Personal) {
	h.t.Helper()
	if p.Ways == nil {
		p.Ways = []notify.Way{{Kind: "scripted", Address: fmt.Sprintf("p%d", account)}}
	}
	for i := range p.Rules {
		p.Rules[i].Name, p.Rules[i].Ways = "r", []string{"scripted"}
	}
	stored, err := h.outbox.Personal(h.t.Context(), account)
	if err != nil {
		h.t.Fatal(err)
	}
	p.Version = stored.Version
	if _, err := h.outbox.SetPersonal(h.t.Context(), account, p); err != nil {
		h.t.Fatal(err)
	}
}

// tell enqueues m, looks who wants it, twice, and delivers what is due.
func (h *house) tell(m notify.Message) {
	h.t.Helper()
	h.enqueue(m)
	var id int64
	if err := h.db.QueryRow(h.t.Context(), `SELECT max(id) FROM notify_message`).Scan(&id); err != nil {
		h.t.Fatal(err)
	}
	for range 2 {
		if err := h.outbox.TellPeople(h.t.Context(), id); err != nil {
			h.t.Fatal(err)
		}
	}
	h.deliver()
}

// deliver runs the deliveries that wait, once.
func (h *house) deliver() {
	h.t.Helper()
	for _, d := range slices.Backward(h.log()) {
		if d.State == notify.Pending {
			_ = h.outbox.Deliver(h.t.Context(), d.ID, d.TargetID)
		}
	}
}

func TestAPersonIsToldOfWhatTheyWantToBeToldOf(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, p := houseOfPeople(t, db, newPeople())
		h.wants(ann, notify.Personal{Rules: []notify.PersonalRule{{Assigned: true}, {Owned: true, Severities: []string{notify.Critical}}, {Services: []string{"pay*"}, Organisation: 4}}})
		h.wants(bob, notify.Personal{Rules: []notify.PersonalRule{{Severities: []string{notify.Critical}, Organisation: 5}, {Environments: []string{"PRODUCTION"}, Assigned: true}}})
		f := func(m notify.Message, want ...string) {
			t.Helper()
			p.to = nil
			m.Key = fmt.Sprintf("%+v", m)
			h.tell(m)
			got := slices.DeleteFunc(p.to, func(to string) bool { return to == "team" })
			if !slices.Equal(got, want) {
				t.Errorf("%+v: told %q, want %q", m, got, want)
			}
		}
		f(notify.Message{Severity: notify.Warning, Service: "order"})
		f(notify.Message{Severity: notify.Warning, Service: "order", Assignee: ann}, "p11")
		f(notify.Message{Severity: notify.Critical, Service: "order"})
		f(notify.Message{Severity: notify.Critical, Owner: "ann"}, "p11")
		f(notify.Message{Severity: notify.Critical, Owner: "ANN@example.com"}, "p11")
		f(notify.Message{Severity: notify.Warning, Owner: "Ann"})
		f(notify.Message{Severity: notify.Info, Service: "payment", Environment: "PRODUCTION", Assignee: bob}, "p11", "p12")
		f(notify.Message{Severity: notify.Info, Service: "payment", Environment: "TEST", Assignee: bob}, "p11")
		f(notify.Message{Text: "you have it now", For: bob}, "p12")
		for _, d := range h.log() {
			if d.Target == "carrier" && d.Message == "" || d.State != notify.Delivered {
				t.Errorf("%+v", d)
			}
		}
	})
}

func TestSomebodyWhoMayNoLongerReadTheProjectGetsNothing(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		who := newPeople()
		h, p := houseOfPeople(t, db, who)
		everything := notify.Personal{Rules: []notify.PersonalRule{{}}}
		h.wants(ann, everything)
		h.wants(bob, everything)
		p.send = func(context.Context, int) error { return fault.New(fault.Unavailable, "no answer in time") }
		h.tell(notify.Message{Key: "a", Subject: "a"}) // written for both, delivered to nobody yet
		p.send, p.to = nil, nil
		delete(who, ann)
		h.Advance(time.Minute)
		h.deliver()
		h.tell(notify.Message{Key: "b", Subject: "b"})
		got := slices.DeleteFunc(p.to, func(to string) bool { return to == "team" })
		if !slices.Equal(got, []string{"p12", "p12"}) {
			t.Errorf("told %q", p.to)
		}
		for _, d := range h.log() {
			if d.Account == ann && (d.State != notify.Failed || d.Subject != "a" || d.Error != "the person may not read this project any more") {
				t.Errorf("%+v", d)
			}
		}
	})
}

func TestAPersonIsToldInTheirLanguageAndReadsNoMoreThanOnThePages(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		who := newPeople()
		who[ann] = notify.Person{Name: "Ann", Email: "ann@example.com", Organisation: 4, Hidden: append(mask.Personal(), mask.Literal)}
		h, p := houseOfPeople(t, db, who)
		h.wants(ann, notify.Personal{Language: "en", Rules: []notify.PersonalRule{{}}})
		h.wants(bob, notify.Personal{Rules: []notify.PersonalRule{{}}})
		m := notify.Message{Key: "a", Subject: "kim@example.com 로그인 느림", Text: "owner = 'kim@example.com'", Language: "ko",
			Actions: []notify.Action{{Label: "확인", URL: "https://m.example.com/ack"}},
			Words:   map[string]notify.Words{"en": {Subject: "login of kim@example.com is slow", Text: "owner = 'kim@example.com'", Actions: []notify.Action{{Label: "Acknowledge", URL: "https://m.example.com/ack"}}}}}
		h.tell(m)
		for i, to := range p.to {
			got := p.sent[i]
			switch to {
			case "p11":
				if strings.Contains(got.Subject+got.Text, "kim@") || !strings.HasPrefix(got.Subject, "login of ") || len(got.Actions) != 0 || got.Language != "en" {
					t.Errorf("Ann reads %+v", got)
				}
			case "p12":
				if got.Subject != m.Subject || got.Text != m.Text || len(got.Actions) != 1 || got.Actions[0].Label != "확인" {
					t.Errorf("Bob reads %+v", got)
				}
			}
		}
		log, err := h.outbox.PersonalLog(t.Context(), ann, []project.ID{1}, 0, 10)
		if err != nil || len(log) != 1 || strings.Contains(log[0].Subject, "kim@") || len(log[0].Log) != 1 || log[0].Log[0].Outcome != notify.AttemptDelivered {
			t.Errorf("Ann's log %+v, %v", log, err)
		}
		if log, err := h.outbox.PersonalLog(t.Context(), ann, nil, 0, 10); err != nil || len(log) != 0 {
			t.Errorf("the log of no projects: %+v, %v", log, err)
		}
	})
}

func TestQuietHoursOfAPersonHoldWhatIsNotUrgentTillTheirMorning(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, p := houseOfPeople(t, db, newPeople())
		h.now = time.Date(2026, 11, 28, 23, 30, 0, 0, time.UTC) // 08:30 of the next day in Seoul
		quiet := &notify.Quiet{Hours: notify.Hours{From: "22:00", To: "09:00"}, Below: notify.Critical}
		h.wants(ann, notify.Personal{TimeZone: "Asia/Seoul", Quiet: quiet, Language: "ko", Rules: []notify.PersonalRule{{}}})
		h.tell(notify.Message{Key: "1", Subject: "one", Severity: notify.Warning, Thread: "incident/1"})
		h.tell(notify.Message{Key: "2", Subject: "two", Severity: notify.Warning, Thread: "incident/2"})
		h.tell(notify.Message{Key: "3", Subject: "three", Severity: notify.Critical, Thread: "incident/3"})
		mine := func() (subjects []string) {
			for i, to := range p.to {
				if to == "p11" {
					subjects = append(subjects, p.sent[i].Subject+"\n"+p.sent[i].Text)
				}
			}
			return subjects
		}
		if got := mine(); len(got) != 1 || !strings.HasPrefix(got[0], "three") {
			t.Fatalf("at night %q", got)
		}
		var way int64
		for _, d := range h.log() {
			if d.State == notify.Held && d.Due.Equal(h.now.Add(30*time.Minute)) {
				way = d.TargetID
			}
		}
		h.Advance(time.Hour)
		if err := h.outbox.TellHeld(t.Context(), way); err != nil {
			t.Fatal(err)
		}
		h.deliver()
		got := mine()
		if len(got) != 2 || !strings.Contains(got[1], "모아 보는 알림 2건") || !strings.Contains(got[1], "11-29 08:30 KST · one") {
			t.Fatalf("in the morning %q", got)
		}
	})
}

func TestATestMessageGoesThroughAProjectThatCarriesIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, p := houseOfPeople(t, db, newPeople())
		send := func(projects ...project.ID) error {
			return h.outbox.TestPersonal(t.Context(), ann, "scripted", projects, notify.Message{Subject: "hello", Kind: "test"})
		}
		if err := send(1); !fault.Is(err, fault.NotFound) {
			t.Errorf("without an address: %v", err)
		}
		h.wants(ann, notify.Personal{Ways: []notify.Way{{Kind: "scripted"}}})
		if err := send(2, 3); !fault.Is(err, fault.Conflict) {
			t.Errorf("with projects that carry nothing: %v", err)
		}
		if err := send(2, 1); err != nil || !slices.Equal(p.to, []string{"ann@example.com"}) {
			t.Errorf("%v, to %q", err, p.to)
		}
		if err := send(1); !fault.Is(err, fault.RateLimited) {
			t.Errorf("at once again: %v", err)
		}
		h.Advance(time.Minute)
		if err := send(1); err != nil {
			t.Error(err)
		}
		if reach, err := h.outbox.Reaches(t.Context(), []project.ID{1, 2}); err != nil || reach["scripted"] != 1 {
			t.Errorf("reaches %v, %v", reach, err)
		}
	})
}

func TestAChannelThatCarriesNothingPersonalIsNotUsedForIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, p := houseOfPeople(t, db, newPeople())
		list, err := h.outbox.Targets().List(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		closed := list[0]
		closed.Personal = false
		if _, err := h.outbox.Targets().Update(t.Context(), closed, "ann"); err != nil {
			t.Fatal(err)
		}
		h.wants(ann, notify.Personal{Rules: []notify.PersonalRule{{}}})
		h.tell(notify.Message{Key: "a"})
		if slices.Contains(p.to, "p11") {
			t.Errorf("told %q", p.to)
		}
		if d := h.log()[0]; d.State != notify.Failed || !strings.Contains(d.Error, "no channel of this kind") {
			t.Errorf("%+v", d)
		}
	})
}

func TestNotificationsThatMakeNoSenseAreRefusedByField(t *testing.T) {
	h, _ := houseOfPeople(t, metadbtest.SQLite(t), newPeople())
	way := []notify.Way{{Kind: "scripted", Address: "x"}}
	rule := func(change func(*notify.PersonalRule)) notify.Personal {
		r := notify.PersonalRule{Name: "r", Ways: []string{"scripted"}}
		change(&r)
		return notify.Personal{Ways: way, Rules: []notify.PersonalRule{r}}
	}
	f := func(p notify.Personal, field string) {
		t.Helper()
		_, err := h.outbox.SetPersonal(t.Context(), ann, p)
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%+v: %v, want it at %s", p, err, field)
		}
	}
	f(notify.Personal{Language: "fr"}, "language")
	f(notify.Personal{TimeZone: "Mars/Olympus"}, "time_zone")
	f(notify.Personal{Quiet: &notify.Quiet{Hours: notify.Hours{From: "9", To: "10:00"}, Below: "critical"}}, "quiet.hours")
	f(notify.Personal{Ways: []notify.Way{{Kind: "pigeon"}}}, "ways.0.kind")
	f(notify.Personal{Ways: slices.Concat(way, way)}, "ways.1.kind")
	f(notify.Personal{Ways: []notify.Way{{Kind: "scripted", Address: "a b"}}}, "ways.0.address")
	f(rule(func(r *notify.PersonalRule) { r.Name = " " }), "rules.0.name")
	f(rule(func(r *notify.PersonalRule) { r.Ways = nil }), "rules.0.ways")
	f(rule(func(r *notify.PersonalRule) { r.Ways = []string{"email"} }), "rules.0.ways")
	f(rule(func(r *notify.PersonalRule) { r.Severities = []string{"bad"} }), "rules.0.severities")
	f(rule(func(r *notify.PersonalRule) { r.Hours = &notify.Hours{From: "25:00", To: "07:00"} }), "rules.0.hours")
	if _, err := h.outbox.SetPersonal(t.Context(), ann, rule(func(*notify.PersonalRule) {})); err != nil {
		t.Fatal(err)
	}
	if _, err := h.outbox.SetPersonal(t.Context(), ann, notify.Personal{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an edit of what was there before: %v", err)
	}
}
