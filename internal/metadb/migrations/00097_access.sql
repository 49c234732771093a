-- +goose Up
-- Roles that an organisation makes of permissions.
CREATE TABLE org_role (
    id          BIGINT PRIMARY KEY,
    org_id      BIGINT NOT NULL REFERENCES organisation (id),
    name        TEXT NOT NULL,
    permissions TEXT NOT NULL,         -- JSON array of actions
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    updated_by  BIGINT NOT NULL,
    UNIQUE (org_id, name)
);
ALTER TABLE membership ADD COLUMN role_id BIGINT NOT NULL DEFAULT 0; -- with role = 'custom'

-- Who sees data of a project unmasked: '' = by permission, everyone, nobody.
ALTER TABLE project ADD COLUMN show_sql TEXT NOT NULL DEFAULT '';
ALTER TABLE project ADD COLUMN show_personal TEXT NOT NULL DEFAULT '';
ALTER TABLE project ADD COLUMN show_prompts TEXT NOT NULL DEFAULT '';

-- members | organisation: who may read it beside those with a role there.
ALTER TABLE project ADD COLUMN visibility TEXT NOT NULL DEFAULT 'members';

-- Groups in groups: path holds the numbers from the top down to the group itself, /4/9/.
ALTER TABLE project_group ADD COLUMN parent_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE project_group ADD COLUMN path TEXT NOT NULL DEFAULT '';
UPDATE project_group SET path = '/' || id || '/';

-- An account of an organisation that is no person and cannot sign in; 0 = a person.
ALTER TABLE account ADD COLUMN service_org BIGINT NOT NULL DEFAULT 0;

CREATE TABLE invitation (
    id          BIGINT PRIMARY KEY,
    org_id      BIGINT NOT NULL REFERENCES organisation (id),
    group_id    BIGINT NOT NULL,       -- 0 = the whole organisation
    email       TEXT NOT NULL,         -- whom it is for; '' = whoever has the link
    role        TEXT NOT NULL,
    role_id     BIGINT NOT NULL,
    hash        TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret in the link, hex
    created_at  BIGINT NOT NULL,
    created_by  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    accepted_by BIGINT NOT NULL,
    revoked_at  BIGINT NOT NULL
);
CREATE INDEX invitation_org ON invitation (org_id);

-- +goose Down
DROP TABLE invitation;
ALTER TABLE account DROP COLUMN service_org;
ALTER TABLE project_group DROP COLUMN path;
ALTER TABLE project_group DROP COLUMN parent_id;
ALTER TABLE project DROP COLUMN visibility;
ALTER TABLE project DROP COLUMN show_prompts;
ALTER TABLE project DROP COLUMN show_personal;
ALTER TABLE project DROP COLUMN show_sql;
ALTER TABLE membership DROP COLUMN role_id;
DROP TABLE org_role;
