import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Asked } from '../../api/quality.ts';
import type { TryAnswer } from '../../api/types.ts';

/** A question whose answer is shown while it grows, and which ends with the page. */
export function useAsking<I>(ask: (input: I, asked: Asked) => Promise<TryAnswer>) {
  const [text, setText] = useState('');
  const control = useRef<AbortController>(undefined);
  useEffect(() => () => control.current?.abort(), []);
  const asking = useMutation({
    mutationFn: (input: I) => {
      control.current?.abort();
      control.current = new AbortController();
      setText('');
      return ask(input, { onText: setText, signal: control.current.signal });
    },
  });
  return { ...asking, text, stop: () => control.current?.abort() };
}
