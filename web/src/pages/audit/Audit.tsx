import { Button, Menu, Select } from '@mantine/core';
import {
  IconBan,
  IconChevronDown,
  IconCircleCheckFilled,
  IconCircleXFilled,
  IconDownload,
  IconEye,
  IconHelpCircle,
  IconHistory,
  IconSearch,
} from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type AuditFilter, auditFile, auditQuery } from '../../api/audit.ts';
import { orgQuery } from '../../api/people.ts';
import type { AuditEntry } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import states from '../../parts/State.module.css';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import classes from './Audit.module.css';

/** Who did what in one organisation. */
export function OrgAudit() {
  const org = Number(useParams({ from: '/home/orgs/$org/audit' }).org);
  const { data } = useQuery(orgQuery(org));
  return <AuditPage key={org} org={org} name={data?.name} />;
}

/** Who did what in the whole installation. */
export function Audit() {
  return <AuditPage />;
}

const KINDS = ['change', 'read'] as const;
const OUTCOMES = ['done', 'denied', 'failed', 'begun'] as const;

function AuditPage({ org, name }: { org?: number; name?: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = useSearch({ strict: false });
  const filter: AuditFilter = {
    actor: search.actor,
    operation: search.operation,
    object: search.object,
    kind: KINDS.find((k) => k === search.kind),
    outcome: OUTCOMES.find((o) => o === search.outcome),
  };
  const range = { range: search.range, from: search.from, to: search.to };
  const list = useInfiniteQuery(auditQuery(org, filter, range));
  const entries = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const filtered = Object.values(filter).some((each) => each !== undefined);
  const set = (next: AuditFilter) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  useTitle(t('nav.audit'), name);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.audit')}</h1>
        {name && <span className="dim">{name}</span>}
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              variant="default"
              style={{ marginLeft: 'auto' }}
              leftSection={<IconDownload size={15} />}
              rightSection={<IconChevronDown size={14} />}
            >
              {t('audit.export')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {(['csv', 'ndjson'] as const).map((format) => (
              <Menu.Item key={format} component="a" href={auditFile(org, filter, range, format)} download>
                {t(`audit.formats.${format}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
      <p className="lead">{t(org ? 'audit.lead' : 'audit.lead_all')}</p>
      <div className={classes.filters} role="search">
        <Filter label={t('audit.by')} value={filter.actor ?? ''} onChange={(v) => set({ actor: v || undefined })} />
        <Filter
          label={t('audit.what')}
          value={filter.operation ?? ''}
          onChange={(v) => set({ operation: v || undefined })}
        />
        <Filter
          label={t('audit.object')}
          value={filter.object ?? ''}
          onChange={(v) => set({ object: v || undefined })}
        />
        <Select
          aria-label={t('audit.kind')}
          placeholder={t('audit.kind')}
          clearable
          w={210}
          data={KINDS.map((k) => ({ value: k, label: t(`audit.kinds.${k}`) }))}
          value={filter.kind ?? null}
          onChange={(v) => set({ kind: KINDS.find((k) => k === v) })}
        />
        <Select
          aria-label={t('audit.outcome')}
          placeholder={t('audit.outcome')}
          clearable
          w={170}
          data={OUTCOMES.map((o) => ({ value: o, label: t(`audit.outcomes.${o}`) }))}
          value={filter.outcome ?? null}
          onChange={(v) => set({ outcome: OUTCOMES.find((o) => o === v) })}
        />
      </div>
      <section className="panel" aria-busy={list.isPending}>
        <Stale query={list} />
        {list.isError && !list.data ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : !list.isPending && entries.length === 0 ? (
          <Empty icon={filtered ? IconSearch : IconHistory} title={t(filtered ? 'members.no_match' : 'audit.none')}>
            <p>{t('audit.none_hint')}</p>
          </Empty>
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  <th>{t('audit.at')}</th>
                  <th>{t('audit.by')}</th>
                  <th>{t('audit.what')}</th>
                  <th>{t('audit.object')}</th>
                  <th>{t('audit.summary')}</th>
                  <th>{t('audit.outcome')}</th>
                </tr>
              </thead>
              <tbody>
                {list.isPending ? (
                  <SkeletonRows rows={8} columns={6} />
                ) : (
                  entries.map((e) => <Row key={e.id} entry={e} />)
                )}
              </tbody>
            </table>
          </div>
        )}
        {entries.length > 0 && <ListFoot shown={entries.length} total={list.data?.pages[0]?.total} list={list} />}
      </section>
    </div>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation();
  const { actor } = entry;
  const summary = Object.entries(entry.summary ?? {});
  return (
    <tr>
      <td>
        <When at={entry.last_at} clock />
        {entry.times > 1 && <div className={classes.second}>{t('audit.times', { n: count(entry.times) })}</div>}
      </td>
      <td>
        {actor.kind === 'nobody' ? <span className="dim">{t('audit.nobody')}</span> : actor.name}
        <div className={classes.second}>
          {[
            actor.kind === 'service' && t('audit.service'),
            actor.token && t('audit.token', { name: actor.token }),
            actor.address,
          ]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </td>
      <td>
        <code>{entry.operation}</code>
      </td>
      <td>
        {entry.object && <code>{entry.object}</code>}
        {entry.project_id > 0 && (
          <div className={classes.second}>{t('audit.in_project', { id: String(entry.project_id) })}</div>
        )}
      </td>
      <td className={classes.summary}>
        <dl>
          {summary.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </td>
      <td>
        <Outcome entry={entry} />
      </td>
    </tr>
  );
}

const LOOKS = {
  done: { icon: IconCircleCheckFilled, tone: 'ok' },
  denied: { icon: IconBan, tone: 'warning' },
  failed: { icon: IconCircleXFilled, tone: 'critical' },
  begun: { icon: IconHelpCircle, tone: 'none' },
  read: { icon: IconEye, tone: 'none' },
} as const;

/** How it ended: colour, shape and word say the same thing. */
function Outcome({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation();
  const { icon: Icon, tone } = LOOKS[entry.kind === 'read' ? 'read' : entry.outcome];
  return (
    <span className={states.badge} data-tone={tone} title={entry.problem || undefined}>
      <Icon size={14} aria-hidden />
      {entry.kind === 'read' ? t('audit.was_read') : t(`audit.outcomes.${entry.outcome}`)}
    </span>
  );
}
