package notify

import "time"

// Sample is a message with everything in it that breaks careless templates.
func Sample() Message {
	return Message{
		Key: "incident/12/alarm/to/3", Kind: "incident.alarm", Ref: "incident/12", Subject: `SlowSQL · "order-api"`,
		Text: "[Summary]\nIt took 8,003 ms.", Link: "https://matrix.example.com/projects/1/incidents/12", Severity: Warning,
		Service: "order-api", Environment: "PRODUCTION", Labels: map[string]string{"team": "orders"}, Thread: "incident/12", State: Open,
		Data: map[string]any{"incident": map[string]any{"id": 12, "opened_at": time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)}},
	}
}
