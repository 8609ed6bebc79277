/**
 * Walks the bytes of a value before avsc reads them, because avsc trusts what it is told: an array that claims 2^40
 * items keeps it busy until memory ends, and bytes that stop early read as zeros. What passes here is whole: every
 * length, count, branch and symbol is in range, and every long is a whole number that a double holds exactly.
 */
import type { Type, types } from 'avsc';
import { DecodeError } from '../../pipeline/codec.ts';

/** Moves the cursor past one value. Throws DecodeError ('malformed', 'out_of_range'). */
type Scan = (cursor: Cursor) => void;
type Cursor = { readonly bytes: Buffer; position: number };

/** 64 bits in groups of 7. */
const VARINT_BYTES_MAX = 10;
/** Seven bytes hold 49 bits: a double holds them for sure. */
const SAFE_VARINT_BYTES = 7;

/** Returns where the value of `type` that begins at `position` ends. Throws DecodeError. */
export function compileScan(type: Type): (bytes: Buffer, position: number) => number {
  const scan = compile(type, new Map());
  return (bytes, position) => {
    const cursor = { bytes, position };
    scan(cursor);
    return cursor.position;
  };
}

function compile(type: Type, known: Map<Type, Scan>): Scan {
  const before = known.get(type);
  if (before !== undefined) return before;
  // A schema may refer to itself: whoever meets the type again is led here.
  let scan: Scan | undefined;
  known.set(type, (cursor) => scan?.(cursor));
  scan = compileNew(type, known);
  known.set(type, scan);
  return scan;
}

function compileNew(type: Type, known: Map<Type, Scan>): Scan {
  switch (type.typeName) {
    case 'null':
      return () => {};
    case 'boolean':
      return scanBoolean;
    case 'int':
    case 'long':
      return scanLong;
    case 'float':
      return (cursor) => skip(cursor, 4);
    case 'double':
      return (cursor) => skip(cursor, 8);
    case 'string':
    case 'bytes':
      return scanBytes;
    case 'fixed':
      return (cursor) => skip(cursor, (type as types.FixedType).size);
    case 'enum':
      return (cursor) => void readIndex(cursor, (type as types.EnumType).symbols.length);
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
  return (cursor) => {
    for (let at = 0; at < fields.length; at += 1) (fields[at] as Scan)(cursor);
  };
}

function scanUnion(branches: readonly Scan[]): Scan {
  return (cursor) => (branches[readIndex(cursor, branches.length)] as Scan)(cursor);
}

/** Blocks of items, each after its count; a negative count is followed by the block's size in bytes. */
function scanBlocks(scanItem: Scan): Scan {
  return (cursor) => {
    for (let zigzag = readVarint(cursor); zigzag !== 0; zigzag = readVarint(cursor)) {
      if (zigzag % 2 === 1) readVarint(cursor);
      const count = Math.ceil(zigzag / 2);
      if (count > cursor.bytes.length - cursor.position) throw truncated();
      for (let item = 0; item < count; item += 1) scanItem(cursor);
    }
  };
}

function scanEntry(scanValue: Scan): Scan {
  return (cursor) => {
    scanBytes(cursor);
    scanValue(cursor);
  };
}

function scanBoolean(cursor: Cursor): void {
  const start = cursor.position;
  skip(cursor, 1);
  if ((cursor.bytes[start] as number) > 1) throw new DecodeError('malformed', `no boolean at byte ${start}`);
}

function scanBytes(cursor: Cursor): void {
  const zigzag = readVarint(cursor);
  if (zigzag % 2 === 1)
    throw new DecodeError('malformed', `a negative length before byte ${cursor.position}`);
  skip(cursor, zigzag / 2);
}

function scanLong(cursor: Cursor): void {
  const start = cursor.position;
  skipVarint(cursor);
  if (cursor.position - start > SAFE_VARINT_BYTES && !isSafe(cursor.bytes, start, cursor.position)) {
    throw new DecodeError('out_of_range', `the number at byte ${start} is beyond 2^53`);
  }
}

/** The branch of a union, the symbol of an enum. */
function readIndex(cursor: Cursor, count: number): number {
  const zigzag = readVarint(cursor);
  if (zigzag % 2 === 1 || zigzag / 2 >= count) {
    throw new DecodeError('malformed', `no branch or symbol before byte ${cursor.position}`);
  }
  return zigzag / 2;
}

/** The zigzag code itself: 2n for n ≥ 0, −2n − 1 below. Nothing that is counted needs more than seven bytes. */
function readVarint(cursor: Cursor): number {
  const start = cursor.position;
  skipVarint(cursor);
  if (cursor.position === start + 1) return cursor.bytes[start] as number;
  if (cursor.position - start > SAFE_VARINT_BYTES) throw truncated();
  let value = 0;
  for (let at = cursor.position - 1; at >= start; at -= 1)
    value = value * 128 + ((cursor.bytes[at] as number) & 0x7f);
  return value;
}

function skipVarint(cursor: Cursor): void {
  const { bytes, position: start } = cursor;
  if ((bytes[start] as number) < 0x80) {
    cursor.position = start + 1;
    return;
  }
  let position = start;
  while (position < bytes.length && (bytes[position] as number) >= 0x80) position += 1;
  if (position >= bytes.length) throw truncated();
  if (position - start >= VARINT_BYTES_MAX) throw new DecodeError('malformed', `no number at byte ${start}`);
  cursor.position = position + 1;
}

function isSafe(bytes: Buffer, start: number, end: number): boolean {
  let zigzag = 0n;
  for (let at = end - 1; at >= start; at -= 1) zigzag = zigzag * 128n + BigInt((bytes[at] as number) & 0x7f);
  // One below the largest safe integer is where avsc stops, too.
  return (zigzag + 1n) / 2n < BigInt(Number.MAX_SAFE_INTEGER);
}

function skip(cursor: Cursor, size: number): void {
  cursor.position += size;
  if (cursor.position > cursor.bytes.length) throw truncated();
}

function truncated(): DecodeError {
  return new DecodeError('malformed', 'the bytes end before the message does');
}
