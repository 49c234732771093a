import type { StackFrame } from '../../api/types.ts';

export interface Part {
  /** Index of its first frame. */
  from: number;
  own: boolean;
  frames: StackFrame[];
}

/** Frames in runs of the application's own and of others; without any of its own nothing is folded. */
export function folded(frames: StackFrame[]): Part[] {
  const some = frames.some((f) => f.in_app);
  const parts: Part[] = [];
  frames.forEach((frame, from) => {
    const own = frame.in_app || !some;
    const last = parts.at(-1);
    if (last && last.own === own) last.frames.push(frame);
    else parts.push({ from, own, frames: [frame] });
  });
  return parts;
}
