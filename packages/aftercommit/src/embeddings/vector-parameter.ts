/**
 * A vector in the binary form that pgvector's vector_recv reads: two 16-bit integers (the dimensions and 0), and the
 * numbers, all big-endian. As text, 1,000 vectors would be 15 MB of digits to print and parse.
 */
export function vectorParameter(vector: Float32Array): Buffer {
  const buffer = Buffer.allocUnsafe(4 + 4 * vector.length);
  buffer.writeUInt16BE(vector.length, 0);
  buffer.writeUInt16BE(0, 2);
  for (const [index, value] of vector.entries()) buffer.writeFloatBE(value, 4 + 4 * index);
  return buffer;
}
