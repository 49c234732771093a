-- +goose Up
-- What is read of a budget is one period of it, or its periods.
CREATE INDEX ai_budget_use_since ON ai_budget_use (budget, since);

-- +goose Down
DROP INDEX ai_budget_use_since;
