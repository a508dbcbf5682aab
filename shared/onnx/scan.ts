import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { MAX_DEPTH, MAX_FIELD_WEIGHT } from "./limits.ts";
import { unreadable } from "./problem.ts";
import { LipcertError } from "../errors.ts";

const MESSAGE_WEIGHT = 8;
const STRING_WEIGHT = 2;

/**
 * Walks the wire format once without building anything: finds where a file is broken, and refuses one that would become
 * far larger in memory than it is on disk (two bytes of file can be an empty message of some hundred bytes of memory).
 *
 * Throws: `unreadable-model` with the byte offset; `model-too-large` with the weight of the fields.
 */
export function scan(schema: DescMessage, bytes: Uint8Array): void {
  const state = { reader: new BinaryReader(bytes), weight: 0 };
  try {
    scanMessage(state, schema, bytes.length, 0);
  } catch (error) {
    if (error instanceof LipcertError) throw error;
    const offset = Math.min(state.reader.pos, bytes.length);
    const reason = error instanceof Error ? error.message : String(error);
    throw unreadable(`${reason} near byte ${offset}`, { offset }, error);
  }
}

interface State {
  readonly reader: BinaryReader;
  weight: number;
}

function scanMessage(state: State, schema: DescMessage, end: number, depth: number): void {
  const { reader } = state;
  if (depth > MAX_DEPTH) throw new RangeError(`messages nest deeper than ${MAX_DEPTH}`);
  const fields = fieldsOf(schema);
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = fields.get(number);
    if (wireType === WireType.LengthDelimited) {
      const length = reader.uint32();
      const fieldEnd = reader.pos + length;
      if (fieldEnd > end) throw new RangeError(`a field of ${length} bytes ends after its message`);
      scanDelimited(state, field, fieldEnd, depth);
      reader.pos = fieldEnd;
    } else {
      reader.skip(wireType, number);
      if (reader.pos > end) throw new RangeError("a field ends after its message");
      weigh(state, 1);
    }
  }
}

function scanDelimited(state: State, field: DescField | undefined, fieldEnd: number, depth: number): void {
  if (field === undefined) return;
  if (field.message !== undefined) {
    weigh(state, MESSAGE_WEIGHT);
    scanMessage(state, field.message, fieldEnd, depth + 1);
  } else if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) {
    weigh(state, STRING_WEIGHT);
  } else if (field.scalar !== ScalarType.FLOAT && field.scalar !== ScalarType.DOUBLE) {
    weigh(state, fieldEnd - state.reader.pos); // packed integers take at least a byte each
  }
}

function weigh(state: State, weight: number): void {
  state.weight += weight;
  if (state.weight > MAX_FIELD_WEIGHT) {
    throw new LipcertError("model-too-large", "Cannot read model: it has too many nodes, names and integers", {
      limit: MAX_FIELD_WEIGHT,
      got: state.weight,
    });
  }
}

const FIELDS = new WeakMap<DescMessage, Map<number, DescField>>();

function fieldsOf(schema: DescMessage): Map<number, DescField> {
  let fields = FIELDS.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    FIELDS.set(schema, fields);
  }
  return fields;
}
