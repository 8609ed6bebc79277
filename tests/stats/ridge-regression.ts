/** Closed form of ridge regression, `(XᵀX + ridge·I)⁻¹·Xᵀy`, by Gauss-Jordan elimination. */
export function ridgeRegression(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  ridge: number,
): number[] {
  const terms = rows[0]!.length;
  const system = Array.from({ length: terms }, (_, i) => {
    const products = Array.from({ length: terms }, (_, j) => rows.reduce((sum, x) => sum + x[i]! * x[j]!, 0));
    products[i]! += ridge;
    return [...products, rows.reduce((sum, x, r) => sum + x[i]! * values[r]!, 0)];
  });
  for (let i = 0; i < terms; i++) {
    const pivot = system[i]!.map((value) => value / system[i]![i]!);
    for (let k = 0; k < terms; k++) {
      const factor = system[k]![i]!;
      system[k] = k === i ? pivot : system[k]!.map((value, j) => value - factor * pivot[j]!);
    }
  }
  return system.map((row) => row[terms]!);
}
