// Written by wasm/build.ts.
/** The compiled kernels, by static import: a Worker may not compile at run time. */
declare const kernels: WebAssembly.Module;
export default kernels;
