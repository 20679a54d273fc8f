// What tasks may expect of a Trigger.dev server, checked with the real SDK and the real CLI. It runs against the
// emulator, or against the server that TRIGGER_API_URL, TRIGGER_SECRET_KEY, TRIGGER_ACCESS_TOKEN and
// TRIGGER_PROJECT_REF name together.
import { afterAll, beforeAll } from "vitest";
import { startSuite, stopSuite } from "./context.ts";
import { familyTests } from "./families.ts";
import { queueTests } from "./queues.ts";
import { stressTests } from "./stress.ts";
import { taskTests } from "./tasks.ts";
import { triggerTests } from "./triggers.ts";
import { waitTests } from "./waits.ts";

beforeAll(startSuite);
afterAll(stopSuite);

taskTests();
triggerTests();
familyTests();
waitTests();
queueTests();
stressTests();
