/**
 * A vector in the binary form that pgvector's vector_recv reads: two 16-bit integers (the dimensions and 0), and the
 * numbers, all big-endian. As text, 1,000 vectors would be 15 MB of digits to print and parse.
 */
export function vectorParameter(vector: Float32Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(vector.length);
  return Buffer.concat([header, Buffer.copyBytesFrom(vector).swap32()]);
}
