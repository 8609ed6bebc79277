/** What has been accepted lately: a set that forgets the oldest beyond its maximum. */
export type RecentIds = {
  has(id: string): boolean;
  add(id: string): void;
};

export function createRecentIds(max: number): RecentIds {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.delete(id);
      ids.add(id);
      if (ids.size <= max) return;
      for (const oldest of ids) {
        ids.delete(oldest);
        return;
      }
    },
  };
}
