// `@energetic-ai/core` has TensorFlow.js in it and takes the types from packages that it does not install.
declare module "@tensorflow/tfjs-core" {
  export function ready(): Promise<void>;
}
