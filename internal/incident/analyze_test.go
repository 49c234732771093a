package incident_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/report"
)

var errDown = fault.New(fault.Unavailable, "the engine does not answer")

func TestWhateverAModelDoesAReportIsSent(t *testing.T) {
	f := func(name, reason string, ask func(context.Context, ai.Input) (*ai.Result, error)) {
		t.Run(name, func(t *testing.T) {
			metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
				h := newHouse(t, db)
				h.ask = ask
				h.fire(firing())
				h.analyse(1, 1)
				d := h.get(1)
				if d.Analysis != incident.Done || d.Report.Source != report.ByRules || d.Report.Reason != reason || h.sent(1, "incident.report") != 2 {
					t.Errorf("analysis %s, report %+v, deliveries %+v", d.Analysis, d.Report, d.Deliveries)
				}
				text := d.Report.Text("")
				for _, words := range []string{"[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "※", "8003ms"} {
					if !strings.Contains(text, words) {
						t.Errorf("no %s in\n%s", words, text)
					}
				}
				if strings.Contains(text, "secret cause") {
					t.Errorf("the report tells why:\n%s", text)
				}
			})
		})
	}
	failing := func(err error) func(context.Context, ai.Input) (*ai.Result, error) {
		return func(context.Context, ai.Input) (*ai.Result, error) { return nil, err }
	}
	f("no model", report.NoModel, failing(ai.ErrNoModel))
	f("chain exhausted", report.ModelFailed, failing(ai.ErrExhausted))
	f("an answer of prose", report.ModelFailed, answering("I think the database is slow."))
	f("a fact that does not exist", report.ModelFailed, answering(strings.Replace(goodAnswer, "E2", "E99", 1)))
	f("a number nobody measured", report.ModelFailed, answering(strings.Replace(goodAnswer, "8003ms를", "9999ms를", 1)))
	f("masking failed", report.MaskingFailed, failing(fmt.Errorf("%w: secret cause", ai.ErrMasking)))
	f("a panic of the provider's", report.ModelFailed, func(context.Context, ai.Input) (*ai.Result, error) { panic("boom") })
}

func TestARoleThatIsLimitedIsAskedAgainLater(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.ask = func(context.Context, ai.Input) (*ai.Result, error) {
		return nil, fault.New(fault.RateLimited, "too often").WithRetryAfter(20 * time.Second)
	}
	h.fire(firing())
	if wait := snoozed(t, h.service.RunAnalysis(t.Context(), 1, 1)); wait != 20*time.Second {
		t.Fatalf("it asks again after %s", wait)
	}
	if d := h.get(1); d.Analysis != incident.Running || d.Report != nil {
		t.Fatalf("analysis %s", d.Analysis)
	}
	h.Advance(6 * time.Minute)
	h.analyse(1, 1)
	if d := h.get(1); d.Analysis != incident.Done || d.Report.Reason != report.RateLimited {
		t.Fatalf("analysis %s, report %+v", d.Analysis, d.Report)
	}
}

func TestAnEngineThatIsDownDelaysTheReportAndThenItSaysWhatIsKnown(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.collect = func() (*ground.Bundle, error) { return nil, errDown }
		h.fire(firing())
		total, tries := time.Duration(0), 0
		for h.get(1).Analysis != incident.Failed {
			err := h.service.RunAnalysis(t.Context(), 1, 1)
			if err == nil {
				break
			}
			wait := snoozed(t, err)
			total, tries = total+wait, tries+1
			h.Advance(wait)
			if tries > 100 {
				t.Fatal("it never goes on")
			}
		}
		if total < 4*time.Minute || total > 7*time.Minute || tries < 5 {
			t.Errorf("went on after %s and %d tries", total, tries)
		}
		d := h.get(1)
		if d.Analysis != incident.Failed || len(d.Evidence) == 0 || d.Evidence[0].Kind != ground.Alarm || h.sent(1, "incident.report") != 2 {
			t.Fatalf("analysis %s, evidence %+v", d.Analysis, d.Evidence)
		}
		h.work()
		got := h.webhook.Expect(t, "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "TEST-API")
		t.Log(got.Text)
		if len(h.asked) != 0 {
			t.Error("a model was asked about nothing")
		}
	})
}

func TestAnEngineThatComesBackIsReadAfterAll(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.collect = func() (*ground.Bundle, error) { return nil, errDown }
	h.fire(firing())
	h.Advance(snoozed(t, h.service.RunAnalysis(t.Context(), 1, 1)))
	h.collect = func() (*ground.Bundle, error) { return evidenceOf(), nil }
	h.analyse(1, 1)
	if d := h.get(1); d.Analysis != incident.Done || d.Report.Source != report.ByModel {
		t.Fatalf("analysis %s, report %+v", d.Analysis, d.Report)
	}
}

func TestAnAnalysisThatRunsAgainSendsNoSecondReport(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		for range 3 {
			h.analyse(1, 1)
		}
		if len(h.asked) != 1 || h.sent(1, "incident.report") != 2 {
			t.Fatalf("asked %d times, %d deliveries", len(h.asked), h.sent(1, "incident.report"))
		}
	})
}

