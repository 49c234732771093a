ALTER TABLE ai_calls
  ADD COLUMN IF NOT EXISTS role_owner UInt64 AFTER role; -- the organisation whose role it is, 0: the installation's
