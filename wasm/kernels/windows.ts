/** The geometry of a convolution as the host lays it out: 16 integers at `g` (see encodeWindows in shared/kernels). */

@inline export function groups_of(g: usize): i32 { return load<i32>(g, 4); }
@inline export function batch_of(g: usize): i32 { return load<i32>(g, 0); }

/** Channels, height and width of the coarse grid, or of the fine one. */
@inline export function channels_of(g: usize, fine: bool): i32 { return load<i32>(g + (fine ? 20 : 8)); }
@inline export function height_of(g: usize, fine: bool): i32 { return load<i32>(g + (fine ? 24 : 12)); }
@inline export function width_of(g: usize, fine: bool): i32 { return load<i32>(g + (fine ? 28 : 16)); }

/** By axis, 0 or 4 bytes: vertical or horizontal. */
@inline export function kernel_of(g: usize, axis: usize): i32 { return load<i32>(g + axis, 32); }
@inline export function stride_of(g: usize, axis: usize): i32 { return load<i32>(g + axis, 40); }
@inline export function dilation_of(g: usize, axis: usize): i32 { return load<i32>(g + axis, 48); }
@inline export function begin_of(g: usize, axis: usize): i32 { return load<i32>(g + axis, 56); }

/** The position of the other grid that tap `k` joins with `at`, or -1; from the coarse grid to the fine one unless `transposed`. */
@inline
export function position_of(g: usize, axis: usize, transposed: bool, at: i32, k: i32, limit: i32): i32 {
  let position: i32;
  if (transposed) {
    const distance = at + begin_of(g, axis) - k * dilation_of(g, axis), stride = stride_of(g, axis);
    if (distance < 0 || distance % stride != 0) return -1;
    position = distance / stride;
  } else {
    position = at * stride_of(g, axis) - begin_of(g, axis) + k * dilation_of(g, axis);
  }
  return position >= 0 && position < limit ? position : -1;
}
