import type { Delivery } from '../../api/types.ts';

/** The attempts that told a message: of its own, or of the one that told it together with others. */
export const attemptsOf = (delivery: Delivery): Delivery['log'] =>
  delivery.log.length > 0 || !delivery.together ? delivery.log : attemptsOf(delivery.together);

/** Whether an attempt failed: then people want to see why before they ask. */
export const troubled = (delivery: Delivery): boolean => attemptsOf(delivery).some(({ error }) => Boolean(error));
