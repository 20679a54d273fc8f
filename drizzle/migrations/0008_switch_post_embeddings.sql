DO $$ BEGIN
  IF NOT (SELECT done FROM embedding_migration) THEN
    RAISE EXCEPTION 'The hashes and vectors of this database are not carried over yet'
      USING HINT = 'Run npm run migrate: it does that in pages, while the app serves, and then applies this migration.';
  END IF;
END $$;--> statement-breakpoint
-- No writer of the old table comes in between.
LOCK TABLE "post_embeddings" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
SELECT embedding_migration_copy(-9223372036854775808, 9223372036854775807, copied_since) FROM embedding_migration WHERE copied_since IS NOT NULL;--> statement-breakpoint
DROP TABLE "post_embeddings";--> statement-breakpoint
ALTER TABLE "post_embeddings_next" RENAME TO "post_embeddings";--> statement-breakpoint
ALTER TABLE "post_embeddings" RENAME CONSTRAINT "post_embeddings_next_post_fk" TO "post_embeddings_post_id_posts_id_fk";--> statement-breakpoint
-- Where there were rows, they are there already, built without a lock.
CREATE INDEX IF NOT EXISTS "posts_id_text_hash" ON "posts" USING btree ("id","text_hash");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "posts_updated_at" ON "posts" USING btree ("updated_at","id");--> statement-breakpoint
DROP FUNCTION embedding_migration_copy;--> statement-breakpoint
DROP TABLE "embedding_migration";
