import { editOf } from '../../api/roles.ts';
import type { Role, RoleEdit } from '../../api/types.ts';

/** A role being edited; the format as text, which need not be JSON at every keystroke. */
export interface Draft {
  edit: RoleEdit;
  format: string;
}

export const EMPTY: Draft = { edit: { system_message: '', chain: [], parameters: {} }, format: '' };

export const draftOf = (role: Role): Draft => ({
  edit: editOf(role),
  format: role.response_format ? JSON.stringify(role.response_format, null, 2) : '',
});

/** What is sent; undefined while the format is not JSON. */
export function editIn({ edit, format }: Draft): RoleEdit | undefined {
  if (format.trim() === '') return { ...edit, response_format: undefined };
  try {
    return { ...edit, response_format: JSON.parse(format) };
  } catch {
    return undefined;
  }
}
