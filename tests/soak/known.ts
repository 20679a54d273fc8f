import type { Dice } from "./dice.ts";

export type User = { id: string; email: string };

/** What was written, as far as the writer knows. */
export function createKnown() {
  const posts: string[] = [];
  const gone: string[] = [];
  const users: User[] = [];
  const deleted: User[] = [];
  const made: User[] = [];
  const kept: User[] = [];
  let texts = 0;
  const take = <T>(list: T[], value: T) => {
    const index = list.indexOf(value);
    if (index !== -1) list.splice(index, 1);
  };
  return {
    /** Posts that exist. */
    posts,
    /** Posts that no longer exist. */
    gone,
    /** Users that exist. */
    users,
    /** Users whose delete was committed. */
    deleted,
    /** Every user whose insert was attempted. */
    made,
    /** Users who stay. Each is deleted and inserted again in one transaction, so nobody may be notified about them. */
    kept,
    /** Ids of the existing users whose delete was attempted: those that are missing were deleted. */
    tried: new Set<string>(),
    /** Committed changes, and those whose connection was lost before the response. */
    changes: 0,
    unknown: 0,
    /** How many texts there were to embed. */
    texts: () => texts,
    newUser({ below }: Dice): User {
      const number = `${made.length}`.padStart(12, "0");
      const id = `${below(2 ** 31)
        .toString(16)
        .padStart(8, "0")}-0000-4000-8000-${number}`;
      const user = { id, email: `soak-${made.length}@example.com` };
      made.push(user);
      return user;
    },
    inserted(id: string) {
      posts.push(id);
      texts += 1;
    },
    edited(rows: number) {
      texts += rows;
    },
    removed(id: string) {
      take(posts, id);
      gone.push(id);
    },
    keeping(user: User) {
      take(users, user);
      kept.push(user);
    },
    deleting(user: User) {
      take(users, user);
      if (!deleted.includes(user)) deleted.push(user);
    },
  };
}

export type Known = ReturnType<typeof createKnown>;
