import type { ShownPosts } from "../../lib/status/read-status.ts";
import { duration } from "./format.ts";
import { RunLink } from "./run-link.tsx";
import { Time } from "./time.tsx";

const STATES = {
  embedded: ["Embedded", "good"],
  pending: ["Pending", "waiting"],
  stale: ["Stale", "busy"],
  failed: ["Failed", "bad"],
  empty: ["No text", "still"],
} as const;

type Post = ShownPosts["posts"][number];

function lagOf({ state, changedAt, embeddedAt }: Post): string | undefined {
  if (state !== "embedded" || !embeddedAt || !changedAt) return undefined;
  return `in ${duration((embeddedAt.getTime() - changedAt.getTime()) / 1000)}`;
}

/** The provider's words about a post, and when it is tried again; or how long its embedding took. */
function Note({ post }: { post: Post }) {
  const { failure } = post;
  if (!failure) return <span className="note whole">{lagOf(post)}</span>;
  return (
    <span className="note">
      {failure.error} – tried {failure.tries === 1 ? "once" : `${failure.tries} times`}, again{" "}
      {failure.nextTry.getTime() > Date.now() ? <Time at={failure.nextTry} /> : "soon"}
    </span>
  );
}

/** A plain form: it works without JavaScript. */
function RetryFailed({ posts }: Pick<ShownPosts, "posts">) {
  if (!posts.some(({ failure }) => failure)) return null;
  return (
    <form action="/api/retry-failed" method="post">
      <button type="submit" className="quiet">
        Try the failed posts again now
      </button>
    </form>
  );
}

/** The posts that failed and those that changed last, each with its state and its newest run. */
export function PostTable({ posts }: Pick<ShownPosts, "posts">) {
  return (
    <section className="panel" aria-labelledby="posts">
      <div className="over">
        <h2 id="posts">Latest posts</h2>
        <RetryFailed posts={posts} />
      </div>
      {posts.length === 0 ? (
        <p className="muted">
          None yet. Insert one: <code>npm run sql -- "insert into posts …"</code>
        </p>
      ) : (
        <table>
          <caption className="visually-hidden">Posts that failed, then those that changed last</caption>
          <thead>
            <tr>
              <th scope="col">Post</th>
              <th scope="col">Embedding</th>
              <th scope="col" className="roomy number">
                Changed
              </th>
              <th scope="col" className="number">
                Run
              </th>
            </tr>
          </thead>
          <tbody>
            {posts.map((post) => (
              <tr key={post.id}>
                <th scope="row">
                  <span className="title">{post.title || `Post ${post.id}`}</span>
                  <span className="note">{post.author}</span>
                </th>
                <td className="embedding">
                  <span className="badge" data-tone={STATES[post.state][1]}>
                    {STATES[post.state][0]}
                  </span>{" "}
                  <Note post={post} />
                </td>
                <td className="roomy number">
                  <Time at={post.updatedAt} />
                </td>
                <td className="number">
                  <RunLink run={post.run} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
