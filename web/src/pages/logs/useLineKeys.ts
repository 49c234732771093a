import { useEffect } from 'react';
import type { LogRecord } from '../../api/types.ts';

/** j and k walk through the records from wherever the focus is, Escape closes the open one. */
export function useLineKeys(records: LogRecord[], open: string | undefined, onOpen: (id: string | undefined) => void) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [role=dialog]')) return;
      if (event.key === 'Escape' && open) {
        onOpen(undefined);
        return;
      }
      const step = { j: 1, k: -1 }[event.key];
      if (!step) return;
      const at = records.findIndex((each) => each.id === open);
      const next = records[at < 0 ? 0 : Math.min(Math.max(at + step, 0), records.length - 1)];
      if (next) onOpen(next.id);
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [records, open, onOpen]);
}
