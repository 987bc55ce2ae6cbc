-- Lessons of a host that keeps them in PostgreSQL: on their way to the calendar sync, and what comes back.
-- docs/lesson-feed.md explains it, and a test runs this very file. PostgreSQL 12 or later, UTF-8.

BEGIN;

-- ── the host's table ──────────────────────────────────────────────────────────────────────────────────────────────────
-- It stands for yours. What differs there (names, words for states) is to be changed in `lesson_feed.lesson` below.

CREATE TABLE IF NOT EXISTS public.lessons (
    id            uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL,
    instructor_id uuid NOT NULL,
    title         text NOT NULL CHECK (btrim(title) <> ''),
    description   text,
    location      text,
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL CHECK (ends_at > starts_at),
    time_zone     text NOT NULL,
    status        text NOT NULL DEFAULT 'scheduled'
);

-- What comes back.
ALTER TABLE public.lessons
    ADD COLUMN IF NOT EXISTS google_calendar_event_id text,
    ADD COLUMN IF NOT EXISTS calendar_sync_status text,
    ADD COLUMN IF NOT EXISTS has_conflict boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS calendar_sync_revision bigint NOT NULL DEFAULT 0;

-- ── the outbox ────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE SCHEMA lesson_feed;

CREATE TABLE lesson_feed.outbox (
    -- The version of the lesson. It is drawn while the lesson's row is locked, and the row stays locked until the
    -- transaction ends: of two versions of a lesson the one that was committed later is the greater. (Not so with a
    -- sequence that caches numbers for each session.)
    version    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    lesson_id  uuid NOT NULL,
    lesson     jsonb, -- NULL: it was removed
    written_at timestamptz NOT NULL DEFAULT now()
);

-- A text as the feed takes it: not too long, and without control characters but tabs and ends of lines.
CREATE FUNCTION lesson_feed.plain(value text, longest integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT left(regexp_replace(value, '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]', ' ', 'g'), longest)
$$;

-- What the feed says of a lesson.
CREATE FUNCTION lesson_feed.lesson(this public.lessons) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
        'instructorId', this.instructor_id,
        'title',        lesson_feed.plain(this.title, 1000),
        'description',  lesson_feed.plain(this.description, 8000),
        'location',     lesson_feed.plain(this.location, 1000),
        'startsAt',     this.starts_at,
        'endsAt',       this.ends_at,
        'timeZone',     this.time_zone,
        'status',       CASE this.status WHEN 'cancelled' THEN 'cancelled' ELSE 'scheduled' END
    )
$$;

-- Writes what a transaction does to a lesson into the outbox, in that same transaction. It runs as its owner, so the
-- application needs no rights here.
CREATE FUNCTION lesson_feed.note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.tenant_id, OLD.id) = (NEW.tenant_id, NEW.id)
        AND lesson_feed.lesson(OLD) = lesson_feed.lesson(NEW) THEN
        RETURN NULL; -- what came back, or what calendars do not show
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (OLD.tenant_id, OLD.id) <> (NEW.tenant_id, NEW.id) THEN
        INSERT INTO lesson_feed.outbox (tenant_id, lesson_id) VALUES (OLD.tenant_id, OLD.id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO lesson_feed.outbox (tenant_id, lesson_id, lesson)
        VALUES (NEW.tenant_id, NEW.id, lesson_feed.lesson(NEW));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER lesson_feed_note AFTER INSERT OR UPDATE OR DELETE ON public.lessons
    FOR EACH ROW EXECUTE FUNCTION lesson_feed.note();

-- TRUNCATE tells no trigger which rows it takes.
CREATE FUNCTION lesson_feed.refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lessons are removed with DELETE, so that calendars follow';
END
$$;

CREATE TRIGGER lesson_feed_refuse BEFORE TRUNCATE ON public.lessons
    FOR EACH STATEMENT EXECUTE FUNCTION lesson_feed.refuse();

-- Tells all lessons of a tenant that are not long over once more: at the beginning, or after a restore. Answers how
-- many.
CREATE FUNCTION lesson_feed.tell_all(tenant uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    this public.lessons;
    told bigint := 0;
BEGIN
    -- Each row is locked before its version is drawn.
    FOR this IN SELECT * FROM public.lessons
        WHERE tenant_id = tenant AND ends_at > now() - interval '7 days' FOR NO KEY UPDATE
    LOOP
        INSERT INTO lesson_feed.outbox (tenant_id, lesson_id, lesson)
        VALUES (this.tenant_id, this.id, lesson_feed.lesson(this));
        told := told + 1;
    END LOOP;
    RETURN told;
END
$$;

-- ── the relay ─────────────────────────────────────────────────────────────────────────────────────────────────────────
-- BEGIN; SELECT * FROM lesson_feed.next(); send `body`; SELECT lesson_feed.sent(versions); COMMIT; and again.

-- The next message to send and the versions that it tells, oldest first; NULLs when there is none. They are locked until
-- the transaction ends; another relay passes them over.
CREATE FUNCTION lesson_feed.next(OUT versions bigint[], OUT body text)
LANGUAGE sql AS $$
    WITH locked AS (
        SELECT * FROM lesson_feed.outbox ORDER BY version LIMIT 100 FOR UPDATE SKIP LOCKED
    ), messages AS (
        SELECT version, jsonb_strip_nulls(jsonb_build_object(
            'type',     CASE WHEN lesson IS NULL THEN 'lesson.removed' ELSE 'lesson.changed' END,
            'tenantId', tenant_id,
            'lessonId', lesson_id,
            'version',  version,
            'lesson',   lesson
        )) AS message FROM locked
    ), sizes AS (
        SELECT *, sum(octet_length(message::text) + 2) OVER (ORDER BY version) AS size FROM messages
    )
    SELECT array_agg(version ORDER BY version), jsonb_agg(message ORDER BY version)::text
    FROM sizes WHERE size < 250000 -- a message of SQS holds 262,144 bytes at least
$$;

CREATE FUNCTION lesson_feed.sent(versions bigint[]) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM lesson_feed.outbox WHERE version = ANY (versions)
$$;

-- ── what comes back ───────────────────────────────────────────────────────────────────────────────────────────────────

-- Every notice once, for the application to show or mail.
CREATE TABLE lesson_feed.notices (
    id          uuid PRIMARY KEY,
    notice      jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);

-- Takes a notice, the `detail` of an event on the bus, and answers whether it is new. They come in any order, and some
-- twice.
CREATE FUNCTION lesson_feed.take(notice jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lesson_feed.notices VALUES ((notice ->> 'id')::uuid, notice) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF notice ->> 'type' = 'lesson.sync_changed' THEN
        UPDATE public.lessons SET
            google_calendar_event_id = notice ->> 'googleEventId',
            calendar_sync_status     = notice ->> 'syncStatus',
            has_conflict             = (notice ->> 'hasConflict')::boolean,
            calendar_sync_revision   = (notice ->> 'revision')::bigint
        WHERE tenant_id = (notice ->> 'tenantId')::uuid AND id = (notice ->> 'lessonId')::uuid
            AND calendar_sync_revision < (notice ->> 'revision')::bigint;
    END IF;
    RETURN true;
END
$$;

COMMIT;
