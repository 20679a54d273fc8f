// Speaks the worker's protocol. It never answers "wait", dies of "throw" and "exit", and answers the rest.
import { parentPort } from "node:worker_threads";

parentPort.on("message", ({ id, kind, inputs }) => {
  if (inputs[0] === "wait") return;
  if (inputs[0] === "throw") throw new Error("out of memory");
  if (inputs[0] === "exit") process.exit(7);
  if (kind === "count") parentPort.postMessage({ id, kind: "counted", tokens: 1 });
  else parentPort.postMessage({ id, kind: "embedded", vectors: [new Float32Array([1])] });
});
parentPort.postMessage({ kind: "ready" });
