import { useTranslation } from 'react-i18next';
import type { Label, Role } from '../../api/types.ts';
import { useOwner } from '../../parts/OwnerSelect.tsx';

/** Why the reader may not move a label of a role, in words; undefined when they may. The server decides. */
export function useGuard(role: Pick<Role, 'owner'>): (label?: Pick<Label, 'name' | 'protected'>) => string | undefined {
  const { t } = useTranslation();
  const owner = useOwner(role.owner);
  return (label) =>
    owner?.role === 'editor' && label?.protected ? t('labels.guarded', { label: label.name }) : undefined;
}
