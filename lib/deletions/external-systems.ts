import { EnvironmentError } from "../env.ts";
import type { ExternalSystem } from "./external-system.ts";
import { ownRows } from "./own-rows.ts";
import { webhooks } from "./webhook.ts";

const registered = (): ExternalSystem[] => [...ownRows(), ...webhooks()];

/**
 * Every system that has to be clean before a deletion is confirmed. To add one, write its file and name it above. Their
 * names must not need secrets: the app decides by them what a deletion has to do, the tasks do it.
 * @throws {EnvironmentError} when one is not configured, or two have one name
 */
export function externalSystems(): ExternalSystem[] {
  const systems = registered();
  const twice = systems.find(({ name }, index) => systems.findIndex((other) => other.name === name) < index);
  if (!twice) return systems;
  const problem = `names ${twice.name}, which is another system's name`;
  throw new EnvironmentError([{ name: "USER_DELETION_WEBHOOK_URLS", problem }]);
}
