import { useEffect } from 'react';

/** The browser tab's title: the most particular thing first. */
export function useTitle(...parts: (string | undefined)[]) {
  const title = [...parts, 'MATRIX'].filter(Boolean).join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