func TestAnAnalysisThatWasCutOffBeginsAgainAndReportsOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		ctx, stop := context.WithCancel(t.Context())
		h.ask = func(ctx context.Context, in ai.Input) (*ai.Result, error) {
			stop() // the node stops while the model thinks
			return nil, ctx.Err()
		}
		if err := h.service.RunAnalysis(ctx, 1, 1); !errors.Is(err, context.Canceled) {
			t.Fatalf("the job ended with %v, want it to run again", err)
		}
		if d := h.get(1); d.Analysis != incident.Running || d.Report != nil || h.sent(1, "incident.report") != 0 {
			t.Fatalf("analysis %s", d.Analysis)
		}
		h.ask = answering(goodAnswer)
		h.analyse(1, 1)
		if d := h.get(1); d.Report.Source != report.ByModel || h.sent(1, "incident.report") != 2 {
			t.Fatalf("report %+v", d.Report)
		}
	})
}

func TestTwoNodesThatAnalyseTheSameIncidentReportOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		h.ask = func(ctx context.Context, in ai.Input) (*ai.Result, error) {
			h.ask = answering(goodAnswer)
			h.analyse(1, 1) // the other node is faster
			return h.ask(ctx, in)
		}
		h.analyse(1, 1)
		if n := h.sent(1, "incident.report"); n != 2 {
			t.Fatalf("%d deliveries", n)
		}
	})
}

func TestAnAnalysisAskedForAgainRenewsThePageOnly(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		if err := h.service.Analyze(t.Context(), 1, 1, "ann"); !fault.Is(err, fault.Conflict) {
			t.Fatalf("asked while one is pending: %v", err)
		}
		h.analyse(1, 1)
		if err := h.service.Analyze(t.Context(), 1, 1, "ann"); err != nil {
			t.Fatal(err)
		}
		if d := h.get(1); d.Analysis != incident.Pending || d.Report == nil {
			t.Fatalf("analysis %s; the first report must stay until the second is there", d.Analysis)
		}
		h.ask = answering(strings.Replace(goodAnswer, "기록하였습니다", "다시 기록하였습니다", 1))
		h.analyse(1, 1) // a late job of the first run finds nothing to do
		h.analyse(1, 2)
		d := h.get(1)
		if !strings.Contains(d.Report.Summary.Text, "다시") || h.sent(1, "incident.report") != 2 || len(h.asked) != 2 {
			t.Fatalf("report %+v, %d deliveries, asked %d times", d.Report, h.sent(1, "incident.report"), len(h.asked))
		}
	})
}

func TestAModelSeesTheEvidenceAndEverySensitiveValueIsNamedToTheMask(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.fire(firing())
	h.analyse(1, 1)
	in := h.asked[0]
	if in.Language != "ko" || !strings.Contains(in.Message, "[E3]") || len(in.Sensitive) != 1 || in.Sensitive[0].Text != "test_tb1" {
		t.Fatalf("input %+v", in)
	}
}

func TestAnAnalysisWhoseJobWasLostCanBeAskedForAgain(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.fire(firing())
	h.Advance(2 * time.Hour)
	if err := h.service.Analyze(t.Context(), 1, 1, "ann"); err != nil {
		t.Fatal(err)
	}
}

func TestATransactionThatIsStillOnItsWayIsWaitedForButNotForever(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	half := evidenceOf()
	half.Facts[1].SpanID, half.Facts[1].Partial = firing().Window[0].SpanID.String(), true // the slow call is all there is
	other := evidenceOf().Facts[1]                                                         // a transaction that is not the worst one does not make up for it
	other.ID, other.TraceID = "E4", "02000000000000000000000000000000"
	half.Facts = append(half.Facts, other)
	h.collect = func() (*ground.Bundle, error) { return half, nil }
	h.fire(firing())
	h.Advance(5 * time.Second)
	h.Advance(snoozed(t, h.service.RunAnalysis(t.Context(), 1, 1)))
	if len(h.asked) != 0 {
		t.Fatal("a model was asked about half a transaction")
	}
	h.Advance(30 * time.Second)
	h.analyse(1, 1)
	if d := h.get(1); d.Analysis != incident.Done || len(h.asked) != 1 {
		t.Fatalf("analysis %s", d.Analysis)
	}
}

func TestAnAnalysisLetsTheRestOfATraceArriveCountedFromTheEndOfWhatMatched(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), func(o *incident.Options) { o.Settle = 3 * time.Second })
	f := firing()
	f.Matches[0].Start = h.Now().Add(-time.Second - time.Duration(f.Matches[0].DurationNs)) // it ended a second ago
	h.fire(f)
	if wait := snoozed(t, h.service.RunAnalysis(t.Context(), 1, 1)); wait != 2*time.Second {
		t.Errorf("it looks after %s", wait)
	}
	h.Advance(2 * time.Second)
	h.analyse(1, 1)
	if d := h.get(1); d.Report == nil {
		t.Error("no report")
	}
}
