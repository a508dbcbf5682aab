/** The layout of blocks as the host encodes it at `blocks` (see EncodedBlocks in shared/kernels/blocks.ts). */

/** Bytes of what describes a group, and a block; the blocks follow the groups. */
export const GROUP_BYTES: usize = 24, BLOCK_BYTES: usize = 20;

@inline export function blocks_of_group(group: usize): i32 { return load<i32>(group); }
@inline export function columns_of_group(group: usize): i32 { return load<i32>(group, 4); }
@inline export function outputs_of_group(group: usize): i32 { return load<i32>(group, 12); }
@inline export function sums_of_group(group: usize): i32 { return load<i32>(group, 20); }

@inline export function k_of_block(block: usize): i32 { return load<i32>(block); }
@inline export function n_of_block(block: usize): i32 { return load<i32>(block, 4); }
@inline export function sums_of_block(block: usize): i32 { return load<i32>(block, 16); }

/** Addresses of the lists of a group (`head`) or a block. */
@inline export function list(blocks: usize, head: usize, field: usize): usize { return blocks + ((<usize> load<u32>(head + field)) << 2); }
export const GROUP_COLUMNS: usize = 8, GROUP_OUTPUTS: usize = 16, BLOCK_COLUMNS: usize = 8, BLOCK_OUTPUTS: usize = 12;
