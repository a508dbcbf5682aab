import { referenceKernels } from "../../shared/kernels/reference.ts";
import { kernelsSuite } from "../suites/kernels.ts";

kernelsSuite("reference", referenceKernels);
