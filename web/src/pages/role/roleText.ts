import type { RoleVersion } from '../../api/types.ts';
import { policyText } from '../masking/policy.ts';
import { setParameters } from '../roles/parameters.ts';

/** What of a role is neither its message nor its format, one thing a line. */
export function settingsText(role: RoleVersion): string {
  return [
    `name: ${role.name}`,
    `description: ${role.description}`,
    `retries: ${role.retries ?? 'default'}`,
    `rate_limit_interval_ms: ${role.rate_limit_interval_ms}`,
    `log_optional: ${role.log_optional}`,
    `keep_texts: ${role.keep_texts || 'default'}`,
    ...policyText(role.masking, 'masking.'),
    ...setParameters(role.parameters).map(([name, value]) => `parameters.${name}: ${value}`),
    ...(role.chain ?? []).flatMap((entry, i) => [
      `chain.${i + 1}: ${entry.provider} ${entry.model} ${entry.timeout_ms} ms`,
      ...(entry.first_token_ms ? [`chain.${i + 1}.first_token_ms: ${entry.first_token_ms}`] : []),
      ...(entry.between_ms ? [`chain.${i + 1}.between_ms: ${entry.between_ms}`] : []),
      ...(entry.fall_through?.length ? [`chain.${i + 1}.fall_through: ${entry.fall_through.join(', ')}`] : []),
      ...setParameters(entry.parameters).map(([name, value]) => `chain.${i + 1}.parameters.${name}: ${value}`),
    ]),
  ].join('\n');
}
