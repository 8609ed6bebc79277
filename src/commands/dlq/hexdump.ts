/** Bytes as people read them: offset, sixteen bytes in hexadecimal, and what of them is printable ASCII. */
const BYTES_PER_LINE = 16;

/**
 * @example
 * hexdump(Buffer.from('till')) // '00000000  74 69 6c 6c                                       |till|'
 */
export function hexdump(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const line = bytes.subarray(at, at + BYTES_PER_LINE);
    const half = (from: number): string => [...line.subarray(from, from + 8)].map(hex).join(' ').padEnd(23);
    const shown = [...line].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(`${at.toString(16).padStart(8, '0')}  ${half(0)}  ${half(8)}  |${shown.join('')}|`);
  }
  return lines.join('\n');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
