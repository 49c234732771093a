import { useMutation, useQueryClient } from '@tanstack/react-query';
import { toastDone, toastProblem } from './toast.tsx';

interface Options<I, O> {
  /** What asks anew once the change is made. */
  refresh: readonly unknown[];
  done?: string;
  onDone?: (out: O, input: I) => void;
}

/** A change on the server: the lists it touches ask anew, the outcome is announced either way. */
export function useChange<I, O>(change: (input: I) => Promise<O>, { refresh, done, onDone }: Options<I, O>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async (out, input) => {
      await client.invalidateQueries({ queryKey: refresh });
      if (done) toastDone(done);
      onDone?.(out, input);
    },
    onError: toastProblem,
  });
}
