import type { PostOnPage } from "../../lib/status/posts.ts";
import { duration } from "./format.ts";
import { RunLink } from "./run-link.tsx";
import { Time } from "./time.tsx";

const NAMES = {
  embedded: "Embedded",
  pending: "Pending",
  stale: "Stale",
  failed: "Failed",
  empty: "No text",
};

function lagOf({ state, updatedAt, embeddedAt }: PostOnPage): string | undefined {
  if (state !== "embedded" || !embeddedAt || embeddedAt < updatedAt) return undefined;
  return `in ${duration((embeddedAt.getTime() - updatedAt.getTime()) / 1000)}`;
}

/** The posts that failed and those that changed last, each with its state and its newest run. */
export function PostTable({ posts }: { posts: PostOnPage[] }) {
  return (
    <section aria-labelledby="posts">
      <h2 id="posts">Latest posts</h2>
      {posts.length === 0 ? (
        <p className="quiet">
          None yet. Insert one: <code>npm run sql -- "insert into posts …"</code>
        </p>
      ) : (
        <table className="wide">
          <caption className="visually-hidden">Posts that failed, then those that changed last</caption>
          <thead>
            <tr>
              <th scope="col">Post</th>
              <th scope="col">Embedding</th>
              <th scope="col" className="roomy">
                Changed
              </th>
              <th scope="col">Run</th>
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
                  <span className="state" data-tone={post.state}>
                    {NAMES[post.state]}
                  </span>{" "}
                  <span className="note whole">{lagOf(post)}</span>
                </td>
                <td className="roomy">
                  <Time at={post.updatedAt} />
                </td>
                <td>
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
