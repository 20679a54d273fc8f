import type { ExternalSystem } from "./external-system.ts";
import { ownRows } from "./own-rows.ts";
import { webhooks } from "./webhook.ts";

/**
 * Every system that has to be clean before a deletion is confirmed. To add one, write its file and name it here.
 * @throws {EnvironmentError} when one is not configured
 */
export const externalSystems = (): ExternalSystem[] => [...ownRows(), ...webhooks()];
