import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { commentIssue } from '../../api/issues.ts';
import type { IssueDetail, IssueEvent } from '../../api/types.ts';
import { absolute } from '../../format/time.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import classes from './Issue.module.css';

/** What happened to the issue, and what people said about it. */
export function Activity({ issue }: { issue: IssueDetail }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [text, setText] = useState('');
  const comment = useChange((said: string) => commentIssue(issue.project_id, issue.id, said), {
    refresh: ['issue', issue.project_id],
    onDone: () => setText(''),
  });
  return (
    <section className={`panel ${classes.activity}`}>
      {canWrite && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) comment.mutate(text.trim());
          }}
        >
          <Textarea
            autosize
            minRows={2}
            maxLength={10_000}
            aria-label={t('issue.comment')}
            placeholder={t('issue.comment')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" mt={8} disabled={!text.trim()} loading={comment.isPending}>
            {t('issue.say')}
          </Button>
        </form>
      )}
      <ol>
        {issue.activity.map((event) => (
          <li key={event.id}>
            <div>
              <strong>{event.author || 'MATRIX'}</strong> <Told event={event} />
            </div>
            <span className="dim">
              <When at={event.at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Told({ event }: { event: IssueEvent }) {
  const { t } = useTranslation();
  const data = event.data as Record<string, string>;
  switch (event.kind) {
    case 'comment':
      return <p className={classes.said}>{data.text}</p>;
    case 'state':
      return (
        <>
          {t('issue.event.state', { to: t(`issues.state.${data.to as IssueDetail['state']}`) })}
          {data.resolved_version && ` ${t('issue.event.in_version', { version: data.resolved_version })}`}
          {data.until && ` ${t('issue.event.until', { time: absolute(data.until) })}`}
          {data.occurrences && ` ${t('issue.event.count', { n: data.occurrences })}`}
        </>
      );
    case 'assigned':
      return data.to ? t('issue.event.assigned', { name: data.to }) : t('issue.event.unassigned');
    case 'regressed':
      return data.version ? t('issue.event.regressed_in', { version: data.version }) : t('issue.event.regressed');
    case 'merged':
    case 'split':
    case 'split_off':
      return t(`issue.event.${event.kind}`, { id: data.issue, title: data.title });
    default:
      return t(`issue.event.${event.kind}`);
  }
}
