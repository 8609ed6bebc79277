/** The package has no types of its own. */
declare module 'kafkajs-snappy' {
  export default function snappy(): {
    compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
    decompress(packed: Buffer): Promise<Buffer>;
  };
}
