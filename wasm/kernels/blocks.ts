/** The layout of blocks as the host encodes it at `blocks` (see EncodedBlocks in shared/kernels/blocks.ts). */

/** Bytes of what describes a group, and a block; the blocks follow the groups. */
export const GROUP_BYTES: usize = 16, BLOCK_BYTES: usize = 20;

@inline export function blocks_of_group(group: usize): i32 { return load<i32>(group); }
@inline export function outputs_of_group(group: usize): i32 { return load<i32>(group, 4); }
@inline export function sums_of_group(group: usize): i32 { return load<i32>(group, 12); }

@inline export function k_of_block(block: usize): i32 { return load<i32>(block); }
@inline export function n_of_block(block: usize): i32 { return load<i32>(block, 4); }
@inline export function sums_of_block(block: usize): i32 { return load<i32>(block, 16); }

/** Fields of a group or a block that say where a list is, and its address. */
export const GROUP_OUTPUTS: usize = 8, BLOCK_COLUMNS: usize = 8, BLOCK_OUTPUTS: usize = 12;
@inline export function list(blocks: usize, head: usize, field: usize): usize { return blocks + ((<usize> load<u32>(head + field)) << 2); }
