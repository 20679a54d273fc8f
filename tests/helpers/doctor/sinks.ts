const destination = { type: "webhook", http_endpoint: "app" };

/** The sinks of sequin.yaml, as Sequin's API lists them. */
export const sinks = {
  posts: {
    name: "posts-embedding",
    status: "active",
    actions: ["insert", "update", "delete"],
    source: { include_tables: ["public.posts"] },
    destination: { ...destination, http_endpoint_path: "/api/create-embedding-for-post" },
    health: { status: "healthy", checks: [{ name: "Message delivery", status: "healthy" }] },
  },
  users: {
    name: "users-deletion",
    status: "active",
    actions: ["delete"],
    source: { include_tables: ["public.users"] },
    destination: { ...destination, http_endpoint_path: "/api/delete-user" },
  },
};
