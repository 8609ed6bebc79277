/** What was wrong with rows: all are counted by reason, the first ones kept word for word. */
export type RowProblem = {
  readonly line: number;
  readonly column: string;
  readonly reason: string;
};

export type RowProblems = {
  add(problem: RowProblem): void;
  /** Rows with at least one problem. */
  count(): number;
  /** The first ones, in the order of the file. */
  kept(): readonly RowProblem[];
};

export const ROW_PROBLEMS_KEPT_MAX = 1_000;

export function createRowProblems(): RowProblems {
  const kept: RowProblem[] = [];
  let count = 0;
  return {
    add(problem) {
      count += 1;
      if (kept.length < ROW_PROBLEMS_KEPT_MAX) kept.push(problem);
    },
    count: () => count,
    kept: () => kept,
  };
}
