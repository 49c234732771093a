import { useMutation, useQueryClient } from '@tanstack/react-query';
import { asProblem } from '../api/problem.ts';
import { toastDone, toastProblem } from './toast.tsx';

interface Options<I, O> {
  /** What asks anew once the change is made. */
  refresh: readonly unknown[];
  /** Something else that the change touches. */
  also?: readonly unknown[];
  done?: string;
  /** Fields whose refusal the form tells itself: there is no word of it elsewhere. */
  known?: string[] | RegExp;
  onDone?: (out: O, input: I) => void;
}

/** A change on the server: the lists it touches ask anew, the outcome is announced either way. */
export function useChange<I, O>(
  change: (input: I) => Promise<O>,
  { refresh, also, done, known, onDone }: Options<I, O>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async (out, input) => {
      await client.invalidateQueries({ queryKey: refresh });
      if (also) await client.invalidateQueries({ queryKey: also });
      if (done) toastDone(done);
      onDone?.(out, input);
    },
    onError: (error) => {
      const { field } = asProblem(error);
      if (known instanceof RegExp ? known.test(field) : known?.includes(field)) return;
      toastProblem(error);
      // Somebody was faster: what the next try starts from must be what is there now.
      if (['conflict', 'refused', 'not_found'].includes(asProblem(error).reason)) {
        void client.invalidateQueries({ queryKey: refresh });
      }
    },
  });
}
