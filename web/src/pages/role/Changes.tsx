import { useTranslation } from 'react-i18next';
import { type Canary, type Change, labelChanges, type Stand } from './standing.ts';

interface Props {
  from: Stand | null;
  to: Stand | null;
}

/** What a move of a label changes, in words. */
export function Changes({ from, to }: Props) {
  const { t } = useTranslation();
  const canary = (of?: Canary) => (of ? t('labels.canary_of', { ...of }) : t('labels.no_canary'));
  const word = (change: Change): string => {
    switch (change.what) {
      case 'made':
        return t('labels.change.made', { version: change.version });
      case 'removed':
        return t('labels.change.removed', { version: change.version });
      case 'version':
        return t('labels.change.version', { before: change.before, after: change.after });
      case 'canary':
        return t('labels.change.canary', { before: canary(change.before), after: canary(change.after) });
      case 'protected':
        return t(change.after ? 'labels.change.protected' : 'labels.change.unprotected');
    }
  };
  const words = labelChanges(from, to).map(word);
  return words.length > 0 ? words.join(' · ') : t('labels.change.none');
}
