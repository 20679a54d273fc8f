type Context = { project: { ref: string }; environment: { id: string } };

/** Names the environment of Trigger.dev that a run is in, as the ledger does: `proj_x/env_id`. */
export const environmentOf = ({ project, environment }: Context) => `${project.ref}/${environment.id}`;
