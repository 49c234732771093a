-- +goose Up
-- What projects mask beside the defaults and their roles: every version that was
-- stored, ai.Masking as JSON. The highest one is in use.
CREATE TABLE ai_masking (
    project_id BIGINT NOT NULL,
    version    BIGINT NOT NULL, -- 1, 2, … of the project
    body       TEXT   NOT NULL,
    PRIMARY KEY (project_id, version)
);

-- +goose Down
DROP TABLE ai_masking;
