-- What happened on the road that a plan has answered: a repair does not begin anew for what it weighed before.
ALTER TABLE plan_version ADD COLUMN weighed jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(weighed) = 'array');
