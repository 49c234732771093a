import { useEffect } from 'react';

/** Opens the search on Ctrl-K (or ⌘K) anywhere, and on / outside of fields: there the page's own, if it has one. */
export function useSearchKeys(open: () => void) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const inField =
        event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]');
      const chord = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
      if (chord || (event.key === '/' && !inField && !event.ctrlKey && !event.metaKey)) {
        event.preventDefault();
        const own = chord ? null : document.querySelector<HTMLElement>('[data-page-search]');
        if (own) own.focus();
        else open();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [open]);
}
