import { Button, Checkbox, TextInput } from '@mantine/core';
import { IconGitBranch, IconGitMerge } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { mergeIssues, occurrenceQuery, splitIssue } from '../../api/issues.ts';
import type { IssueDetail } from '../../api/types.ts';
import type { RangeSearch } from '../../frame/range.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { useChange } from '../../parts/useChange.ts';
import classes from './Issue.module.css';

/** What the issue is made of, and the way to mend it where the grouping was wrong. */
export function Grouping({ issue, range }: { issue: IssueDetail; range: RangeSearch }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string[]>([]);
  const [others, setOthers] = useState('');
  const { data: newest } = useQuery(occurrenceQuery(issue.project_id, issue.id, 'newest', range));
  const params = { project: String(issue.project_id) };
  const refresh = { refresh: ['issue', issue.project_id], also: ['issues', issue.project_id] };
  const split = useChange(() => splitIssue(issue.project_id, issue.id, chosen), {
    ...refresh,
    done: t('issue.split_done'),
    onDone: (made) =>
      void navigate({ to: '/projects/$project/issues/$issue', params: { ...params, issue: String(made.id) } }),
  });
  const ids = [...others.matchAll(/\d+/g)].map((m) => Number(m[0])).filter((n) => n > 0 && n !== issue.id);
  const merge = useChange(() => mergeIssues(issue.project_id, issue.id, ids), {
    ...refresh,
    done: t('issue.merge_done'),
    onDone: () => setOthers(''),
  });
  return (
    <section className={`panel ${classes.grouping}`}>
      <p className="soft">
        {newest && `${t(`issue.grouped_by.${newest.grouped_by}`)} `}
        {t('issue.grouping_lead')}{' '}
        <Link to="/projects/$project/settings" params={params} search={{ tab: 'errors' }}>
          {t('issue.to_rules')}
        </Link>
      </p>
      <ul>
        {issue.fingerprints.map((f) => (
          <li key={f.fingerprint}>
            {canWrite && issue.fingerprints.length > 1 && (
              <Checkbox
                aria-label={t('issue.choose_fingerprint', { id: f.fingerprint })}
                checked={chosen.includes(f.fingerprint)}
                onChange={(e) =>
                  setChosen(
                    e.currentTarget.checked
                      ? [...chosen, f.fingerprint]
                      : chosen.filter((each) => each !== f.fingerprint),
                  )
                }
              />
            )}
            <div className="clip">
              <strong>{f.type}</strong> <span className="soft">{f.message}</span>
              <div className="clip dim">{f.culprit}</div>
            </div>
            <code className="dim">{f.fingerprint}</code>
          </li>
        ))}
      </ul>
      {canWrite && (
        <div className={classes.mend}>
          {issue.fingerprints.length > 1 && (
            <Button
              variant="default"
              leftSection={<IconGitBranch size={15} />}
              disabled={chosen.length === 0 || chosen.length === issue.fingerprints.length}
              loading={split.isPending}
              onClick={() => split.mutate(undefined)}
            >
              {t('issue.split')}
            </Button>
          )}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (ids.length > 0) merge.mutate(undefined);
            }}
          >
            <TextInput
              w={200}
              aria-label={t('issue.merge_with')}
              placeholder={t('issue.merge_with')}
              value={others}
              onChange={(event) => setOthers(event.currentTarget.value)}
            />
            <Button
              type="submit"
              variant="default"
              leftSection={<IconGitMerge size={15} />}
              disabled={ids.length === 0}
              loading={merge.isPending}
            >
              {t('issue.merge')}
            </Button>
          </form>
        </div>
      )}
    </section>
  );
}
