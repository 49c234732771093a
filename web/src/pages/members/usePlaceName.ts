import { useTranslation } from 'react-i18next';
import type { Place } from '../../api/people.ts';

/** What a place is called: an organisation and a group may have the same name. */
export function usePlaceName() {
  const { t } = useTranslation();
  return ({ group, name }: Place) => t(group ? 'members.in_group' : 'members.in_org', { name });
}
