/** Bounds on what one model may make us hold, checked before anything of that size is allocated. */

/** Bytes of a model file. */
export const MAX_MODEL_BYTES = 2 ** 26;

/** Fields of the file by weight (a message 8, a string 2, an integer 1): about 32 bytes of memory each at most. */
export const MAX_FIELD_WEIGHT = 2 ** 19;

/** Nesting of messages; a model without subgraphs needs 6. */
export const MAX_DEPTH = 40;

/** Dimensions of a tensor. */
export const MAX_RANK = 16;

/** Elements of any one tensor, whether it is held or only has a shape. */
export const MAX_TENSOR_ELEMENTS = 2 ** 24;

/** Elements of an integer constant: they hold shapes, axes and indices. */
export const MAX_INTEGER_ELEMENTS = 2 ** 16;

/** Elements allocated in all for one model beyond the numbers in the file: folded constants, biases, matrices, index maps. */
export const MAX_ALLOCATED_ELEMENTS = 2 ** 24;

/** Elements of a matrix that is mostly zeros (a sum over some axes): a larger one is taken apart. */
export const MAX_SPARSE_MATRIX_ELEMENTS = 2 ** 22;

/** Positions a window may reach over, its padding included: far inside the range of an i32. */
export const MAX_REACH = 2 ** 30;

/** The first opset whose Add, Sub, Mul and Div broadcast as numpy does. */
export const MIN_OPSET = 7;
