import type { RoleVersion } from '../../api/types.ts';

/** A role as text, one thing a line, so that versions can be compared line by line. */
export function roleText(role: RoleVersion): string {
  const format = role.response_format ? JSON.stringify(role.response_format, null, 2) : 'null';
  return [
    `description: ${role.description}`,
    `rate_limit_interval_ms: ${role.rate_limit_interval_ms}`,
    ...Object.entries(role.parameters).map(([name, value]) => `parameters.${name}: ${value}`),
    ...(role.chain ?? []).map((e, i) => `chain.${i + 1}: ${e.provider} ${e.model} ${e.timeout_ms} ms`),
    'system_message:',
    ...role.system_message.split('\n').map((line) => (line ? `  ${line}` : '')),
    `response_format: ${format}`,
  ].join('\n');
}
