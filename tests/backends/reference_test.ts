import { referenceKernels } from "../../shared/kernels/reference.ts";
import { kernelsSuite } from "../suites/kernels.ts";
import { singleSuite } from "../suites/kernels_single.ts";

kernelsSuite("reference", referenceKernels);
singleSuite("reference", referenceKernels);
