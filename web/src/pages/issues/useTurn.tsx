import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { editOf, updateIssue } from '../../api/issues.ts';
import type { Issue, IssueEdit } from '../../api/types.ts';
import { toastProblem, toastUndo } from '../../parts/toast.tsx';

/** What was done, for the words that say so. */
export type Done = 'resolved' | 'ignored' | 'reopened' | 'assigned';

/** Changes issues, one request each so that nobody's edit is lost, and offers to take it back. */
export function useTurn(project: number) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const renew = async () => {
    await Promise.all(
      ['issues', 'issue', 'issue-stats'].map((kind) => client.invalidateQueries({ queryKey: [kind, project] })),
    );
  };
  const apply = async (edits: { issue: Issue; edit: IssueEdit }[]) => {
    const outcome = await Promise.allSettled(edits.map(({ issue, edit }) => updateIssue(issue, edit)));
    await renew();
    const failed = outcome.find((o) => o.status === 'rejected');
    if (failed) toastProblem(failed.reason);
    return outcome.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
  };
  return async (issues: Issue[], edit: (issue: Issue) => IssueEdit, what: Done) => {
    const after = await apply(issues.map((issue) => ({ issue, edit: edit(issue) })));
    if (after.length === 0) return;
    toastUndo(t(`issues.done.${what}`, { count: after.length }), t('issues.undo'), () => {
      const back = after.flatMap((issue) => {
        const before = issues.find((i) => i.id === issue.id);
        if (!before) return [];
        const edit = editOf(before);
        // A time that is over meanwhile cannot be asked for again.
        if (edit.ignored_until && Date.parse(edit.ignored_until) <= Date.now()) edit.ignored_until = undefined;
        return [{ issue, edit }];
      });
      void apply(back);
    });
  };
}
