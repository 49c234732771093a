import { Skeleton, Tabs } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { issueQuery, statsQuery } from '../../api/issues.ts';
import type { IssueDetail, IssueStats } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useCanWrite, useProjectId } from '../../frame/useProject.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { IssueState } from '../../parts/IssueState.tsx';
import head from '../../parts/ObjectHead.module.css';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { TurnMenu } from '../issues/TurnMenu.tsx';
import { Activity } from './Activity.tsx';
import { Affected } from './Affected.tsx';
import { Grouping } from './Grouping.tsx';
import classes from './Issue.module.css';
import { Occurrences } from './Occurrences.tsx';
import { OccurrenceView } from './OccurrenceView.tsx';

const ROUTE = '/home/projects/$project/issues/$issue';

/** One error: what it is, where it comes from, whom it meets, and what was done about it. */
export function IssuePage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { issue: id } = useParams({ from: ROUTE });
  const { data: issue, error, refetch } = useQuery(issueQuery(project, Number(id)));
  useTitle(issue ? `${issue.type} #${issue.id}` : t('nav.issues'));
  if (issue) return <Loaded issue={issue} />;
  return (
    <div className="page" aria-busy={!error}>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        <>
          <Skeleton height={26} width="40%" mb={12} />
          <Skeleton height={60} mb={18} />
          <Skeleton height={480} />
        </>
      )}
    </div>
  );
}

function Loaded({ issue }: { issue: IssueDetail }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { occurrence = 'newest', tab = 'stack', ...range } = useSearch({ from: ROUTE });
  const pausedAt = usePausedAt();
  const stats = useQuery(statsQuery(issue.project_id, issue.id, range, pausedAt));
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  return (
    <div className="page">
      <Head issue={issue} stats={stats.data} />
      <div className={classes.split}>
        <div className={classes.main}>
          <Tabs
            value={tab}
            onChange={(v) => set({ tab: v === 'stack' || v === null ? undefined : v })}
            keepMounted={false}
          >
            <Tabs.List mb={10}>
              {(['stack', 'occurrences', 'activity', 'grouping'] as const).map((each) => (
                <Tabs.Tab key={each} value={each}>
                  {t(`issue.tab.${each}`)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value="stack">
              <OccurrenceView
                issue={issue}
                occurrence={occurrence}
                range={range}
                onMove={(next) => set({ occurrence: next })}
              />
            </Tabs.Panel>
            <Tabs.Panel value="occurrences">
              <Occurrences issue={issue} range={range} />
            </Tabs.Panel>
            <Tabs.Panel value="activity">
              <Activity issue={issue} />
            </Tabs.Panel>
            <Tabs.Panel value="grouping">
              <Grouping issue={issue} range={range} />
            </Tabs.Panel>
          </Tabs>
        </div>
        <Affected stats={stats} />
      </div>
    </div>
  );
}

function Head({ issue, stats }: { issue: IssueDetail; stats?: IssueStats }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  return (
    <header className={head.head}>
      <div className={head.crumbs}>
        <Link to="/projects/$project/issues" params={{ project: String(issue.project_id) }}>
          {t('nav.issues')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
        <span>{`#${issue.id}`}</span>
        <Copy
          text={`${window.location.origin}/projects/${issue.project_id}/issues/${issue.id}`}
          what={t('copy.link')}
        />
      </div>
      <div className={head.titleRow}>
        <IssueState state={issue.state} />
        <h1 className={classes.title}>{issue.type || t('issues.no_type')}</h1>
        {canWrite && (
          <div className={classes.actions}>
            <TurnMenu project={issue.project_id} issues={[issue]} />
          </div>
        )}
      </div>
      {issue.message && <p className={classes.message}>{issue.message}</p>}
      {issue.culprit && <code className={classes.culprit}>{issue.culprit}</code>}
      <dl className={`${head.answers} ${classes.answers}`}>
        <Answer label={t('issue.count')}>
          <strong>{stats ? count(stats.count) : '…'}</strong>
          <span className="dim">{t('issue.in_range')}</span>
        </Answer>
        <Answer label={t('issue.users')}>
          <strong>{stats ? count(stats.users) : '…'}</strong>
          <span className="dim">{stats?.users === 0 ? t('issue.no_users') : t('issue.in_range')}</span>
        </Answer>
        <Answer label={t('issue.last_seen')}>
          <strong>
            <When at={issue.last_seen} />
          </strong>
          <span className="dim">{issue.last_version}</span>
        </Answer>
        <Answer label={t('issue.first_seen')}>
          <strong>
            <When at={issue.first_seen} />
          </strong>
          <span className="dim">{issue.first_version}</span>
        </Answer>
        <Answer label={t('issue.who')}>
          <strong>{issue.assignee || t('issues.nobody')}</strong>
          <Means issue={issue} />
        </Answer>
      </dl>
    </header>
  );
}

/** Until when the state holds. */
function Means({ issue }: { issue: IssueDetail }) {
  const { t } = useTranslation();
  if (issue.resolved_version === 'next') return <span className="dim">{t('issue.resolved_next')}</span>;
  if (issue.resolved_version) {
    return <span className="dim">{t('issue.resolved_in', { version: issue.resolved_version })}</span>;
  }
  if (issue.ignored_count) return <span className="dim">{t('issue.ignored_count', { n: issue.ignored_count })}</span>;
  if (issue.ignored_until) {
    return (
      <span className="dim">
        {t('issue.ignored_until')} <When at={issue.ignored_until} clock />
      </span>
    );
  }
  return (
    <span className="dim">
      {t('issue.state_since')} <When at={issue.state_since} />
    </span>
  );
}

function Answer({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
