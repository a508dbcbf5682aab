/** Swagger UI's files out of its npm package, for hosts with a file system. */
import type { Assets } from "../services.ts";

export const swaggerFiles: Assets = {
  read: (name) => Deno.readFile(new URL(import.meta.resolve(`swagger-ui-dist/${name}`))),
};
