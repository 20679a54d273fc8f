export function cosine(left: number[], right: number[]): number {
  return dot(left, right) / (length(left) * length(right));
}

export function length(vector: number[]): number {
  return Math.sqrt(dot(vector, vector));
}

function dot(left: number[], right: number[]): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}
