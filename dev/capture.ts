import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { superviseChild } from "./child.ts";
import { captureCommand } from "./processes.ts";

/** Captures the changes of a user's database while it runs. `serves` resolves when it reads them. */
export function startCapture(variables: Variables) {
  const child = superviseChild({
    name: "capture",
    ...captureCommand(variables),
    onLine: (line) => {
      say("capture", line);
      if (line.includes('"event":"capture.started"')) child.serving();
    },
  });
  return child;
}
