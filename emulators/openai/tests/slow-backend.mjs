// A machine that is slow to compile WebAssembly.
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...wasm) => {
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  return instantiate(...wasm);
};
await import("../worker-entry.mjs");
