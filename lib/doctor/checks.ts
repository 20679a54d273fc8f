import { capture } from "./capture.ts";
import { type Check, categoryOf } from "./check.ts";
import { database } from "./database.ts";
import { environment } from "./environment.ts";
import { externalSystems } from "./external-systems.ts";
import { ingress } from "./ingress.ts";
import { mail } from "./mail.ts";
import { provider } from "./provider.ts";
import { sequin } from "./sequin.ts";
import { triggerDev } from "./trigger.ts";
import { triggerEnvironment } from "./trigger-environment.ts";

/** Every check of `npm run doctor`, for one pass: what they share is looked up once. */
export const allChecks = (): Check[] => [
  ...environment(),
  ...database(),
  ...capture(),
  ...sequin(),
  ...triggerDev(),
  ...triggerEnvironment(),
  ...provider(),
  ...mail(),
  ...externalSystems(),
  ...ingress(),
];

export const categories = () => [...new Set(allChecks().map(({ id }) => categoryOf(id)))];
