import type { Channel } from '../../api/types.ts';

/** What a channel is set to: each kind has its own fields, its secrets read as ********. */
export const configOf = (channel: Channel): Record<string, unknown> =>
  typeof channel.config === 'object' && channel.config !== null ? { ...channel.config } : {};
