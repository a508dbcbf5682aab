import assert from "node:assert/strict";
import fc from "fast-check";
import { paddingBefore, tapsOf } from "../../../shared/onnx/windows.ts";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { node } from "../../models/build.ts";
import { numbers, smallNetwork } from "./networks.ts";

const SEED = 7;

Deno.test(`tapsOf() lists every position of every window that exists, once (seed ${SEED})`, () => {
  const axis = fc.record({
    kernel: fc.integer({ min: 1, max: 6 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 4 }),
    begin: fc.nat({ max: 5 }),
    coarse: fc.integer({ min: 1, max: 6 }),
    fine: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(axis, ({ kernel, stride, dilation, begin, coarse, fine }) => {
      const wanted: string[] = [];
      for (let o = 0; o < coarse; o++) {
        for (let k = 0; k < kernel; k++) {
          const position = o * stride - begin + k * dilation;
          if (position >= 0 && position < fine) wanted.push(`${o} ${k} ${position}`);
        }
      }
      const taps = tapsOf({ input: fine, output: coarse, kernel, stride, dilation, begin }, coarse, fine);
      assert.deepEqual(taps.map((tap) => `${tap.coarse} ${tap.k} ${tap.fine}`), wanted);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("tapsOf() visits no position of a kernel that does not exist", () => {
  const axis = { input: 3, output: 2, kernel: 2 ** 31, stride: 1, dilation: 1, begin: 2 ** 31 - 2 };
  assert.equal(tapsOf(axis, 2, 3).length, 3 + 2);
});

Deno.test("paddingBefore() puts the odd one after the tensor for SAME_UPPER only", () => {
  assert.deepEqual([paddingBefore(3, "SAME_UPPER"), paddingBefore(3, "SAME_LOWER")], [1, 2]);
});

Deno.test("readModel() infers the shapes of windows as the standard does", () => {
  const shapeOf = (operator: string, attributes: Parameters<typeof node>[3], kernel: number[]) => {
    const size = kernel.reduce((product, part) => product * part, 1);
    const bytes = smallNetwork({
      input: [1, 2, 7, 8],
      nodes: [node(operator, ["x", "w"], ["y"], attributes)],
      floats: { w: [kernel, numbers(size)] },
    });
    return readModel(bytes).description.outputs[0].shape;
  };
  assert.deepEqual(shapeOf("Conv", {}, [3, 2, 2, 3]), [3, 6, 6]);
  assert.deepEqual(shapeOf("Conv", { strides: [2, 3], pads: [1, 0, 0, 2] }, [3, 2, 2, 3]), [3, 4, 3]);
  assert.deepEqual(shapeOf("Conv", { dilations: [3, 2] }, [1, 2, 2, 3]), [1, 4, 4]);
  assert.deepEqual(shapeOf("Conv", { auto_pad: "SAME_LOWER", strides: [2, 3] }, [1, 2, 5, 5]), [1, 4, 3]);
  assert.deepEqual(shapeOf("ConvTranspose", { strides: [2, 1] }, [2, 3, 2, 3]), [3, 14, 10]);
  assert.deepEqual(shapeOf("ConvTranspose", { output_shape: [8, 9] }, [2, 1, 2, 3]), [1, 8, 9]);
  assert.deepEqual(shapeOf("ConvTranspose", { output_shape: [1, 1, 8, 9] }, [2, 1, 2, 3]), [1, 8, 9]);
});
