// Where a step from one conversation to the next leads. Pure.

/**
 * Without a place in the list, both ways begin at its top. The end of the list is the end, but what is
 * `wanted` (unread) is looked for around it: wherever one is, the key leads there.
 */
export function neighbour<Id>(
  order: readonly Id[],
  from: Id | null,
  by: 1 | -1,
  wanted?: (id: Id) => boolean,
): Id | undefined {
  const at = from === null ? -1 : order.indexOf(from);
  if (!wanted) return order[at < 0 ? 0 : at + by];
  const onwards = by === 1 ? order.slice(at + 1) : order.slice(0, Math.max(0, at)).toReversed();
  const around = by === 1 ? order.slice(0, Math.max(0, at)) : order.slice(at + 1).toReversed();
  return [...onwards, ...around].find(wanted);
}
