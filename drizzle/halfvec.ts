const SIGN_AND_EXPONENT = 0x7f800000;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest half-precision number (IEEE 754 binary16), as its 16 bits; too large ones become infinite. */
function halfOf(value: number): number {
  float[0] = value;
  const word = bits[0] ?? 0;
  const sign = (word >>> 16) & 0x8000;
  const exponent = ((word & SIGN_AND_EXPONENT) >>> 23) - 127;
  const mantissa = word & 0x7fffff;
  if (exponent > 15) return sign | 0x7c00;
  // Rounds to even, as Postgres does; a carry out of the mantissa raises the exponent by itself.
  if (exponent >= -14) return sign | (((exponent + 15) << 10) + roundShift(mantissa, 13));
  if (exponent < -25) return sign;
  return sign | roundShift(mantissa | 0x800000, -exponent - 1);
}

function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/**
 * A vector in the binary form that pgvector's halfvec_recv reads: two 16-bit integers, the dimensions and 0, and the
 * numbers, all big-endian. As text, 1,000 vectors would be 15 MB of digits to print and to parse again.
 */
export function halfvec(vector: Float32Array): Buffer {
  const buffer = Buffer.allocUnsafe(4 + 2 * vector.length);
  buffer.writeUInt16BE(vector.length, 0);
  buffer.writeUInt16BE(0, 2);
  for (let index = 0; index < vector.length; index += 1)
    buffer.writeUInt16BE(halfOf(vector[index] ?? 0), 4 + 2 * index);
  return buffer;
}
