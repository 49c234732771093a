import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useProject } from './useProject.ts';

/** Where the letter after g leads. */
const PLACES = {
  h: '/projects/$project/hosts',
  o: '/projects/$project',
  i: '/projects/$project/incidents',
  s: '/projects/$project/services',
  t: '/projects/$project/transactions',
  q: '/projects/$project/sql',
  e: '/projects/$project/issues',
  l: '/projects/$project/logs',
  m: '/projects/$project/map',
  x: '/projects/$project/metrics',
  d: '/projects/$project/dashboards',
} as const;

/** How long g waits for its letter, in ms. */
const PATIENCE = 1500;

/** Goes to a section by g and its letter, outside of fields and dialogs. */
export function useGoKeys() {
  const navigate = useNavigate();
  const project = useProject()?.id;
  useEffect(() => {
    if (project === undefined) return;
    let asked = -PATIENCE;
    const onKey = (event: KeyboardEvent) => {
      const elsewhere =
        event.target instanceof HTMLElement &&
        event.target.closest('input, textarea, select, [contenteditable], [role="dialog"]');
      if (elsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
      const waiting = event.timeStamp - asked < PATIENCE;
      asked = event.key === 'g' && !waiting ? event.timeStamp : -PATIENCE;
      if (!waiting || !Object.hasOwn(PLACES, event.key)) return;
      event.preventDefault();
      const to = PLACES[event.key as keyof typeof PLACES];
      void navigate({ to, params: { project: String(project) } });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, project]);
}
