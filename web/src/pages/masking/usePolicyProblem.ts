import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { trialQuery } from '../../api/masking.ts';
import { asProblem, type Problem } from '../../api/problem.ts';
import { useProject } from '../../frame/useProject.ts';
import { type PolicyDraft, policyIn } from './policy.ts';

/** What the server says against a role's policy while it is written; it is asked for the project one came from. */
export function usePolicyProblem(draft: PolicyDraft): Problem | undefined {
  const project = useProject()?.id ?? 0;
  const policy = policyIn(draft);
  const [asked] = useDebouncedValue(JSON.stringify(policy), 250);
  const { error } = useQuery({
    ...trialQuery(project, { text: '-', role_policy: JSON.parse(asked) }),
    ...(asked === '{}' && { enabled: false }),
  });
  const problem = error ? asProblem(error) : undefined;
  return asked !== '{}' && problem?.field.startsWith('role_policy.') ? problem : undefined;
}
