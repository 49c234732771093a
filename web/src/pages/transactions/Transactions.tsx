import { Button, SegmentedControl, Switch } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import type { Rectangle } from '../../api/scatter.ts';
import { sendersQuery, transactionCountQuery, transactionsQuery } from '../../api/traces.ts';
import { duration } from '../../format/duration.ts';
import { precise } from '../../format/time.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Filter } from '../../parts/Filter.tsx';
import { QueryField } from '../../parts/query/QueryField.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Views } from '../../parts/Views.tsx';
import { DifferencesPanel } from './DifferencesPanel.tsx';
import { List } from './List.tsx';
import { knownOf } from './query.ts';
import { listed, readRectangle, writeRectangle } from './rectangle.ts';
import classes from './Scatter.module.css';
import { endsOf, ScatterPanel } from './ScatterPanel.tsx';

const ROUTE = '/home/projects/$project/transactions';

/** The requests of the chosen time: each a dot above and a row below, and what sets a selection of them apart. */
export function Transactions() {
  const { t, i18n } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const {
    sort = 'newest',
    service,
    endpoint,
    min,
    errors,
    q,
    axis,
    mode,
    top,
    sel,
    ...range
  } = useSearch({ from: ROUTE });
  const pausedAt = usePausedAt();
  const selected = readRectangle(sel);
  const filter = { service, endpoint, min_elapsed_ns: min && min * 1e6, errors, q };
  const rectangle = selected && listed(selected);
  const asked = {
    ...filter,
    order: sort,
    min_elapsed_ns: rectangle ? Math.max(rectangle.min_elapsed_ns, filter.min_elapsed_ns ?? 0) : filter.min_elapsed_ns,
    max_elapsed_ns: rectangle?.max_elapsed_ns,
  };
  const list = useInfiniteQuery(transactionsQuery(projectId, asked, { range: rectangle?.range ?? range, pausedAt }));
  const total = useQuery(transactionCountQuery(projectId, asked, list.data?.pages[0]));
  const [asking, setAsking] = useState(false);
  const senders = useQuery({ ...sendersQuery(projectId, range), enabled: asking });
  const known = useMemo(
    () => knownOf(list.data?.pages.flatMap((p) => p.items ?? []) ?? [], senders.data?.items),
    [list.data, senders.data],
  );
  const set = (next: Record<string, string | number | boolean | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  const select = (next: Rectangle | undefined) =>
    void navigate({ to: '.', search: (old) => ({ ...old, sel: next && writeRectangle(next) }) });
  const wrong = list.isError && asProblem(list.error).field === 'q';
  useTitle(t('nav.transactions'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.transactions')}</h1>
        <Filter
          width={170}
          label={t('transactions.service')}
          value={service ?? ''}
          onChange={(v) => set({ service: v || undefined })}
        />
        <Filter
          width={170}
          label={t('transactions.endpoint')}
          value={endpoint ?? ''}
          onChange={(v) => set({ endpoint: v || undefined })}
        />
        <Filter
          width={130}
          digits
          label={t('transactions.min')}
          value={min ? String(min) : ''}
          onChange={(v) => set({ min: Number(v) > 0 ? Number(v) : undefined })}
        />
        <Switch
          label={t('transactions.errors')}
          checked={errors ?? false}
          onChange={(e) => set({ errors: e.currentTarget.checked || undefined })}
        />
      </div>
      <div className={classes.query}>
        <div className={classes.input}>
          <QueryField
            label={t('scatter.query')}
            placeholder={t('scatter.query_hint')}
            value={q ?? ''}
            known={known}
            onFocus={() => setAsking(true)}
            mistake={wrong ? asProblem(list.error).detail : undefined}
            onRun={(next) => set({ q: next || undefined })}
          />
        </div>
        <Views project={projectId} kind="transactions" query={q ?? ''} onChoose={(next) => set({ q: next })} />
      </div>
      {!wrong && (
        <>
          <ScatterPanel
            project={projectId}
            filter={filter}
            range={range}
            log={axis === 'log'}
            heat={mode === 'heat'}
            top={top}
            selected={selected}
            set={set}
            onSelect={select}
          />
          {selected && (
            <DifferencesPanel
              project={projectId}
              filter={filter}
              ends={endsOf(range)}
              selected={selected}
              onTerm={(term) => set({ q: [q, term].filter(Boolean).join(' ') })}
            />
          )}
          <section className="panel" aria-busy={list.isPending}>
            <div className={classes.bar}>
              {selected ? (
                <>
                  <span>
                    {t('scatter.selected', {
                      from: precise(selected.from),
                      to: precise(selected.to),
                      min: duration(selected.min * 1e3, i18n.language),
                      max: duration(selected.max * 1e3, i18n.language),
                    })}
                  </span>
                  <Button
                    variant="default"
                    size="compact-xs"
                    leftSection={<IconX size={12} />}
                    onClick={() => select(undefined)}
                  >
                    {t('scatter.unselect')}
                  </Button>
                </>
              ) : (
                <span className="dim">{t('scatter.drag')}</span>
              )}
              <SegmentedControl
                ml="auto"
                size="xs"
                aria-label={t('transactions.order')}
                value={sort}
                onChange={(v) => set({ sort: v === 'newest' ? undefined : v })}
                data={(['newest', 'slowest'] as const).map((value) => ({ value, label: t(`transactions.${value}`) }))}
              />
            </div>
            <List
              project={projectId}
              list={list}
              total={total.data}
              filtered={Boolean(service || endpoint || min || errors || q || selected)}
            />
          </section>
        </>
      )}
    </div>
  );
}
