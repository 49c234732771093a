package e2e

import "testing"

func TestAnIncidentSurvivesARestartAndStaysTheOnlyOne(t *testing.T) {
	h := start(t)
	market := h.shop()
	market.SlowSQL()
	ctx := t.Context()
	if err := market.Backfill(ctx); err != nil {
		t.Fatal(err)
	}
	h.runShop(market)
	before := h.analysed()

	h.restart()
	if h.app.FirstStart() != nil {
		t.Error("a restart must not make new credentials")
	}
	var after incidentDetail
	h.get(h.path("/incidents/%d", before.ID), &after)
	if after.Report == nil || after.Alarm != before.Alarm {
		t.Errorf("after the restart the incident reads %+v", after)
	}
	if list := h.incidents(); len(list) != 1 {
		t.Errorf("%d incidents, want the one that is open", len(list))
	}
}
