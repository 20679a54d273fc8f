-- Full: updates carry the old values, deletes carry the e-mail, and no value arrives as "unchanged_toast".
ALTER TABLE posts REPLICA IDENTITY FULL;--> statement-breakpoint
ALTER TABLE users REPLICA IDENTITY FULL;--> statement-breakpoint
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at = now();
  RETURN NEW;
END
$$;--> statement-breakpoint
CREATE TRIGGER posts_set_updated_at BEFORE UPDATE ON posts
  FOR EACH ROW EXECUTE FUNCTION set_updated_at();--> statement-breakpoint
CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION set_updated_at();
