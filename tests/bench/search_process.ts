/** One search on one thread, after one that is not counted: prints the milliseconds it took. */
import { createKernels } from "../../functions/kernels.ts";
import { longSearch, searchTime } from "./long_search.ts";

const question = await longSearch(), kernels = createKernels(2 ** 30);
await searchTime(question, kernels);
console.log((await searchTime(question, kernels)).ms);
