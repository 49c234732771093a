package shop_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/matrix-aiops/matrix/internal/shop"
)

func TestAProfileTellsOfSpansThatTheShopSends(t *testing.T) {
	s := open(t, shop.Options{Rate: 20})
	endpoints, services := map[string]string{}, map[string]string{} // by trace and span id
	each(run(s, 2*time.Minute), func(e entry) {
		if e.span.Kind == tracepb.Span_SPAN_KIND_SERVER {
			id := hex.EncodeToString(e.span.TraceId) + hex.EncodeToString(e.span.SpanId)
			endpoints[id], services[id] = e.span.Name, e.service
		}
	})
	profiles := s.AdvanceProfiles(noon.Add(time.Minute))
	if len(profiles) != 2*6 {
		t.Fatalf("%d profiles, want one for each of catalog's two pods and ten seconds", len(profiles))
	}
	pods, functions := map[string]bool{}, map[string]bool{}
	for _, sent := range profiles {
		if sent.Service != "catalog" || sent.Version != "5.1.1" || sent.Environment != "PRODUCTION" {
			t.Fatalf("profile of %+v", sent)
		}
		pods[sent.Instance] = true
		p, err := profile.Parse(bytes.NewReader(sent.Pprof))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.CheckValid(); err != nil {
			t.Fatal(err)
		}
		for _, found := range p.Sample {
			id := found.Label["trace_id"][0] + found.Label["span_id"][0]
			if services[id] != "catalog" || endpoints[id] != found.Label["span_name"][0] {
				t.Fatalf("a sample of %v, whose span is %q of %q", found.Label, endpoints[id], services[id])
			}
			if !slices.Equal(found.Value, []int64{1, int64(time.Millisecond)}) {
				t.Fatalf("a sample of %v", found.Value)
			}
			if outermost := found.Location[len(found.Location)-1].Line[0].Function.Name; outermost != "java.lang.Thread.run" {
				t.Fatalf("a stack that begins in %s", outermost)
			}
			functions[found.Location[0].Line[0].Function.Name] = true
		}
	}
	if len(pods) != 2 || len(functions) < 6 {
		t.Fatalf("%d pods, %d functions at work", len(pods), len(functions))
	}
	if again := s.AdvanceProfiles(noon.Add(time.Minute)); len(again) > 0 {
		t.Fatalf("%d profiles were sent twice", len(again))
	}
}

func TestTheSameSeedSendsTheSameProfiles(t *testing.T) {
	minute := func(seed uint64) (all []byte) {
		s := open(t, shop.Options{Seed: seed})
		run(s, time.Minute)
		for _, p := range s.AdvanceProfiles(noon.Add(time.Minute)) {
			all = append(append(all, p.Instance...), p.Pprof...)
		}
		return all
	}
	if !bytes.Equal(minute(7), minute(7)) {
		t.Fatal("two runs with one seed differ")
	}
	if bytes.Equal(minute(7), minute(8)) {
		t.Fatal("two seeds send the same")
	}
}

func TestThePastHasProfilesOfTheReleasesOfItsTime(t *testing.T) {
	r := newReceiver(t)
	if err := open(t, shop.Options{Endpoint: r.URL, Key: "mtx_ing_test"}).Backfill(context.Background()); err != nil {
		t.Fatal(err)
	}
	versions := map[string]int{}
	for _, p := range r.profiles {
		ago := noon.Sub(time.Unix(0, p.what.TimeNanos))
		if p.of.Get("service") != "catalog" || ago < 0 || !strings.HasPrefix(p.of.Get("instance"), "prod-catalog-") {
			t.Fatalf("a profile of %v, %v ago", p.of, ago)
		}
		versions[p.of.Get("version")]++
	}
	if versions["5.0.3"] == 0 || versions["5.1.0"] == 0 || versions["5.1.1"] == 0 {
		t.Fatalf("profiles by version: %v", versions)
	}
}
