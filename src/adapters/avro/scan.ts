/**
 * Walks the bytes of a value before avsc reads them, because avsc trusts what it is told: an array that claims 2^40
 * items keeps it busy until memory ends, and bytes that stop early read as zeros. What passes here is whole: every
 * length, count, branch and symbol is in range, and every long is a whole number that a double holds exactly.
 */
import type { Type, types } from 'avsc';
import { DecodeError } from '../../pipeline/codec.ts';

/** Returns where the value ends. Throws DecodeError ('malformed', 'out_of_range'). */
export type Scan = (bytes: Buffer, position: number) => number;

/** 64 bits in groups of 7. */
const VARINT_BYTES_MAX = 10;
/** Seven bytes hold 49 bits: nothing to look at. */
const SAFE_VARINT_BYTES = 7;

export function compileScan(type: Type): Scan {
  return compile(type, new Map());
}

function compile(type: Type, known: Map<Type, Scan>): Scan {
  const before = known.get(type);
  if (before !== undefined) return before;
  // A schema may refer to itself: whoever meets the type again is led here.
  let scan: Scan = fail;
  known.set(type, (bytes, position) => scan(bytes, position));
  scan = compileNew(type, known);
  known.set(type, scan);
  return scan;
}

function compileNew(type: Type, known: Map<Type, Scan>): Scan {
  switch (type.typeName) {
    case 'null':
      return (_, position) => position;
    case 'boolean':
      return scanBoolean;
    case 'int':
    case 'long':
      return scanLong;
    case 'float':
      return scanFixed(4);
    case 'double':
      return scanFixed(8);
    case 'string':
    case 'bytes':
      return scanBytes;
    case 'fixed':
      return scanFixed((type as types.FixedType).size);
    case 'enum':
      return scanIndex((type as types.EnumType).symbols.length);
    case 'array':
      return scanBlocks(compile((type as types.ArrayType).itemsType, known));
    case 'map':
      return scanBlocks(scanEntry(compile((type as types.MapType).valuesType as Type, known)));
    case 'union:unwrapped':
      return scanUnion((type as types.UnwrappedUnionType).types.map((branch) => compile(branch, known)));
    case 'record':
      return scanFields((type as types.RecordType).fields.map((field) => compile(field.type, known)));
    default:
      throw new TypeError(`cannot scan Avro type ${type.typeName}`);
  }
}

function scanFields(fields: readonly Scan[]): Scan {
  return (bytes, start) => {
    let position = start;
    for (let at = 0; at < fields.length; at += 1) position = (fields[at] as Scan)(bytes, position);
    return position;
  };
}

function scanUnion(branches: readonly Scan[]): Scan {
  const scanBranch = scanIndex(branches.length);
  return (bytes, start) => {
    const position = scanBranch(bytes, start);
    return (branches[readVarint(bytes, start) / 2] as Scan)(bytes, position);
  };
}

/** Blocks of items, each after its count; a negative count is followed by the block's size in bytes. */
function scanBlocks(scanItem: Scan): Scan {
  return (bytes, start) => {
    let position = start;
    for (;;) {
      const zigzag = readVarint(bytes, position);
      position = endOfVarint(bytes, position);
      if (zigzag === 0) return position;
      const count = Math.ceil(zigzag / 2);
      if (zigzag % 2 === 1) position = endOfVarint(bytes, position);
      if (count > bytes.length - position) throw truncated();
      for (let item = 0; item < count; item += 1) position = scanItem(bytes, position);
    }
  };
}

function scanEntry(scanValue: Scan): Scan {
  return (bytes, position) => scanValue(bytes, scanBytes(bytes, position));
}

function scanIndex(count: number): Scan {
  return (bytes, position) => {
    const zigzag = readVarint(bytes, position);
    if (zigzag % 2 === 1 || zigzag / 2 >= count)
      throw new DecodeError('malformed', `no branch or symbol at byte ${position}`);
    return endOfVarint(bytes, position);
  };
}

function scanFixed(size: number): Scan {
  return (bytes, position) => within(bytes, position + size);
}

function scanBoolean(bytes: Buffer, position: number): number {
  const end = within(bytes, position + 1);
  if ((bytes[position] as number) > 1) throw new DecodeError('malformed', `no boolean at byte ${position}`);
  return end;
}

function scanBytes(bytes: Buffer, position: number): number {
  const zigzag = readVarint(bytes, position);
  if (zigzag % 2 === 1) throw new DecodeError('malformed', `a negative length at byte ${position}`);
  return within(bytes, endOfVarint(bytes, position) + zigzag / 2);
}

function scanLong(bytes: Buffer, position: number): number {
  const end = endOfVarint(bytes, position);
  if (end - position > SAFE_VARINT_BYTES && !isSafe(bytes, position, end)) {
    throw new DecodeError('out_of_range', `the number at byte ${position} is beyond 2^53`);
  }
  return end;
}

function endOfVarint(bytes: Buffer, start: number): number {
  let position = start;
  while (position < bytes.length && (bytes[position] as number) >= 0x80) position += 1;
  if (position >= bytes.length) throw truncated();
  if (position - start >= VARINT_BYTES_MAX) throw new DecodeError('malformed', `no number at byte ${start}`);
  return position + 1;
}

/** The zigzag code itself: 2n for n ≥ 0, −2n − 1 below. Counts and lengths that a double cannot hold are refused. */
function readVarint(bytes: Buffer, start: number): number {
  const end = endOfVarint(bytes, start);
  if (end - start > SAFE_VARINT_BYTES) throw truncated();
  let value = 0;
  for (let position = end - 1; position >= start; position -= 1) {
    value = value * 128 + ((bytes[position] as number) & 0x7f);
  }
  return value;
}

function isSafe(bytes: Buffer, start: number, end: number): boolean {
  let zigzag = 0n;
  for (let position = end - 1; position >= start; position -= 1) {
    zigzag = zigzag * 128n + BigInt((bytes[position] as number) & 0x7f);
  }
  // One less than the largest safe integer is where avsc stops, too.
  return zigzag / 2n < BigInt(Number.MAX_SAFE_INTEGER);
}

function within(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw truncated();
  return end;
}

function truncated(): DecodeError {
  return new DecodeError('malformed', 'the bytes end before the message does');
}

function fail(): never {
  throw new TypeError('a type that refers only to itself has no values');
}
