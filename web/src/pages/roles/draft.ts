import { editOf } from '../../api/roles.ts';
import type { ChainEntry, Parameters, Role, RoleEdit } from '../../api/types.ts';
import { type PolicyDraft, policyDraft, policyIn } from '../masking/policy.ts';
import { formatFault } from './format.ts';
import { setParameters } from './parameters.ts';

/** A role being edited; the format as text, which need not be JSON at every keystroke. */
export interface Draft {
  edit: RoleEdit;
  format: string;
  masking: PolicyDraft;
}

export const EMPTY: Draft = {
  edit: { system_message: '', chain: [], parameters: {} },
  format: '',
  masking: policyDraft(),
};

export const draftOf = (role: Role): Draft => ({
  edit: editOf(role),
  format: role.response_format ? JSON.stringify(role.response_format, null, 2) : '',
  masking: policyDraft(role.masking),
});

/** What is sent; undefined while the format cannot be used. */
export function editIn({ edit, format, masking }: Draft): RoleEdit | undefined {
  if (formatFault(format)) return undefined;
  return {
    ...edit,
    chain: edit.chain.map(entryIn),
    parameters: given(edit.parameters),
    // Without a policy the server keeps the one it has: an empty one takes it away.
    masking: policyIn(masking),
    response_format: format.trim() === '' ? undefined : JSON.parse(format),
  };
}

/** What was cleared again is not sent. */
const entryIn = (entry: ChainEntry): ChainEntry => ({
  ...entry,
  parameters: setParameters(entry.parameters).length > 0 ? given(entry.parameters) : undefined,
  first_token_ms: entry.first_token_ms || undefined,
  between_ms: entry.between_ms || undefined,
  fall_through: entry.fall_through?.length ? entry.fall_through : undefined,
});

const given = (parameters: Parameters = {}): Parameters =>
  Object.fromEntries(setParameters(parameters).map(([name]) => [name, parameters[name]]));
