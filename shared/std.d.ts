/** Types of the few functions of Deno's standard library that are used (its npm edition ships JavaScript only). */
declare module "@std/encoding/hex" {
  export function encodeHex(bytes: Uint8Array | ArrayBuffer | string): string;
}
