-- Vectors a model, hashes in SQL. This part only adds; `npm run migrate` then fills and copies in pages, and 0008 switches.
CREATE FUNCTION embedding_text_hash(whole text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  -- JavaScript's white space: what Postgres calls space depends on its locale. md5 and its cast are immutable.
  SELECT CASE WHEN whole ~ '[^\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]' THEN md5(whole)::uuid END
$$;--> statement-breakpoint
ALTER TABLE "posts" ADD COLUMN "text_hash" uuid;--> statement-breakpoint
CREATE FUNCTION post_text(post posts) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT post.title || E'\n\n' || post.body
$$;--> statement-breakpoint
CREATE FUNCTION posts_set_text_hash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.text_hash = embedding_text_hash(post_text(NEW));
  RETURN NEW;
END
$$;--> statement-breakpoint
-- At any update: another trigger may change the text where the statement does not.
CREATE TRIGGER posts_set_text_hash BEFORE INSERT OR UPDATE ON posts
  FOR EACH ROW EXECUTE FUNCTION posts_set_text_hash();--> statement-breakpoint
-- Filling text_hash is no change of a post.
DROP TRIGGER posts_set_updated_at ON posts;--> statement-breakpoint
CREATE TRIGGER posts_set_updated_at BEFORE UPDATE OF id, title, body, author, created_at ON posts
  FOR EACH ROW EXECUTE FUNCTION set_updated_at();--> statement-breakpoint
CREATE TABLE "embedding_models" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "embedding_models_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"dimensions" integer NOT NULL,
	"recipe" integer NOT NULL,
	"state" text NOT NULL,
	"index_type" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"activated_at" timestamp with time zone,
	CONSTRAINT "embedding_models_identity" UNIQUE("name","dimensions","recipe")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "embedding_models_one_active" ON "embedding_models" USING btree ("state") WHERE "embedding_models"."state" = 'active';--> statement-breakpoint
CREATE UNIQUE INDEX "embedding_models_one_building" ON "embedding_models" USING btree ("state") WHERE "embedding_models"."state" = 'building';--> statement-breakpoint
CREATE TABLE "post_embeddings_next" (
	"post_id" bigint NOT NULL,
	"model_id" integer NOT NULL,
	"chunk" integer NOT NULL,
	"chunks" integer NOT NULL,
	"text_hash" uuid NOT NULL,
	"start" integer NOT NULL,
	"length" integer NOT NULL,
	"tokens" integer NOT NULL,
	"embedding" halfvec NOT NULL,
	"changed_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "post_embeddings_post_id_model_id_chunk_pk" PRIMARY KEY("post_id","model_id","chunk")
);
--> statement-breakpoint
ALTER TABLE "post_embeddings_next" ADD CONSTRAINT "post_embeddings_next_post_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "post_embeddings_next" ADD CONSTRAINT "post_embeddings_model_id_embedding_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."embedding_models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "post_embeddings_state" ON "post_embeddings_next" USING btree ("model_id","post_id","text_hash","chunks");--> statement-breakpoint
CREATE INDEX "post_embeddings_answered" ON "post_embeddings_next" USING btree ("model_id","updated_at") WHERE chunk = 0 and changed_at is not null;--> statement-breakpoint
CREATE TABLE "embedding_failures" (
	"source" text NOT NULL,
	"row_id" text NOT NULL,
	"model_id" integer NOT NULL,
	"text_hash" uuid NOT NULL,
	"error" text NOT NULL,
	"tries" integer NOT NULL,
	"next_try" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "embedding_failures_source_row_id_model_id_pk" PRIMARY KEY("source","row_id","model_id")
);
--> statement-breakpoint
ALTER TABLE "embedding_failures" ADD CONSTRAINT "embedding_failures_model_id_embedding_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."embedding_models"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "embedding_failures_latest" ON "embedding_failures" USING btree ("source","model_id","updated_at");--> statement-breakpoint
CREATE TABLE "embedding_budget" (
	"model" text PRIMARY KEY NOT NULL,
	"tokens" double precision NOT NULL,
	"requests" double precision NOT NULL,
	"blocked_until" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "embedding_counts" (
	"source" text NOT NULL,
	"model_id" integer NOT NULL,
	"embedded" bigint NOT NULL,
	"pending" bigint NOT NULL,
	"stale" bigint NOT NULL,
	"empty" bigint NOT NULL,
	"counted_at" timestamp with time zone NOT NULL,
	"took_ms" integer NOT NULL,
	CONSTRAINT "embedding_counts_source_model_id_pk" PRIMARY KEY("source","model_id")
);
--> statement-breakpoint
ALTER TABLE "embedding_counts" ADD CONSTRAINT "embedding_counts_model_id_embedding_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."embedding_models"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
-- How far `npm run migrate` has come: the last post whose hash is filled, and the last whose vectors are copied.
CREATE TABLE "embedding_migration" ("filled" bigint, "copied" bigint, "copied_since" timestamp with time zone, "done" boolean NOT NULL);--> statement-breakpoint
INSERT INTO embedding_migration VALUES (NULL, NULL, NULL, NOT EXISTS (SELECT FROM posts));--> statement-breakpoint
-- Copies the vectors of some posts that the active model made; a vector of another text is copied as a stale one. The
-- lock has posts that are being deleted left out, which else would fail the foreign key; it stops no other change.
CREATE FUNCTION embedding_migration_copy(lowest bigint, highest bigint, since timestamptz) RETURNS bigint LANGUAGE sql AS $$
  WITH copied AS (
    INSERT INTO post_embeddings_next (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, updated_at)
    SELECT e.post_id, m.id, e.chunk, n.chunks,
      CASE WHEN e.content_hash = encode(sha256(convert_to(e.model || E'\n1536\ntitle-body-v1\n' || post_text(p), 'UTF8')), 'hex')
        THEN coalesce(p.text_hash, md5('')::uuid) ELSE md5(e.content_hash)::uuid END,
      -- Where a chunk of several stands was not kept: length 0 says so.
      0, CASE WHEN n.chunks = 1 THEN char_length(post_text(p)) ELSE 0 END, e.tokens, e.embedding::halfvec, e.updated_at
    FROM post_embeddings e
    JOIN posts p ON p.id = e.post_id
    JOIN embedding_models m ON m.name = e.model AND m.state = 'active'
    -- One more than the last: where a chunk in between is missing, the post is found to be damaged.
    CROSS JOIN LATERAL (SELECT max(chunk) + 1 AS chunks FROM post_embeddings o WHERE o.post_id = e.post_id) n
    WHERE e.post_id BETWEEN lowest AND highest AND (since IS NULL OR e.updated_at >= since)
    FOR KEY SHARE OF p
    ON CONFLICT (post_id, model_id, chunk) DO UPDATE SET chunks = excluded.chunks, text_hash = excluded.text_hash,
      start = excluded.start, length = excluded.length, tokens = excluded.tokens, embedding = excluded.embedding,
      updated_at = excluded.updated_at
    RETURNING post_id, chunks
  ), dropped AS (
    -- A post that was copied before may be shorter by now.
    DELETE FROM post_embeddings_next n USING (SELECT DISTINCT post_id, chunks FROM copied) c
    WHERE n.post_id = c.post_id AND n.chunk >= c.chunks
  ) SELECT count(*) FROM copied
$$;
