import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { groupProjectsQuery } from '../../api/people.ts';
import { asProblem } from '../../api/problem.ts';
import { meQuery } from '../../api/session.ts';
import { count } from '../../format/number.ts';
import { LANGUAGES } from '../../i18n/index.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { When } from '../../parts/When.tsx';

const SIGNALS = ['traces', 'logs', 'metrics'] as const;

/** The rows of a group's projects. Who administers a project without being a member of it cannot open it. */
export function Projects({ org, group }: { org: number; group: number }) {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: projects, error } = useQuery(groupProjectsQuery(org, group));
  if (!projects && !error) return <SkeletonRows rows={1} columns={6} />;
  if (!projects || projects.length === 0) {
    return (
      <tr>
        <td colSpan={6} className="dim">
          {error ? t(`problem.${asProblem(error).reason}.what`) : t('project.none')}
        </td>
      </tr>
    );
  }
  return projects.map((project) => (
    <tr key={project.id}>
      <td>
        {me.projects.some((p) => p.id === project.id) ? (
          <Link to="/projects/$project/settings" params={{ project: String(project.id) }}>
            {project.name}
          </Link>
        ) : (
          <>
            {project.name} <span className="dim">{t('project.not_member')}</span>
          </>
        )}
      </td>
      <td>{LANGUAGES[project.language]}</td>
      <td className="num">{SIGNALS.map((signal) => count(project.retention[signal] ?? 0)).join(' · ')}</td>
      <td className="num">
        {SIGNALS.some((signal) => project.rate[signal])
          ? SIGNALS.map((signal) => (project.rate[signal] ? count(project.rate[signal]) : '–')).join(' · ')
          : t('project.no_limit')}
      </td>
      <td>
        <When at={project.created_at} />
      </td>
      <td />
    </tr>
  ));
}
