import { Select } from '@mantine/core';
import { IconThumbUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { callFacetsQuery } from '../../api/calls.ts';
import { qualityQuery } from '../../api/quality.ts';
import { meQuery } from '../../api/session.ts';
import type { QualityVersion } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count, dollars } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { ownersOf } from '../../parts/OwnerSelect.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { roleLink } from '../role/standing.ts';
import { Judgings } from './Judgings.tsx';
import classes from './Quality.module.css';
import { Share } from './Share.tsx';

const ROUTE = '/home/projects/$project/quality';

/** How the versions of roles answer: what is valid, grounded, liked and well judged, over how many calls. */
export function Quality() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const id = useProjectId();
  const project = useProject();
  const { role, range, from, to } = useSearch({ from: ROUTE });
  const { data: me } = useQuery(meQuery);
  const following = { range: { range, from, to }, pausedAt: usePausedAt() };
  const facets = useQuery(callFacetsQuery(id, following)).data?.items ?? [];
  const query = useQuery(qualityQuery(id, role, following));
  const versions = query.data?.items;
  const roles = [...new Set([...facets.map((f) => f.role), role ?? ''])].filter(Boolean).sort();
  useTitle(t('nav.quality'), project?.name);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.quality')}</h1>
        <Select
          w={220}
          clearable
          placeholder={t('calls.any_role')}
          aria-label={t('calls.column.role')}
          clearButtonProps={{ 'aria-label': t('calls.any_role') }}
          data={roles}
          value={role ?? null}
          onChange={(next) =>
            void navigate({ to: '.', search: (old) => ({ ...old, role: next ?? undefined }), replace: true })
          }
        />
      </div>
      <p className="lead">{t('quality.lead')}</p>
      <section className="panel" aria-busy={query.isPending}>
        {query.error && !versions ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : versions?.length === 0 ? (
          <Empty icon={IconThumbUp} title={t('quality.none')}>
            <p>{t('quality.none_hint')}</p>
          </Empty>
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  <th>{t('quality.version')}</th>
                  <th className="num">{t('quality.calls')}</th>
                  <th className="num">{t('quality.answered')}</th>
                  <th className="num">{t('quality.valid')}</th>
                  <th className="num">{t('quality.grounded')}</th>
                  <th className="num">{t('quality.liked')}</th>
                  <th className="num">{t('quality.judged')}</th>
                  <th className="num">{t('quality.latency')}</th>
                  <th className="num">{t('quality.cost')}</th>
                </tr>
              </thead>
              <tbody>
                {query.isPending && <SkeletonRows rows={4} columns={9} />}
                {versions?.map((v) => (
                  <Row key={`${v.owner}/${v.role}@${v.version}`} project={id} v={v} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <p className="soft">{t('quality.means')}</p>
      {me?.user.system && <Judgings />}
    </div>
  );
}

function Row({ project, v }: { project: number; v: QualityVersion }) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const edits = me?.user.system || (me && ownersOf(me).some((o) => o.org === v.owner));
  const name = `${v.role}@${v.version}`;
  return (
    <tr>
      <td>
        {edits ? (
          <Link {...roleLink({ owner: v.owner, code: v.role }, { tab: 'history', version: v.version })}>
            <code>{name}</code>
          </Link>
        ) : (
          <code>{name}</code>
        )}
        <div className={classes.second}>{v.owner === 0 ? v.model : `${t('roles.own')} · ${v.model}`}</div>
      </td>
      <td className="num">
        <Link
          to="/projects/$project/ai-calls"
          params={{ project: String(project) }}
          search={{ role: v.role, of: v.owner === 0 ? 'installation' : 'org', version: v.version }}
        >
          {count(v.calls)}
        </Link>
      </td>
      <td className="num">
        <Share of={v.answered} />
      </td>
      <td className="num">
        <Share of={v.valid} />
      </td>
      <td className="num">
        <Share of={v.grounded} />
      </td>
      <td className="num">
        <Share of={v.liked} />
      </td>
      <td className="num">
        {v.judged.of === 0 ? (
          <span className="dim">{'–'}</span>
        ) : (
          <>
            {t('quality.score', { score: v.judged.score.toFixed(1) })}
            <div>
              <Share of={v.judged.good} />
            </div>
          </>
        )}
        {v.judged.failed > 0 && (
          <div className={classes.second}>{t('quality.judge_failed', { failed: v.judged.failed })}</div>
        )}
      </td>
      <td className="num">
        {durationMs(v.p50_ms)}
        <div className={classes.second}>{`p95 ${durationMs(v.p95_ms)}`}</div>
      </td>
      <td className="num">{dollars(v.cost_per_call) ?? <span className="dim">{t('calls.no_cost')}</span>}</td>
    </tr>
  );
}
