export { absorb_rows_f64 } from "./absorb_rows";
export { affine_box_f64 } from "./affine_box";
export { concretize_rows_f64 } from "./concretize_rows";
export { gather_matrix_f64, gather_rows_f64 } from "./gather";
export { gemm_f64 } from "./gemm";
export { pack_f64 } from "./pack";
export { relax_rows_f64 } from "./relax_rows";
export { scale_columns_f64 } from "./scale_columns";
export { arena_start } from "../generated/gemm_tiles";
